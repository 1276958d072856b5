"""The index process: `python -m choir.memory.indexes.edge_main SOCKET_FD DIRECTORY DIMENSIONS`.

Answers requests one after the other until the node closes its end of the socket.
"""

import signal
import socket
import sys
from pathlib import Path

from choir.memory.indexes.edge_shard import Shard
from choir.memory.indexes.edge_wire import LENGTH, Done, Failed, Reply, Request, frame, request_decoder


def main() -> None:
    descriptor, directory, dimensions = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C stops the node, which then closes the socket
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rb") as incoming:
        shard = Shard(directory, dimensions)
        connection.sendall(frame(Done()))
        while header := incoming.read(LENGTH.size):
            body = incoming.read(LENGTH.unpack(header)[0])
            connection.sendall(frame(_answer(shard, request_decoder.decode(body))))
        shard.close()


def _answer(shard: Shard, request: Request) -> Reply:
    try:
        return shard.answer(request)
    except Exception as error:  # the engine's own error types are not public; the node logs what it says
        return Failed(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
