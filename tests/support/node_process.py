"""A real node in a process of its own, for tests that speak to it over HTTP."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from choir.node.node import Node
from choir.node.server import serve
from choir.node.settings import Settings
from tests.support.patience import PATIENCE_SECONDS


@contextmanager
def running_node(data_dir: Path, log: Path) -> Iterator[str]:
    """Start a development chain's node on a free port; yields its URL, and stops it at the end."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.node_process", str(data_dir)],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("http"), log.read_text()
            yield url
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)
            if process.stdout is not None:
                process.stdout.close()


def _announce(_node: Node, url: str) -> None:
    print(url, flush=True)


if __name__ == "__main__":
    serve(Settings(port=0, data_dir=sys.argv[1], log_level="warning"), _announce)
