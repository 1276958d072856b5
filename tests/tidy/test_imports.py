"""Imports run downward only, as the architecture page draws them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import PACKAGE, ROOT, files_of, imported_modules, name_of, parse

BELOW_NODE = {"primitives", "coherence", "ledger", "memory", "chorus", "engine", "mesh", "api"}
# Which rooms a room may import, besides itself. Siblings that need each other declare a Protocol; node passes parts in.
ALLOWED: dict[str, set[str]] = {
    "primitives": set(),
    "coherence": {"primitives"},
    "ledger": {"primitives", "coherence"},
    "memory": {"primitives"},
    "chorus": {"primitives"},
    "engine": {"primitives", "ledger"},
    "mesh": {"primitives", "memory"},
    "api": {"primitives", "coherence", "engine", "ledger", "memory", "chorus"},
    # The wire form of transactions, receipts, proofs and errors is the ledger's, that of epochs is coherence's.
    "client": {"primitives", "coherence", "ledger"},
    "node": BELOW_NODE,
    "cli": BELOW_NODE | {"client", "node", "bench"},
    "bench": BELOW_NODE | {"client", "node"},
}


def room_of(path: Path) -> str:
    if path.is_relative_to(PACKAGE):
        return path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "bench"


def violations(tree: ast.AST, room: str, package: str) -> Iterator[str]:
    for line, module in imported_modules(tree, package):
        parts = module.split(".")
        if parts[0] != "choir" or len(parts) < 2 or parts[1] == "__version__":
            continue
        if parts[1] not in ALLOWED:
            yield f"line {line}: {module} is in no known room"
        elif parts[1] != room and parts[1] not in ALLOWED[room]:
            yield f"line {line}: {room} may not import {module}"


def package_of(path: Path) -> str:
    if not path.is_relative_to(PACKAGE):
        return "bench"
    return ".".join(["choir", *path.relative_to(PACKAGE).parts[:-1]])


@pytest.mark.parametrize("path", files_of(PACKAGE, ROOT / "bench"), ids=name_of)
def test_imports_run_downward(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        assert not [m for _, m in imported_modules(parse(path), "choir") if m.startswith("choir.")]
        return
    assert room in ALLOWED, f"{name_of(path)}: add the room to the architecture page and to this table"
    assert list(violations(parse(path), room, package_of(path))) == []


def test_the_table_has_no_cycle() -> None:
    def reach(room: str, seen: tuple[str, ...]) -> None:
        assert room not in seen, f"{room} imports itself through {seen}"
        for below in ALLOWED[room]:
            reach(below, (*seen, room))

    for room in ALLOWED:
        reach(room, ())


@pytest.mark.parametrize(
    ("source", "room", "package", "count"),
    [
        ("from choir.ledger.state import State", "memory", "choir.memory", 1),
        ("import choir.memory.text", "ledger", "choir.ledger", 1),
        ("from choir import engine", "ledger", "choir.ledger", 1),
        ("from ..memory import text", "ledger", "choir.ledger", 1),
        ("from .. import node", "api", "choir.api.routes", 0),
        ("from ... import node", "api", "choir.api.routes", 1),
        ("def f():\n    from choir.node import main", "api", "choir.api", 1),
        ("from choir.cellar import wine", "node", "choir.node", 1),
        ("from choir.ledger import state\nimport json", "api", "choir.api", 0),
        ("from . import state", "ledger", "choir.ledger", 0),
    ],
)
def test_the_checker_sees(source: str, room: str, package: str, count: int) -> None:
    assert len(list(violations(ast.parse(source), room, package))) == count
