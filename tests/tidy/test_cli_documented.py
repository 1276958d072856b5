"""Every command and option of the `choir` program is in its reference page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cyclopts import App

from choir.cli.errors import ExitCode
from choir.cli.main import build_app

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def _walk(app: App, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], App]]:
    """Every command below ``app`` that runs something, with the words that name it."""
    names = [name for name in app if not name.startswith("-")]
    for name in names:
        yield from _walk(app[name], (*path, name))
    if not names:
        yield path, app


COMMANDS = list(_walk(build_app(), ("choir",)))


@pytest.mark.parametrize(("path", "app"), COMMANDS, ids=[" ".join(path) for path, _ in COMMANDS])
def test_every_command_is_documented_with_its_options(path: tuple[str, ...], app: App) -> None:
    text = PAGE.read_text("utf-8")
    entries = [part for part in text.split("`") if part == " ".join(path) or part.startswith(" ".join(path) + " ")]
    assert entries, f"{' '.join(path)} is missing in {PAGE.name}"
    for argument in app.assemble_argument_collection():
        options = [name for name in argument.names if name.startswith("-")]
        if argument.parse and options:
            assert any(option in text for option in options), f"{options} of {' '.join(path)} are not in {PAGE.name}"


def test_every_exit_code_is_documented() -> None:
    text = PAGE.read_text("utf-8")
    for code in ExitCode:
        assert f"| {code.value} |" in text


def test_every_global_option_is_documented() -> None:
    text = PAGE.read_text("utf-8")
    for argument in build_app().meta.assemble_argument_collection():
        for name in argument.names:
            if name.startswith("--"):
                assert name in text
