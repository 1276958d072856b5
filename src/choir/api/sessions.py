"""Sign-in: a challenge is signed with the account's key, then an opaque token speaks for the account.

Rule: design/interfaces.md (`POST /auth/challenge`, `POST /auth/login`). The text has the form of Sign-In
With Solana, which wallets show to their owner and check against the page's domain. It begins with the
domain, so it can never be the signed bytes of a transaction. A challenge lives for five minutes and for one
attempt, right or wrong. The node keeps the SHA-256 of a token, so that a copy of its database opens no
session.

Anyone may ask for a challenge for any address. An address therefore has few at a time, and a new one
replaces its oldest: a stranger who asks for many delays the owner at most, where refusing would lock the
owner out. The number over all addresses is bounded by refusing. The API limits both per network address.
"""

import re
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Final, NamedTuple

from choir.primitives.addresses import AddressError, decode_address
from choir.primitives.signatures import is_valid_signature

CHALLENGE_MS: Final = 300_000
SESSION_MS: Final = 86_400_000
CHALLENGES_PER_ADDRESS: Final = 8
SESSIONS_PER_ADDRESS: Final = 32
OUTSTANDING_CHALLENGES: Final = 10_000
TOKEN_BYTES: Final = 32
STATEMENT: Final = "Sign in to Choir. This proves that the key is yours; it moves no tokens and costs nothing."

_NONCE_BYTES: Final = 16
_NONCE = re.compile(r"[0-9a-f]{32}")
_DOMAIN = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-f:]{2,39}\](:[0-9]{1,5})?")
_CHAIN_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

