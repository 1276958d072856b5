"""Cases without a state: canonical JSON, Merkle trees, content hashes."""

from hashlib import sha256
from typing import Any

import msgspec

from choir.ledger.proofs import Content, content_hash_of
from choir.ledger.transactions import SIGNING_PREFIX, Transaction, Transfer, signing_bytes, transaction_hash
from choir.primitives.canonical import CanonicalError, canonical_json, canonical_struct, parse_strict
from choir.primitives.merkle import merkle_proof, merkle_root
from tests.ledger.support import address, sign, thread_id

# The value and its canonical form, both written by hand.
CANONICAL: list[tuple[str, Any, str]] = [
    ("keys in order", {"b": 1, "a": 2, "": 3, "A": 4}, '{"":3,"A":4,"a":2,"b":1}'),
    ("order of UTF-16 units, not of code points", {"\ufb33": 1, "\U0001f600": 2}, '{"\U0001f600":2,"\ufb33":1}'),
    ("nested", {"z": [{"b": None, "a": True}, []], "y": {}}, '{"y":{},"z":[{"a":true,"b":null},[]]}'),
    ("largest and smallest number", [2**53 - 1, 1 - 2**53, 0], "[9007199254740991,-9007199254740991,0]"),
    ("short escapes", '\b\t\n\f\r"\\', '"\\b\\t\\n\\f\\r\\"\\\\"'),
    ("other controls", "\x00\x01\x0b\x1f", '"\\u0000\\u0001\\u000b\\u001f"'),
    ("nothing else is escaped", "/\x7f\x80é€\u2028\u2029\U0001f600", '"/\x7f\x80é€\u2028\u2029\U0001f600"'),
    ("combining characters stay as they are", "e\u0301", '"e\u0301"'),
]
# The bytes and why they are refused.
REFUSED: list[tuple[str, bytes, str]] = [
    ("nothing", b"", "json"),
    ("trailing comma", b"[1,]", "json"),
    ("byte order mark", b"\xef\xbb\xbf{}", "json"),
    ("65 levels", b"[" * 65 + b"]" * 65, "json"),
    ("a key twice", b'{"a":1,"a":1}', "duplicate"),
    ("a key twice, once escaped", b'{"a":1,"\\u0061":1}', "duplicate"),
    ("a fraction", b"0.5", "float"),
    ("a whole number with a point", b"1.0", "float"),
    ("an exponent", b"1e2", "float"),
    ("no number", b"NaN", "float"),
    ("2^53", b"9007199254740992", "range"),
    ("-2^53", b"-9007199254740992", "range"),
    ("not UTF-8", b'"\xff"', "unicode"),
    ("a surrogate in UTF-8", b'"\xed\xa0\x80"', "unicode"),
    ("a lone surrogate", b'"\\ud800"', "unicode"),
    ("a lone surrogate in a key", b'{"\\udfff":1}', "unicode"),
]
# Roots by RFC 6962, as the reference implementation of Certificate Transparency publishes them.
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
TEXTS = [
    ("plain", "Hello"),
    ("several lines, quotes and a backslash", 'a\n"b"\\\tc'),
    ("beyond ASCII", "café – 静けさ \U0001f33f"),
    ("line separators that some encoders escape", "a\u2028b\u2029c</script>"),
]


def canonical_cases() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = []
    for name, value, expected in CANONICAL:
        assert canonical_json(value).decode() == expected, name
        digest = sha256(expected.encode()).hexdigest()
        cases.append({"name": name, "value": value, "expected": {"canonical": expected, "sha256": digest}})
    for name, raw, reason in REFUSED:
        try:
            parse_strict(raw)
            found = None
        except CanonicalError as error:
            found = error.reason
        assert found == reason, name
        cases.append({"name": name, "raw_hex": raw.hex(), "expected": {"reason": reason}})
    return [*cases, _signing_case()]


def _signing_case() -> dict[str, Any]:
    raw = sign("alice", Transfer(to=address("bob"), amount="5"), 0)
    transaction = parse_strict(raw)
    unsigned = {name: value for name, value in transaction.items() if name != "signature"}
    signed = SIGNING_PREFIX + canonical_json(unsigned)
    assert signed == signing_bytes(msgspec.json.decode(raw, type=Transaction))
    return {
        "name": "what a transaction's sender signs, and its hash",
        "value": transaction,
        "expected": {"canonical": raw.decode(), "sha256": transaction_hash(raw), "signing_bytes": signed.decode()},
    }


def merkle_cases() -> list[dict[str, Any]]:
    cases = []
    for count, root in CT_ROOTS.items():
        leaves = [bytes.fromhex(leaf) for leaf in CT_LEAVES[:count]]
        assert merkle_root(leaves).hex() == root
        paths = [[node.hex() for node in merkle_proof(leaves, index)] for index in range(count)]
        cases.append(
            {"name": f"{count} leaves", "leaves": CT_LEAVES[:count], "expected": {"root": root, "paths": paths}}
        )
    return cases


def content_hash_cases() -> list[dict[str, Any]]:
    cases = []
    for name, text in TEXTS:
        content = Content(author=address("alice"), salt="5a" * 16, text=text, thread_id=thread_id("T"))
        canonical = canonical_struct(content).decode()
        digest = sha256(canonical.encode()).hexdigest()
        assert content_hash_of(content) == digest
        cases.append(
            {
                "name": name,
                "content": msgspec.to_builtins(content),
                "expected": {"canonical": canonical, "content_hash": digest},
            }
        )
    return cases
