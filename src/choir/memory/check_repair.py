"""Mending what a check of the memory found, from the ledger and the texts. No text is ever touched, but for its form:
sealed where it must be, gone where it was erased."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from choir.memory.check_embeddings import EmbeddingCheck
from choir.memory.check_keywords import rebuild_keywords
from choir.memory.database import Database
from choir.memory.indexing import KEYWORDS, VECTORS
from choir.memory.keyword import KeywordEntry
from choir.memory.privacy import Level
from choir.memory.projection import FACTS, Projection
from choir.memory.replay import TABLES, Replay, missing_rows, surplus_rows
from choir.memory.sealing import SealingError
from choir.memory.summary import summarise_limited
from choir.memory.vault import AtRest, Vault

_BATCH: Final = 500
_INDEXED_ANEW: Final = ("facts_differ", "not_sealed", "still_found")
_SEARCHABLE: Final = "status = 'approved' AND privacy <> 'encrypted' AND NOT is_erased AND seq IS NOT NULL"


class Repair:
    """Writes to ``memory.db`` in ``directory`` while ``reader``, with the replay attached, reads it."""

    def __init__(
        self, directory: Path, vault: Vault, reader: sqlite3.Connection, replay: Replay, embeddings: EmbeddingCheck
    ) -> None:
        self._directory = directory
        self._vault = vault
        self._reader = reader
        self._replay = replay
        self._embeddings = embeddings

    def run(self, first_seq: int, *, has_wrong_keywords: bool) -> None:
        """Mend the records, then what is derived from them. Raises ``MemoryUnusable`` and ``sqlite3.Error``."""
        database = Database(self._directory / "memory.db")
        try:
            for content_hash in self._replay.marked("not_embedded", *_INDEXED_ANEW):
                self._forget_embedding(database, content_hash)
            for content_hash in self._replay.marked(*_INDEXED_ANEW):
                self._correct(database, content_hash)
            for content_hash in self._replay.marked("summary_differs"):
                self._summarise(database, content_hash)
            for table in TABLES:
                self._align(database, table, first_seq)
            if has_wrong_keywords:
                database.write(self._rebuild_keywords, is_durable=True)
            database.write(self._mend_centroids, is_durable=True)
        finally:
            database.close()
        # Its points were not compared: without this mark it is filled anew when it is opened.
        (self._directory / "vectors" / "clean").unlink(missing_ok=True)

    def _forget_embedding(self, database: Database, content_hash: str) -> None:
        """What cannot be read cannot be taken out of the centroid either, which is made anew in the end."""
        statement = "UPDATE record SET embedding = NULL, embedder = NULL, to_index = ? WHERE content_hash = ?"
        database.write(lambda db: db.execute(statement, (VECTORS, content_hash)), is_durable=False)

    def _correct(self, database: Database, content_hash: str) -> None:
        known = self._reader.execute(
            "SELECT thread_id, author, status, privacy, priors, is_erased, created_at_ms FROM fresh.ledger_message"
            " WHERE content_hash = ?",
            (content_hash,),
        ).fetchone()
        replayed = self._reader.execute(
            f"SELECT {', '.join(FACTS)} FROM fresh.record WHERE content_hash = ?",  # noqa: S608  names are ours
            (content_hash,),
        ).fetchone()
        # Of a message from before a restored snapshot, only the ledger's state tells.
        facts = dict(known) if replayed is None else dict(replayed)
        Projection(database, self._vault).correct(content_hash, facts)

    def _summarise(self, database: Database, content_hash: str) -> None:
        row = self._reader.execute("SELECT * FROM main.record WHERE content_hash = ?", (content_hash,)).fetchone()
        text = self._text_of(row)
        may_be_found = text is not None and row["status"] == "approved" and row["privacy"] == Level.PREMIUM
        summary = summarise_limited(text) if text is not None and may_be_found else None
        characters = row["characters"] if text is None else len(text)
        statement = "UPDATE record SET summary = ?, characters = ? WHERE content_hash = ?"
        database.write(lambda db: db.execute(statement, (summary, characters, content_hash)), is_durable=False)

    def _align(self, database: Database, table: str, first_seq: int) -> None:
        """Bring a projection to what the replay has, row by row: what was measured of the others stays."""
        columns = TABLES[table]
        surplus = (tuple(row) for row in self._reader.execute(surplus_rows(table), (first_seq,)))
        missing = (tuple(row) for row in self._reader.execute(missing_rows(table)))
        same = " AND ".join(f"{column} = ?" for column in columns)
        marks = ", ".join("?" * len(columns))

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(f"DELETE FROM {table} WHERE {same}", surplus)  # noqa: S608  names are ours
            for row in missing:
                connection.execute(
                    f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608
                    row,
                )
                if table == "citation":  # to be measured anew
                    connection.execute(
                        "UPDATE record SET to_index = ? WHERE content_hash = ? AND status = 'approved'"
                        " AND to_index <> ?",
                        (VECTORS, row[-1], KEYWORDS),
                    )

        database.write(write, is_durable=True)

    def _mend_centroids(self, connection: sqlite3.Connection) -> None:
        for centroid in self._embeddings.wrong_centroids(self._reader):
            self._embeddings.put_centroid(connection, centroid)

    def _rebuild_keywords(self, connection: sqlite3.Connection) -> None:
        rebuild_keywords(connection, self._vault.term_key(), self._keyword_entries())

    def _keyword_entries(self) -> Iterator[list[KeywordEntry]]:
        """What the keyword index should hold, but for what the node will add to it."""
        rows = self._reader.execute(
            f"SELECT * FROM main.record WHERE {_SEARCHABLE} AND to_index <> ? ORDER BY id",  # noqa: S608  ours
            (KEYWORDS,),
        )
        while batch := rows.fetchmany(_BATCH):
            texts = [(row, self._text_of(row)) for row in batch]
            yield [
                KeywordEntry(row["id"], text, row["thread_id"], row["author"], row["created_at_ms"], row["privacy"])
                for row, text in texts
                if text is not None
            ]

    def _text_of(self, row: sqlite3.Row) -> str | None:
        try:
            at_rest = AtRest(row["salt"], row["text"], row["sealed"])
            content = self._vault.reveal(self._reader, row["thread_id"], row["content_hash"], at_rest)
        except SealingError:
            return None  # the check has told it; only a backup has the text
        return None if content is None else content[1]
