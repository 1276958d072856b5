"""A node that notes when each event was committed: `python -m choir.bench.realtime_node DIRECTORY FILE`. It prints its
port, and when it is stopped, writes (sequence number, nanoseconds) after each other into the file."""

import sys
import time
from array import array
from pathlib import Path

from choir.engine.embedded import engine
from choir.engine.embedded.store import Store, StoredBlock
from choir.node.logs import configure_logs
from choir.node.node import Node
from choir.node.server import serve
from choir.node.settings import Settings

_committed = array("q")


class TimedStore(Store):
    """The store, and a note of the moment when a block was durable."""

    def commit_block(self, block: StoredBlock) -> None:
        super().commit_block(block)
        now_ns = time.monotonic_ns()
        for event in block.events:
            _committed.extend((event.seq, now_ns))


def main(directory: str, file: str) -> None:
    """Serve until SIGTERM."""
    engine.Store = TimedStore  # type: ignore[attr-defined]
    configure_logs("warning")
    serve(Settings(port=0, data_dir=directory), _announce)
    Path(file).write_bytes(_committed.tobytes())


def _announce(_node: Node, url: str) -> None:
    print(url.rpartition(":")[2], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:3])
