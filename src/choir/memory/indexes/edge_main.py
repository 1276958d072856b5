"""The index process: `python -m choir.memory.indexes.edge_main SOCKET_FDS DIRECTORY DIMENSIONS`."""

import sys
from pathlib import Path

from choir.memory.child_process import serve
from choir.memory.indexes.edge_shard import Shard
from choir.memory.indexes.edge_wire import Done, Failed, Reply, encoder, request_decoder


def main() -> None:
    descriptors, directory, dimensions = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    shard = Shard(directory, dimensions)
    serve(descriptors, lambda: (encoder.encode(Done()), lambda request: encoder.encode(_answer(shard, request))))
    shard.close()


def _answer(shard: Shard, request: bytes) -> Reply:
    try:
        return shard.answer(request_decoder.decode(request))
    except Exception as error:  # the engine's own error types are not public; the node logs what it says
        return Failed(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
