"""Help shows the flags that mean something, and no others."""

import pytest

from tests.cli.conftest import Choir


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("up", "The first start makes a development chain"),
        ("doctor", "Changes nothing without --repair"),
        ("import", "The first author creates the thread"),
        ("verify", "Somebody must be trusted"),
    ],
)
def test_a_command_explains_itself_in_full_and_the_list_in_short(choir: Choir, command: str, told: str) -> None:
    assert told in " ".join(choir(command, "--help").out.split())
    assert told not in " ".join(choir("--help").out.split())


@pytest.mark.parametrize(
    "command", [("message", "post"), ("spec", "submit"), ("verify",), ("doctor",), ("import",)], ids=" ".join
)
def test_no_flag_undoes_what_was_never_given(choir: Choir, command: tuple[str, ...]) -> None:
    shown = choir(*command, "--help").out
    assert "--empty-" not in shown
    assert "--no-" not in shown
