"""Files and functions stay small enough to read in one sitting."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import PACKAGE, ROOT, files_of, name_of, parse

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 60
# What may be longer, and why: a file by its path, a function by path and name.
EXCEPTIONS: dict[str, str] = {}

ALL_FILES = files_of(PACKAGE, ROOT / "bench", ROOT / "tests")


def long_functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield node.name, lines


def length_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("path", ALL_FILES, ids=name_of)
def test_size(path: Path) -> None:
    name = name_of(path)
    assert length_of(path) <= MAX_FILE_LINES or name in EXCEPTIONS
    too_long = [f"{name}:{function}" for function, _ in long_functions(parse(path))]
    assert [function for function in too_long if function not in EXCEPTIONS] == []


def test_exceptions_are_still_needed() -> None:
    needed = {name_of(path) for path in ALL_FILES if length_of(path) > MAX_FILE_LINES}
    needed |= {f"{name_of(path)}:{function}" for path in ALL_FILES for function, _ in long_functions(parse(path))}
    assert set(EXCEPTIONS) <= needed


def test_the_checker_sees_a_long_function() -> None:
    source = "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES
    assert list(long_functions(ast.parse(source))) == [("f", MAX_FUNCTION_LINES + 1)]
    assert list(long_functions(ast.parse("def f():\n" + "    x = 1\n" * (MAX_FUNCTION_LINES - 1)))) == []
