"""What libraries log comes out in the node's own form, from warnings on."""

import json
import subprocess
import sys

from tests.support.node import ROOT
from tests.support.patience import PATIENCE_SECONDS

PROGRAM = """
import logging
from choir.node.logs import configure_logs

configure_logs("info")
logging.basicConfig(level=logging.INFO)  # as a library does when it is imported
library = logging.getLogger("some.library")
library.info("chatter")
library.warning("look at %s", "this")

def fail(text):
    salt = "pepper-" + text
    raise ValueError("broken")

try:
    fail("words of " + "a person")
except ValueError:
    library.exception("it failed")
"""


def test_libraries_log_in_the_same_form() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, timeout=PATIENCE_SECONDS, check=True
    )
    lines = [json.loads(line) for line in done.stderr.decode().splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("look at this", "warning"), ("it failed", "error")]
    assert lines[1]["exception"][0]["exc_value"] == "broken"
    assert "a person" not in done.stderr.decode()
    assert "pepper-words" not in done.stderr.decode()
