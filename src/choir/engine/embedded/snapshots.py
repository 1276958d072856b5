"""Snapshots of an embedded ledger: out of a file that may be in use, and into a new one."""

import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from choir.engine.embedded.recovery import HeadFile
from choir.engine.embedded.store import Store
from choir.engine.protocol import EngineError
from choir.ledger.blocks import header_hash
from choir.ledger.genesis import Genesis
from choir.ledger.snapshot import SnapshotHead, restore_snapshot, take_snapshot


def read_snapshot(path: Path) -> tuple[SnapshotHead, list[bytes]]:
    """A snapshot of the ledger at ``path`` (a ledger.db): its head and lines. Raises ``EngineError`` when damaged."""
    store = Store(path)
    try:
        with store.frozen():
            store.check_format()
            state, head = store.load_state(), store.head()
            return take_snapshot(state, store.genesis(), head.signed_header, store.last_seq())
    except sqlite3.DatabaseError as error:
        raise EngineError(f"{path} is damaged ({error}): restore the data directory from a backup") from error
    finally:
        store.close()


def write_snapshot(
    directory: Path, lines: Iterable[bytes], keep_genesis: Callable[[Genesis], None] = lambda _genesis: None
) -> SnapshotHead:
    """Begin a ledger in ``directory`` from a snapshot, wholly or not at all; ``keep_genesis`` is called just before it
    is there. Raises ``SnapshotError`` for a bad one, ``EngineError`` where a ledger exists already."""
    path = directory / "ledger.db"
    if path.exists():
        raise EngineError(f"{path} exists: a snapshot is restored into an empty data directory")
    head, state = restore_snapshot(lines)
    signed_header = head.header
    unfinished = directory / "ledger.db.restoring"
    for left in directory.glob(f"{unfinished.name}*"):
        left.unlink()
    store = Store(unfinished, is_writer=True)
    try:
        block_hash = "" if signed_header is None else header_hash(signed_header.header)
        store.initialise(head.genesis, state, signed_header, block_hash, last_seq=head.last_seq)
    finally:
        store.close()
    keep_genesis(head.genesis)
    head_file = HeadFile(directory / "ledger.head")
    head_file.write(state.chain.height, is_stopped=True)
    head_file.close()
    os.replace(unfinished, path)
    _sync_directory(directory)
    return head


def _sync_directory(directory: Path) -> None:
    """Have the names in it survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
