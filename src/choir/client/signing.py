"""Building, hashing and signing: pure functions from what a person means to what the ledger takes."""

import secrets
import unicodedata

import msgspec

from choir.ledger.proofs import Content
from choir.ledger.transactions import AnyBody, Transaction, canonical_bytes, signing_bytes, transaction_hash
from choir.primitives.signatures import SigningKey

SALT_BYTES = 16
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
