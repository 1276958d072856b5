"""What the memory holds: which records, and whether their texts are those that were hashed.

For whoever checks the memory against the ledger. Its methods block on the file: call them on a thread.
"""

import sqlite3
from typing import NamedTuple

from choir.memory.database import Database
from choir.memory.sealing import SealingError
from choir.memory.text import TextError, content_hash
from choir.memory.vault import AtRest, Vault


class TextProblem(NamedTuple):
    """``kind`` is record_missing, text_missing, unreadable or hash_differs."""

    kind: str
    detail: str


class Holdings:
    """Looks at records without changing anything."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def between(self, first: str, last: str, *, before_ms: int, limit: int) -> list[str]:
        """The content hashes from ``first`` to ``last``, both included, of records that have their content and were
        created before ``before_ms``; in order, at most ``limit``. Erased ones have none. Cost: what is read."""
        rows = self._database.reader().execute(
            "SELECT content_hash FROM record WHERE content_hash BETWEEN ? AND ? AND seq IS NOT NULL AND NOT is_erased"
            " AND created_at_ms < ? AND (text IS NOT NULL OR sealed IS NOT NULL) ORDER BY content_hash LIMIT ?",
            (first, last, before_ms, limit),
        )
        return [row[0] for row in rows]

    def challenge(self, wanted: str, thread_id: str, author: str) -> TextProblem | None:
        """Read the text of a message of the ledger and hash it again; None where all is well."""
        reader = self._database.reader()
        try:
            row = reader.execute(
                "SELECT salt, text, sealed FROM record WHERE content_hash = ? AND seq IS NOT NULL", (wanted,)
            ).fetchone()
        except sqlite3.ProgrammingError:
            raise  # the memory was closed
        except sqlite3.DatabaseError as error:
            return TextProblem("unreadable", f"the file cannot be read: {error}")
        if row is None:
            return TextProblem("record_missing", "the memory does not know it")
        return find_text_problem(self._vault, reader, wanted, thread_id, author, AtRest(*row))


def find_text_problem(
    vault: Vault, connection: sqlite3.Connection, wanted: str, thread_id: str, author: str, at_rest: AtRest
) -> TextProblem | None:
    """Whether what a record's row holds is the text whose hash is ``wanted``."""
    try:
        content = vault.reveal(connection, thread_id, wanted, at_rest)
    except SealingError as error:
        return TextProblem("unreadable", f"the sealed text cannot be opened: {error}")
    if content is None:
        return TextProblem("text_missing", "the text is not here; only a backup has it")
    try:
        is_right = content_hash(author, *content, thread_id) == wanted
    except TextError:
        is_right = False
    return None if is_right else TextProblem("hash_differs", "the text is not the one that was hashed")
