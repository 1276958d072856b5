"""What can be set, sent, answered or met is documented, and links inside the documentation lead somewhere."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from choir.api.app import openapi_document
from choir.ledger.errors import Code
from choir.ledger.events import AnyEvent
from choir.ledger.genesis import Genesis
from choir.ledger.params import BOUNDS, Params
from choir.ledger.proofs import Content, content_hash_of
from choir.ledger.transactions import (
    AnyBody,
    CouncilAction,
    SubmitSpec,
    Transaction,
    canonical_bytes,
    signing_bytes,
    transaction_hash,
)
from choir.node.settings import ENV_PREFIX, Settings
from choir.primitives.canonical import canonical_struct
from choir.primitives.signatures import SigningKey

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
DECISIONS = [page for page in sorted((DOCS / "decisions").glob("*.md")) if page.name != "README.md"]

# The words of the design, which users and readers of the code meet.
_TERMS = (
    "account|address|anchor|app hash|approval|attunement|block|bond|chorus|co-author|coherence|coherence density|"
    "content hash|council|divest|embedding|engine|entanglement|epoch|erase|escrow|event|faucet|genesis|gossip|"
    "height|ledger|LtHash|memory|mempool|message|nonce|phase|premium|prior|privacy level|proof|psi|receipt|recall|"
    "record|replica|resonance|rphiv|shard|slash|snapshot|spec|sponsorship|stake|thread|transaction|treasury|"
    "validator|wallet"
)
TERMS = _TERMS.split("|")


def test_every_setting_is_documented_with_default_variable_and_flag() -> None:
    rows = _rows("configuration.md")
    for name in Settings.__struct_fields__:
        row = rows[name]
        assert f"`{ENV_PREFIX}{name.upper()}`" in row
        assert f"`--{name.replace('_', '-')}`" in row
        default = getattr(Settings(), name)
        if default != "":
            assert f"`{default}`" in row, f"{name}: the default is {default}"


def test_every_parameter_and_genesis_field_is_documented() -> None:
    text = (REFERENCE / "configuration.md").read_text("utf-8")
    rows = _rows("configuration.md")
    for name, (low, high) in BOUNDS.items():
        written = "10¹²" if high == 10**12 else f"{high:,}"
        assert f"{low:,} … {written}" in rows[name], f"{name}: the bounds are {low} and {high}"
        assert f"{getattr(Params(), name):,}" in rows[name], f"{name}: the default is {getattr(Params(), name)}"
    for name in Genesis.__struct_fields__:
        assert f"`{name}`" in text


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.name)
def test_every_error_is_documented(code: Code) -> None:
    start = f"| {code.number} | `{code.name}` | {code.http_status} | {code.sentence} | "
    row = next((line for line in _lines("errors.md") if line.startswith(start)), None)
    assert row is not None, f"errors.md lacks or contradicts: {start}"
    assert len(row.removeprefix(start)) > 10, f"errors.md does not say what to do about {code.name}"


@pytest.mark.parametrize("event", get_args(AnyEvent), ids=lambda event: event.__name__)
def test_every_event_is_documented_with_its_fields(event: type[msgspec.Struct]) -> None:
    row = _rows("events.md")[_tag(event)]
    for name in event.__struct_fields__:
        assert f"`{name}`" in row


@pytest.mark.parametrize("body", get_args(AnyBody), ids=lambda body: body.__name__)
def test_every_transaction_type_is_documented_with_its_fields(body: type[msgspec.Struct]) -> None:
    text = (REFERENCE / "transactions.md").read_text("utf-8")
    heading = f"## `{_tag(body)}`\n"
    assert heading in text
    section = text.split(heading)[1].split("\n## ")[0]
    for name in body.__struct_fields__:
        assert f"`{name}`" in section


def test_the_envelope_and_every_council_action_are_documented() -> None:
    rows = _rows("transactions.md")
    for name in Transaction.__struct_fields__:
        assert name in rows
    for action in get_args(CouncilAction):
        for name in action.__struct_fields__:
            assert f"`{name}`" in rows[_tag(action)]


def test_every_route_is_documented_with_its_query() -> None:
    rows = _rows("api.md")
    for path, operations in openapi_document("v1")["paths"].items():
        for method, operation in operations.items():
            row = rows[f"{method.upper()} {path}"]
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query" and parameter["name"] != "wait":
                    assert f"`{parameter['name']}`" in row, f"{method} {path}: {parameter['name']}"
    assert "`?wait=`" in (REFERENCE / "api.md").read_text("utf-8")


@pytest.mark.parametrize("term", TERMS)
def test_every_term_is_in_the_glossary(term: str) -> None:
    text = (DOCS / "glossary.md").read_text("utf-8").casefold()
    entries = {part.strip() for found in re.findall(r"\*\*(.+?)\*\*", text) for part in found.split(",")}
    assert term.casefold() in entries


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_every_decision_has_its_parts_and_is_listed(page: Path) -> None:
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.stem[:4]} ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert f"]({page.name})" in (page.parent / "README.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in _links(page):
        path, _, anchor = target.partition("#")
        found = page if not path else (page.parent / path).resolve()
        assert found.exists(), f"{page.name} links to {target}, which does not exist"
        assert found.is_relative_to(ROOT), f"{page.name} links out of the repository: {target}"
        if anchor:
            assert anchor in _anchors(found), f"{page.name} links to {target}: no such heading"


def test_the_worked_example_for_clients_is_right() -> None:
    text = (DOCS / "guides" / "write-a-client.md").read_text("utf-8")
    key = SigningKey(bytes.fromhex(_value(text, "seed")))
    assert (key.public_key.hex(), key.address) == (_value(text, "public key"), _value(text, "address"))
    content = next(
        msgspec.json.decode(line, type=Content) for line in text.splitlines() if line.startswith('{"author"')
    )
    assert canonical_struct(content).decode() in text
    content_hash = content_hash_of(content)
    assert content_hash == _value(text, "content_hash")
    body = SubmitSpec(thread_id=content.thread_id, content_hash=content_hash, stake="100000000", priors=())
    unsigned = Transaction(body=body, chain_id="choir-dev", nonce=0, sender=key.address)
    assert signing_bytes(unsigned).decode() in text
    signed = msgspec.structs.replace(unsigned, signature=key.sign(signing_bytes(unsigned)))
    assert signed.signature == _value(text, "signature")
    assert transaction_hash(canonical_bytes(signed)) == _value(text, "tx_hash")
    posted = msgspec.json.decode(next(block for block in _blocks(text) if block.startswith('{"tx"')))
    assert msgspec.convert(posted["tx"], Transaction) == signed
    assert posted["content"] == {"salt": content.salt, "text": content.text}


def _lines(name: str) -> list[str]:
    return (REFERENCE / name).read_text("utf-8").splitlines()


def _rows(name: str) -> dict[str, str]:
    """The rows of a page's tables by the code in their first cell."""
    found = (re.match(r"\| `([^`]+)`", line) for line in _lines(name))
    return {match[1]: match.string for match in found if match}


def _tag(struct: type[msgspec.Struct]) -> str:
    return str(struct.__struct_config__.tag)


def _prose(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def _links(page: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", _prose(page.read_text("utf-8")))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _prose(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _value(text: str, name: str) -> str:
    match = re.search(rf"^{name} {{2,}}(\S+)$", text, re.MULTILINE)
    assert match is not None, f"the example has no {name}"
    return match[1]
