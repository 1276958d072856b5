"""Run as a program: writes transactions as fast as it can and tells every acknowledged receipt on standard output.

Arguments: directory, first nonce round (0 for a new ledger). The test kills it at a random moment.
"""

import asyncio
import sys
from pathlib import Path

from choir.engine.embedded.engine import EmbeddedEngine
from choir.ledger.entities import ACCOUNTS
from choir.ledger.transactions import CreateThread, PostMessage, SubmitSpec, Transfer
from tests.support.chain import NODE, digest, key, make_genesis, sign

NAMES = [f"writer-{number}" for number in range(8)]


async def write_for_ever(engine: EmbeddedEngine, name: str) -> None:
    signer = key(name)
    with engine.read() as state:
        nonce = getattr(state.get(ACCOUNTS, signer.address), "nonce", 0)
    thread_id = digest(name)[:32]
    other = digest(NAMES[(NAMES.index(name) + 1) % len(NAMES)])[:32]
    while True:
        marker = digest(f"{name}-{nonce}")
        body = (
            CreateThread(thread_id=thread_id, privacy="public")
            if nonce == 0
            else Transfer(to=NODE.address, amount="7")
            if nonce % 3 == 0
            else SubmitSpec(thread_id=other, content_hash=marker, stake="100000000", priors=())
            if nonce % 3 == 1
            else PostMessage(thread_id=thread_id, content_hash=marker, priors=())
        )
        receipt = await (await engine.submit(sign(signer, body, nonce))).receipt
        sys.stdout.write(f"{receipt.tx_hash} {receipt.height} {receipt.code}\n")
        sys.stdout.flush()
        nonce += 1


async def main() -> None:
    engine = EmbeddedEngine(Path(sys.argv[1]), NODE, make_genesis(NAMES))
    await engine.start()
    sys.stdout.write("started\n")
    sys.stdout.flush()
    await asyncio.gather(*(write_for_ever(engine, name) for name in NAMES))


if __name__ == "__main__":
    asyncio.run(main())
