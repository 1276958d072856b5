"""What the node is measured against: a bare server of the `websockets` library and its `broadcast`, in a process of its
own.

`python -m choir.bench.realtime_broadcast TEXTS FILE` prints its port. For each line of standard input, how many texts
to broadcast and the pause between two in seconds, it does so and prints the number of the last; the numbers go on from
line to line. At the end it writes (number, nanoseconds) of each broadcast into the file.
"""

import asyncio
import re
import sys
import time
from array import array
from pathlib import Path

import msgspec
import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

_SEQ = re.compile(r'"seq":(\d+),"thread_id"')
# As the node compresses (choir.api.live): each message by itself, with a window of 4 KiB.
_DEFLATE = ServerPerMessageDeflateFactory(
    server_no_context_takeover=True,
    client_no_context_takeover=True,
    server_max_window_bits=12,
    compress_settings={"memLevel": 5},
)


async def run(texts: list[str]) -> bytes:
    """Broadcast when told, until standard input ends. Returns numbers and times."""
    connections: set[ServerConnection] = set()

    async def keep(connection: ServerConnection) -> None:
        connections.add(connection)
        await connection.wait_closed()

    sent, loop = array("q"), asyncio.get_running_loop()
    async with serve(keep, "127.0.0.1", 0, extensions=[_DEFLATE], compression=None, ping_interval=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        number = 0
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            count, pause_seconds = line.split()
            due = loop.time()
            for text in texts[: int(count)]:
                number += 1
                numbered = _SEQ.sub(f'"seq":{number},"thread_id"', text)
                sent.extend((number, time.monotonic_ns()))
                broadcast(connections, numbered)
                due += float(pause_seconds)
                await asyncio.sleep(max(0.0, due - loop.time()))
            print(number, flush=True)
    return sent.tobytes()


def main(texts_file: str, file: str) -> None:
    texts = msgspec.json.decode(Path(texts_file).read_bytes(), type=list[str])
    Path(file).write_bytes(uvloop.run(run(texts)))


if __name__ == "__main__":
    main(*sys.argv[1:3])
