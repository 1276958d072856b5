"""Run as a program: one node with the settings given as JSON; prints its address once it accepts requests."""

import json
import sys

from choir.node.logs import configure_logs
from choir.node.server import serve
from choir.node.settings import Settings


def main() -> None:
    settings = Settings(**json.loads(sys.argv[1]))
    configure_logs(settings.log_level)
    serve(settings, lambda _node, url: print(url, flush=True))


if __name__ == "__main__":
    main()
