"""Help shows the flags that mean something, and no others."""

import pytest

from tests.cli.conftest import Choir


@pytest.mark.parametrize(
    "command", [("message", "post"), ("spec", "submit"), ("verify",), ("doctor",), ("import",)], ids=" ".join
)
def test_no_flag_undoes_what_was_never_given(choir: Choir, command: tuple[str, ...]) -> None:
    shown = choir(*command, "--help").out
    assert "--empty-" not in shown
    assert "--no-" not in shown
