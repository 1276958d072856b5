"""Replay recorded blocks and print what came of them: run as a program by the determinism test."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from choir.ledger.blocks import compute_results_hash
from choir.ledger.transactions import Erase, SubscribePremium, Transfer
from choir.primitives.hashing import sha256_hex
from tests.ledger.support import NAMES, Ledger, address, content, create, post, spec, vote

Recording = list[dict[str, Any]]


def record() -> Recording:
    """Blocks with many authors, citations and votes, so that any dependence on hash order would show."""
    ledger = Ledger()
    people = NAMES[:5]
    ledger.must(*[(name, SubscribePremium(periods=5)) for name in people], *[(name, create(name)) for name in people])
    ledger.must(*[(name, post(name, f"M-{name}-{n}")) for name in people for n in range(3)])
    ledger.run(*[(b, spec(a, f"S-{a}-{b}", f"M-{b}-0")) for a in people for b in people if a != b])
    ledger.run(("frank", vote("S-alice-bob")), *[(a, vote(f"S-{a}-{b}", b != "erin")) for a in people for b in people])
    ledger.run(*[(b, post(b, f"C-{b}", *[f"M-{a}-1" for a in people if a != b])) for b in people])
    ledger.apply([b"not json", *ledger.sign_all([("alice", Transfer(to=address("bob"), amount="0"))])])
    ledger.run(("frank", spec("alice", "late")), ("frank", spec("bob", "later")), at_ms=ledger.now_ms + 60_000)
    ledger.run(("alice", vote("late", approve=False)), ("bob", Erase(message_hash=content("C-bob"))))
    ledger.apply(at_ms=ledger.now_ms + 8 * 86_400_000)
    return [{"time_ms": block.time_ms, "raws": [raw.hex() for raw in block.raws]} for block in ledger.blocks]


def digest_of(blocks: Recording) -> dict[str, Any]:
    """App hash, hash of the receipts and of the events, block by block, and which names occurred."""
    ledger = Ledger()
    results: list[tuple[str, str, str]] = []
    names: set[str] = set()
    for block in blocks:
        result = ledger.apply([bytes.fromhex(raw) for raw in block["raws"]], at_ms=block["time_ms"])
        events = sha256_hex(msgspec.json.encode(result.events))
        results.append((ledger.state.app_hash, compute_results_hash(result.receipts), events))
        names |= {receipt.name for receipt in result.receipts} | {type(event).__name__ for event in result.events}
    digest: dict[str, Any] = json.loads(json.dumps({"blocks": results, "names": sorted(names)}))
    return digest


if __name__ == "__main__":
    print(json.dumps(digest_of(json.loads(Path(sys.argv[1]).read_text()))))
