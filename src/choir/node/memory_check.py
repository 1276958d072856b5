"""The ledger's messages, handed to the memory's own check: the two rooms do not know each other."""

import asyncio
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from choir.engine.embedded.store import Store
from choir.ledger.entities import MESSAGES
from choir.memory.check import LedgerMessage, MemoryCheck, MemoryReport
from choir.memory.embedders import load_embedder
from choir.node.data_dir import DataDir


def check_memory(
    directory: DataDir, embedder: str, report: Callable[[int, int], None], *, repair: bool
) -> MemoryReport:
    """Check every message of the ledger against the memory of a stopped node; with ``repair``, mend what can be mended.
    ``report(done, total)`` tells how far it is. Raises ``DataDirError``, ``EngineError``, ``EmbeddingError``,
    ``MemoryUnusable`` and ``sqlite3.Error``."""
    messages, last_seq = _read_ledger(directory)
    check = MemoryCheck(directory.path, directory.kept_node_key(), asyncio.run(_name_embedder(embedder)))
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        report(done, len(messages))

    found = check.run(messages, last_seq, count)
    return replace(found, repaired=check.repair()) if repair else found


def _read_ledger(directory: DataDir) -> tuple[list[LedgerMessage], int]:
    store = Store(directory.path / "ledger.db")
    try:
        return list(_messages(store)), store.last_seq()
    finally:
        store.close()


def _messages(store: Store) -> Iterator[LedgerMessage]:
    for key, value in store.load_state().items():
        if key.startswith(MESSAGES.prefix):
            message = MESSAGES.decoder.decode(value)
            yield LedgerMessage(
                content_hash=key.removeprefix(MESSAGES.prefix),
                thread_id=message.thread_id,
                author=message.author,
                status=message.status,
                privacy=message.privacy,
                is_erased=message.is_erased,
            )


async def _name_embedder(name: str) -> str:
    loaded = await load_embedder(name)
    try:
        return f"{loaded.name}@{loaded.version}"
    finally:
        await loaded.aclose()
