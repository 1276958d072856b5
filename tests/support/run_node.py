"""Run as a program: one node with the settings given as JSON; prints its address once it accepts requests.

With ``CHOIR_TEST_CLOCK_FILE`` the ledger's clock is ahead of the machine's by as many milliseconds as the file says.
"""

import json
import os
import sys
from pathlib import Path

from choir.engine.embedded.writer import wall_clock_ms
from choir.node.logs import configure_logs
from choir.node.node import Node
from choir.node.server import serve
from choir.node.settings import Settings


def main() -> None:
    settings = Settings(**json.loads(sys.argv[1]))
    configure_logs(settings.log_level)
    serve(settings, _announce)


def _announce(node: Node, url: str) -> None:
    clock_file = os.environ.get("CHOIR_TEST_CLOCK_FILE")
    if clock_file:
        path = Path(clock_file)
        node.engine._writer._clock_ms = lambda: wall_clock_ms() + int(path.read_text() or 0)
    print(url, flush=True)


if __name__ == "__main__":
    main()