_SCHEMA: Final = (
    """
    CREATE TABLE IF NOT EXISTS sign_in_challenges (
        id            INTEGER PRIMARY KEY AUTOINCREMENT,
        nonce         TEXT NOT NULL UNIQUE,
        address       TEXT NOT NULL,
        issued_at_ms  INTEGER NOT NULL,
        expires_at_ms INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS sign_in_challenges_address ON sign_in_challenges (address, id)",
    "CREATE INDEX IF NOT EXISTS sign_in_challenges_age ON sign_in_challenges (expires_at_ms)",
    """
    CREATE TABLE IF NOT EXISTS sessions (
        id            INTEGER PRIMARY KEY AUTOINCREMENT,
        token_hash    BLOB NOT NULL UNIQUE,
        address       TEXT NOT NULL,
        expires_at_ms INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS sessions_address ON sessions (address, id)",
    "CREATE INDEX IF NOT EXISTS sessions_age ON sessions (expires_at_ms)",
)


class SignInError(Exception):
    """Sign-in is refused. ``reason`` is one word for machines; ``retry_after_ms`` is set for too_many.

    Reasons: bad_address; too_many (challenges over all addresses); unknown_challenge (never given, used,
    replaced, or given to another address); expired_challenge; bad_signature.
    """

    def __init__(self, reason: str, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after_ms = retry_after_ms


@dataclass(frozen=True, slots=True)
class Challenge:
    """What to sign: the UTF-8 bytes of ``message``. ``nonce`` names it at login."""

    nonce: str
    message: str
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in account. ``token`` is given out this once and never printed."""

    address: str
    expires_at_ms: int
    token: str = field(repr=False)


class OpenSession(NamedTuple):
    """A session that was found by its token. ``token_hash`` names it without speaking for it."""

    address: str
    expires_at_ms: int
    token_hash: bytes


def format_challenge(domain: str, chain_id: str, address: str, nonce: str, issued_at_ms: int) -> str:
    """The exact text to sign. Times are UTC, RFC 3339 with milliseconds."""
    return (
        f"{domain} wants you to sign in with your Solana account:\n{address}\n\n{STATEMENT}\n\n"
        f"Version: 1\nChain ID: {chain_id}\nNonce: {nonce}\n"
        f"Issued At: {_format_time(issued_at_ms)}\n"
        f"Expiration Time: {_format_time(issued_at_ms + CHALLENGE_MS)}"
    )


class Sessions:
    """Challenges and sessions in one database, shared by all API workers.

    ``connection`` is in autocommit mode (``isolation_level=None``). ``clock`` returns Unix time in
    milliseconds. ``domain`` is the authority users see in their browser, port included when it is not the
    default.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        clock: Callable[[], int],
        domain: str,
        chain_id: str,
        session_ms: int = SESSION_MS,
    ) -> None:
        if connection.isolation_level is not None:
            raise ValueError("the connection must be in autocommit mode: isolation_level=None")
        if not _DOMAIN.fullmatch(domain):
            raise ValueError(f"not a host name with an optional port: {domain!r}")
        if not _CHAIN_ID.fullmatch(chain_id):
            raise ValueError(f"not a chain id: {chain_id!r}")
        if session_ms < 1:
            raise ValueError("session_ms must be at least 1")
        self._connection = connection
        self._clock = clock
        self._domain = domain
        self._chain_id = chain_id
        self._session_ms = session_ms
        # How many sessions were ended here before their time: whoever holds one open looks again when it has risen.
        self.endings = 0
        for statement in _SCHEMA:
            connection.execute(statement)

    def challenge(self, address: str) -> Challenge:
        """A fresh challenge for ``address``. Raises ``SignInError``: bad_address or too_many."""
        _check_address(address)
        now_ms = self._clock()
        nonce = secrets.token_hex(_NONCE_BYTES)
        self._connection.execute("DELETE FROM sign_in_challenges WHERE expires_at_ms <= ?", (now_ms,))
        self._drop_oldest("sign_in_challenges", address, CHALLENGES_PER_ADDRESS - 1)
        # One statement counts and inserts, so that workers together stay within the bound.
        inserted = self._connection.execute(
            "INSERT INTO sign_in_challenges (nonce, address, issued_at_ms, expires_at_ms) SELECT ?, ?, ?, ?"
            " WHERE (SELECT count(*) FROM sign_in_challenges) < ?",
            (nonce, address, now_ms, now_ms + CHALLENGE_MS, OUTSTANDING_CHALLENGES),
        ).rowcount
        if not inserted:
            raise SignInError("too_many", "too many sign-ins are under way: try again", self._get_wait_ms(now_ms))
        message = format_challenge(self._domain, self._chain_id, address, nonce, now_ms)
        return Challenge(nonce, message, now_ms + CHALLENGE_MS)

    def verify(self, address: str, nonce: str, signature: str) -> Session:
        """A new session, if ``signature`` (base58) is ``address``'s over its challenge ``nonce``.

        The challenge is used up whatever the outcome. Raises ``SignInError``: bad_address, unknown_challenge,
        expired_challenge or bad_signature.
        """
        _check_address(address)
        # Deleting is the test: of two workers with one nonce, one gets the row.
        rows = self._connection.execute(
            "DELETE FROM sign_in_challenges WHERE nonce = ? AND address = ? RETURNING issued_at_ms, expires_at_ms",
            (nonce if _NONCE.fullmatch(nonce) else None, address),
        ).fetchall()
        if not rows:
            raise SignInError("unknown_challenge", "no such challenge for this address, or it was used: ask anew")
        ((issued_at_ms, expires_at_ms),) = rows
        if self._clock() >= expires_at_ms:
            raise SignInError("expired_challenge", "the challenge is older than five minutes: ask anew")
        message = format_challenge(self._domain, self._chain_id, address, nonce, issued_at_ms)
        if not is_valid_signature(address, message.encode("utf-8"), signature):
            raise SignInError("bad_signature", "the signature is not this address's over the challenge")
        return self._open_session(address)

    def get_address(self, token: str) -> str | None:
        """Whom the token speaks for; ``None`` when it is unknown, revoked, expired or malformed."""
        session = self.get_open(token)
        return None if session is None else session.address

    def get_open(self, token: str) -> "OpenSession | None":
        """The session of a token; ``None`` when it is unknown, revoked, expired or malformed."""
        token_hash = _hash_token(token)
        if token_hash is None:
            return None
        row = self._connection.execute(
            "SELECT address, expires_at_ms, token_hash FROM sessions WHERE token_hash = ?", (token_hash,)
        ).fetchone()
        # The index compares hashes of secrets, never secrets; the last word is a comparison in constant time.
        if row is None or not compare_digest(row[2], token_hash) or self._clock() >= row[1]:
            return None
        return OpenSession(str(row[0]), row[1], token_hash)

    def find_ended(self, token_hashes: Iterable[bytes]) -> set[bytes]:
        """Those of ``token_hashes`` whose sessions are over."""
        now_ms = self._clock()
        query = "SELECT 1 FROM sessions WHERE token_hash = ? AND expires_at_ms > ?"
        return {h for h in token_hashes if self._connection.execute(query, (h, now_ms)).fetchone() is None}

    def revoke(self, token: str) -> bool:
        """End one session (sign out). Whether there was one."""
        deleted = self._connection.execute("DELETE FROM sessions WHERE token_hash = ?", (_hash_token(token),))
        self.endings += deleted.rowcount
        return deleted.rowcount > 0

    def revoke_all(self, address: str) -> int:
        """End all sessions of an account; how many there were."""
        ended = self._connection.execute("DELETE FROM sessions WHERE address = ?", (address,)).rowcount
        self.endings += ended
        return ended

    def _open_session(self, address: str) -> Session:
        now_ms = self._clock()
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._connection.execute("DELETE FROM sessions WHERE expires_at_ms <= ?", (now_ms,))
        self.endings += self._drop_oldest("sessions", address, SESSIONS_PER_ADDRESS - 1)
        self._connection.execute(
            "INSERT INTO sessions (token_hash, address, expires_at_ms) VALUES (?, ?, ?)",
            (_hash_token(token), address, now_ms + self._session_ms),
        )
        return Session(address, now_ms + self._session_ms, token)

    def _drop_oldest(self, table: str, address: str, kept: int) -> int:
        return self._connection.execute(
            f"DELETE FROM {table} WHERE id IN"  # noqa: S608 (the table's name is one of two literals)
            f" (SELECT id FROM {table} WHERE address = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
            (address, kept),
        ).rowcount

    def _get_wait_ms(self, now_ms: int) -> int:
        (first_expiry_ms,) = self._connection.execute("SELECT min(expires_at_ms) FROM sign_in_challenges").fetchone()
        return max(1, (first_expiry_ms or now_ms) - now_ms)


def _check_address(address: str) -> None:
    try:
        decode_address(address)
    except AddressError as error:
        raise SignInError("bad_address", f"not an address: {error}") from None


def _hash_token(token: str) -> bytes | None:
    return sha256(token.encode("ascii")).digest() if _TOKEN.fullmatch(token) else None


def _format_time(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
