"""Every error that a run can tell is documented, and nothing else is."""

import re
from pathlib import Path

from choir.chorus import errors

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "chorus.md").read_text("utf-8")
# What other errors have in common; no run ends with it.
GROUPS = {"ChorusError", "ModelError"}


def test_every_error_is_documented() -> None:
    named = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.ChorusError) and name not in GROUPS
    }
    section = REFERENCE[REFERENCE.index("What `error` of") :].split("\n\n")[1]
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == named
