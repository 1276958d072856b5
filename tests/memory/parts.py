"""Hybrid search over the real embedder and indexes, in memory."""

import sqlite3
from collections.abc import Sequence

from choir.memory.embedders.wordllama import load_wordllama
from choir.memory.embedding import Embedder
from choir.memory.indexes.exact import ExactIndex
from choir.memory.keyword import KeywordEntry, KeywordIndex
from choir.memory.keyword_changes import KeywordChanges
from choir.memory.keyword_search import KeywordSearch
from choir.memory.search import HybridSearch
from choir.memory.vector_index import Point, SearchFilter

EVERYONE = SearchFilter()
MESSAGES = [
    ("fees", "A fee market for data blobs, priced apart from ordinary gas", "public"),
    ("fees", "Blob transactions carry commitments to data that the chain does not execute", "public"),
    ("tokens", "A standard interface for fungible tokens: transfer, approve, balance", "public"),
    ("tokens", "Non-fungible tokens are deeds: each has one owner", "premium"),
    ("votes", "Quadratic voting lets people express how much they care", "public"),
    ("secret", "The blob fee market will be changed next Tuesday", "thread"),
    ("votes", "Cooking pasta takes eleven minutes in salted water", "public"),
]


class Parts:
    def __init__(self) -> None:
        self.embedder: Embedder = load_wordllama()
        self.vectors = ExactIndex(256)
        self.connection = sqlite3.connect(":memory:", check_same_thread=False)
        changes = KeywordChanges()
        self.keywords = KeywordIndex(self.connection, b"k" * 32, changes)
        self.search = HybridSearch(self.embedder, self.vectors, KeywordSearch(self.connection, b"k" * 32, changes))

    async def fill(self, messages: Sequence[tuple[str, str, str]]) -> None:
        self.keywords.create_tables()
        embedded = await self.embedder.embed([text for _, text, _ in messages])
        for number, (thread_id, text, privacy) in enumerate(messages):
            await self.vectors.upsert([Point(number, embedded[number], thread_id, "a", number, privacy)])
            self.keywords.add([KeywordEntry(number, text, thread_id, "a", number, privacy)])
