"""How content lies on disk: in clear, or sealed with its thread's key (design: memory, "Privacy").

Content of level ``thread`` is sealed at rest; every other level is stored as it came (``encrypted`` is sealed by its
author before it comes). A change of level moves it between the two forms.
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from choir.memory.privacy import Level
from choir.memory.sealing import ContentKey, ContentKeys, pack_content, unpack_content
from choir.primitives.signatures import SigningKey

_KEYS_KEPT: Final = 1024


class AtRest(NamedTuple):
    """What the record's row holds: either ``salt`` and ``text``, or ``sealed``."""

    salt: str | None
    text: str | None
    sealed: bytes | None


class Vault:
    """Seals and opens content with the keys that this node was given. Safe to use from several threads, each with its
    own connection."""

    def __init__(self, node_key: SigningKey) -> None:
        self._node_key = node_key
        self._keys: OrderedDict[str, ContentKey] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Make the table of keys, so that those who only read never have to."""
        ContentKeys(connection, self._node_key)

    def term_key(self) -> bytes:
        """32 bytes that only this node can derive: the key under which words are hashed in the keyword index."""
        return blake2b(digest_size=32, key=self._node_key.seed, person=b"choir-terms-v1").digest()

    def runs_key(self) -> bytes:
        """32 bytes that only this node can derive: the key under which kept runs of the chorus are sealed."""
        return blake2b(digest_size=32, key=self._node_key.seed, person=b"choir-runs-v1").digest()

    def protect(
        self, connection: sqlite3.Connection, thread_id: str, content_hash: str, salt: str, text: str, level: str
    ) -> AtRest:
        """The form in which content of ``level`` is stored; makes the thread's key when it is the first."""
        if level != Level.THREAD:
            return AtRest(salt, text, None)
        key = self._key(connection, thread_id, create=True)
        return AtRest(None, None, key.seal(content_hash, pack_content(salt, text)))

    def reveal(
        self, connection: sqlite3.Connection, thread_id: str, content_hash: str, at_rest: AtRest
    ) -> tuple[str, str] | None:
        """(salt, text), or None where the row holds no content. Raises ``SealingError`` for a damaged one."""
        if at_rest.sealed is not None:
            content = unpack_content(self._key(connection, thread_id).open(content_hash, at_rest.sealed))
            return content.salt, content.text
        if at_rest.salt is None or at_rest.text is None:
            return None
        return at_rest.salt, at_rest.text

    def seal_bytes(self, connection: sqlite3.Connection, thread_id: str, label: str, data: bytes) -> bytes:
        """Seal what is derived from sealed content (its embedding) under the same key."""
        return self._key(connection, thread_id, create=True).seal(label, data)

    def open_bytes(self, connection: sqlite3.Connection, thread_id: str, label: str, data: bytes) -> bytes:
        """The inverse of ``seal_bytes``. Raises ``SealingError``."""
        return self._key(connection, thread_id).open(label, data)

    def share(self, connection: sqlite3.Connection, thread_id: str, recipients: Iterable[str]) -> None:
        """Wrap the thread's key to ``recipients``, where there is a key."""
        keys = ContentKeys(connection, self._node_key)
        if keys.get_wrapped(thread_id, self._node_key.address) is not None:
            keys.share(thread_id, recipients)

    def wrapped_for(self, connection: sqlite3.Connection, thread_id: str, recipient: str) -> bytes | None:
        """The thread's key in a box that only ``recipient`` can open."""
        return ContentKeys(connection, self._node_key).get_wrapped(thread_id, recipient)

    def _key(self, connection: sqlite3.Connection, thread_id: str, *, create: bool = False) -> ContentKey:
        with self._lock:
            key = self._keys.get(thread_id)
            if key is not None:
                self._keys.move_to_end(thread_id)
                return key
        keys = ContentKeys(connection, self._node_key)
        key = keys.create(thread_id) if create else keys.get(thread_id)
        with self._lock:
            self._keys[thread_id] = key
            if len(self._keys) > _KEYS_KEPT:
                self._keys.popitem(last=False)
        return key
