"""Building, hashing and signing: pure functions from what a person means to what the ledger takes."""

import re
import secrets
import unicodedata
from typing import Final
from urllib.parse import urlsplit

import msgspec

from choir.client.errors import UnexpectedAnswer
from choir.ledger.proofs import Content
from choir.ledger.transactions import AnyBody, Transaction, canonical_bytes, signing_bytes, transaction_hash
from choir.primitives.signatures import SigningKey

SALT_BYTES = 16
_WANTS: Final = " wants you to sign in with your Solana account:"
_DOMAIN: Final = re.compile(r"[A-Za-z0-9.:\[\]-]+")
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS: Final = {"http": 80, "https": 443}
THREAD_ID_BYTES = 16


def sign_transaction(
    key: SigningKey,
    body: AnyBody,
    *,
    chain_id: str,
    nonce: int,
    depends_on: str | None = None,
    expires_at: int | None = None,
) -> Transaction:
    """The signed envelope (design: ledger, "Identity and envelope"). ``expires_at`` is block time in milliseconds."""
    unsigned = Transaction(
        body=body,
        chain_id=chain_id,
        nonce=nonce,
        sender=key.address,
        depends_on=depends_on,
        expires_at=expires_at,
    )
    return msgspec.structs.replace(unsigned, signature=key.sign(signing_bytes(unsigned)))


def hash_transaction(tx: Transaction) -> str:
    """The hash by which the node knows a signed transaction, 64 hex digits."""
    return transaction_hash(canonical_bytes(tx))


def sign_challenge(key: SigningKey, message: str, nonce: str, node_url: str) -> str:
    """The signature (base58) that answers a sign-in challenge. Raises ``UnexpectedAnswer`` for a text that is not one
    for this key from the node at ``node_url``: a node must not get anything else signed, above all no transaction, and
    no challenge of another node, with which it could sign in there."""
    lines = message.split("\n")
    domain = lines[0].removesuffix(_WANTS)
    is_challenge = (
        len(lines) > 2
        and lines[0].endswith(_WANTS)
        and _DOMAIN.fullmatch(domain) is not None
        and lines[1] == key.address
        and f"Nonce: {nonce}" in lines
    )
    if not is_challenge:
        raise UnexpectedAnswer("the node asked to sign something that is no sign-in challenge: look at --node")
    if _authority(f"{urlsplit(node_url).scheme}://{domain}") != _authority(node_url):
        raise UnexpectedAnswer(
            f"the node at {node_url} asked to sign in to {domain!r}: use that address, or, if the node is yours, start "
            "it with --domain and the name by which it is reached"
        )
    return key.sign(message.encode("utf-8"))


def _authority(url: str) -> tuple[str, int | None]:
    """Who answers there: host and port. All names of this machine are one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return url, None
    return "localhost" if host in _THIS_MACHINE else host, port or _PORTS.get(parts.scheme)


def make_content(author: str, thread_id: str, text: str, salt: str | None = None) -> Content:
    """What a message's content hash is the hash of. The text is brought into Unicode NFC with line feeds as line ends,
    as the node demands; the salt (32 hex digits) is random unless given, so that nobody can guess a private text from
    its hash."""
    return Content(
        author=author,
        salt=salt or secrets.token_hex(SALT_BYTES),
        text=normalise_text(text),
        thread_id=thread_id,
    )


def normalise_text(text: str) -> str:
    """The text as it is hashed and stored."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def make_thread_id() -> str:
    """A new random thread id, 32 hex digits."""
    return secrets.token_hex(THREAD_ID_BYTES)
