"""The pure rooms stay pure: no floats, true division, clocks, randomness, I/O, or dependence on hash order."""

import ast
from collections.abc import Iterator, Set
from pathlib import Path

import pytest

from tests.tidy.sources import PACKAGE, files_of, imported_modules, name_of, parse

PURE_ROOMS = ("primitives", "coherence", "ledger")
FORBIDDEN_MODULES = {
    *("time", "datetime", "calendar", "random", "secrets", "os", "uuid", "asyncio", "socket", "sqlite3", "pathlib"),
    *("threading", "multiprocessing", "subprocess", "io", "tempfile", "shutil", "logging", "ssl", "select", "signal"),
    *("decimal", "fractions", "statistics", "numpy", "nacl"),
}
# Files that may import what the rooms may not, and why.
EXEMPT_MODULES = {
    "src/choir/primitives/lthash.py": {"numpy"},  # integer lanes that wrap modulo 2^16, no floats
    "src/choir/primitives/signatures.py": {"nacl"},  # the one verifier; its randomness only makes new keys
}
FORBIDDEN_CALLS = {"float", "complex", "hash", "id", "open", "input", "print", "eval", "exec", "globals", "vars"}


def impurities(tree: ast.AST, exempt: Set[str] = frozenset()) -> Iterator[str]:
    for line, module in imported_modules(tree, "choir"):
        if module.split(".")[0] in FORBIDDEN_MODULES - exempt:
            yield f"line {line}: imports {module}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"line {node.lineno}: float {node.value}"
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"line {node.lineno}: true division"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            yield f"line {node.lineno}: calls {node.func.id}()"


def unordered_iterations(tree: ast.AST) -> Iterator[str]:
    """Where the elements of a set are taken in the order of their hashes. Names are followed within a function."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for scope in [tree, *functions]:
        names = {name for node in ast.walk(scope) for name in _set_names(node)} if scope is not tree else set()
        for node in ast.walk(scope):
            for taken in _taken_in_order(node):
                if _is_set(taken, names):
                    yield f"line {taken.lineno}: takes a set in hash order: {ast.unparse(taken)}"


def _set_names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign) and _is_set(node.value, set()):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    annotated = node.annotation if isinstance(node, ast.AnnAssign | ast.arg) else None
    if annotated is not None and ast.unparse(annotated).split("[")[0] in ("set", "frozenset", "Set", "AbstractSet"):
        target = node.arg if isinstance(node, ast.arg) else getattr(node, "target", None)
        yield target.id if isinstance(target, ast.Name) else str(target)


def _taken_in_order(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.For | ast.comprehension):
        yield node.iter
    if isinstance(node, ast.Starred):
        yield node.value
    if isinstance(node, ast.Call):
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if called in ("list", "tuple", "iter", "enumerate", "join", "fromkeys", "extend", "chain", "zip", "map", "pop"):
            yield from node.args
            if called == "pop" and isinstance(node.func, ast.Attribute) and not node.args:
                yield node.func.value


def _is_set(node: ast.expr, names: set[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.BinOp):
        return _is_set(node.left, names) or _is_set(node.right, names) or _is_keys_view(node.left)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("set", "frozenset")


def _is_keys_view(node: ast.expr) -> bool:
    """``a.keys() - b`` is a set too."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "keys"


PURE_FILES = files_of(*[PACKAGE / room for room in PURE_ROOMS])


@pytest.mark.parametrize("path", PURE_FILES, ids=name_of)
def test_pure(path: Path) -> None:
    assert list(impurities(parse(path), EXEMPT_MODULES.get(name_of(path), set()))) == []


@pytest.mark.parametrize("path", PURE_FILES, ids=name_of)
def test_no_set_is_taken_in_hash_order(path: Path) -> None:
    assert list(unordered_iterations(parse(path))) == []


def test_randomness_is_used_for_new_keys_only() -> None:
    source = (PACKAGE / "primitives" / "signatures.py").read_text(encoding="utf-8")
    assert source.count("nacl.utils.random(") == 1
    assert "return cls(nacl.utils.random(SEED_BYTES))" in source


def test_exemptions_are_still_needed() -> None:
    for name, modules in EXEMPT_MODULES.items():
        path = PACKAGE.parents[1] / name
        found = {module.split(".")[0] for _, module in imported_modules(parse(path), "choir")}
        assert modules <= found, name


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("x = 1.5", 1),
        ("x = 1e3", 1),
        ("x = a / b", 1),
        ("x /= 2", 1),
        ("x = a // b", 0),
        ("x = float(y)", 1),
        ("x = hash(y) + id(z)", 2),
        ("import time, json", 1),
        ("from os import environ", 1),
        ("import os.path", 1),
        ("def f():\n    from datetime import datetime", 1),
        ("import nacl.bindings", 1),
        ("from math import isqrt", 0),
    ],
)
def test_the_checker_sees_impurity(source: str, count: int) -> None:
    assert len(list(impurities(ast.parse(source)))) == count


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("for x in {1, 2}: pass", 1),
        ("y = [x for x in set(a)]", 1),
        ("y = list(frozenset(a))", 1),
        ("y = ','.join({x for x in a})", 1),
        ("y = [*{1, 2}]", 1),
        ("for x in a.keys() - b: pass", 1),
        ("for x in sorted(set(a)): pass", 0),
        ("def f():\n    s = set(a)\n    return [x for x in s]", 1),
        ("def f(s: set[str]):\n    return tuple(s)", 1),
        ("def f():\n    s: set[str] = g()\n    return s.pop()", 1),
        ("def f():\n    s = set(a)\n    return sorted(s)", 0),
        ("if len(set(a)) != len(a): pass", 0),
        ("x = y in {1, 2}", 0),
    ],
)
def test_the_checker_sees_hash_order(source: str, count: int) -> None:
    assert len(set(unordered_iterations(ast.parse(source)))) == count
