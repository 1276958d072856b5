"""The ledger's messages and events, handed to the memory's own check: the two rooms do not know each other."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from choir.engine.embedded.store import Store
from choir.engine.protocol import SequencedEvent
from choir.ledger.entities import MESSAGES, Message
from choir.memory.check import LedgerCopy, MemoryCheck, MemoryReport
from choir.memory.check_embeddings import EmbedderFacts
from choir.memory.embedders import load_embedder
from choir.memory.embedding import identity
from choir.memory.replay import LedgerMessage
from choir.node.data_dir import DataDir

_BATCH: Final = 500


def check_memory(
    directory: DataDir, embedder: str, report: Callable[[int, int], None], *, repair: bool
) -> MemoryReport:
    """Check the memory of a stopped node against its ledger; with ``repair``, mend what can be mended.
    ``report(done, total)`` tells how far it is. Raises ``DataDirError``, ``EngineError``, ``EmbeddingError``,
    ``MemoryUnusable`` and ``sqlite3.Error``."""
    key = directory.kept_node_key()
    facts = asyncio.run(_ask_embedder(embedder))
    store = Store(directory.path / "ledger.db")
    try:
        first_seq = store.first_seq()
        ledger = LedgerCopy(_messages(store), _events(store, first_seq), first_seq, store.last_seq())
        with MemoryCheck(directory.path, key, facts) as check:
            found = check.run(ledger, report)
            if repair:
                check.repair(first_seq)
                return replace(found, repaired=found.repairable)
            return found
    finally:
        store.close()


def _messages(store: Store) -> Iterator[LedgerMessage]:
    first, last = MESSAGES.prefix, MESSAGES.prefix + "~"
    while batch := store.entries(first, last, _BATCH):
        for key, message in batch:
            assert isinstance(message, Message)
            yield LedgerMessage(
                content_hash=key.removeprefix(MESSAGES.prefix),
                thread_id=message.thread_id,
                author=message.author,
                status=message.status,
                privacy=message.privacy,
                priors=message.priors,
                is_erased=message.is_erased,
                created_at_ms=message.created_at_ms,
            )
        first = batch[-1][0] + "\0"


def _events(store: Store, after_seq: int) -> Iterator[Sequence[SequencedEvent]]:
    while batch := store.events(after_seq, _BATCH):
        yield batch
        after_seq = batch[-1].seq


async def _ask_embedder(name: str) -> EmbedderFacts:
    loaded = await load_embedder(name)
    try:
        return EmbedderFacts(identity(loaded), loaded.dimensions)
    finally:
        await loaded.aclose()
