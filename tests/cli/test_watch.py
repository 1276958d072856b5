"""`choir watch`, as a program of its own beside a node."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from choir.cli.errors import ExitCode
from tests.cli.conftest import Choir
from tests.support.patience import PATIENCE_SECONDS


@contextmanager
def watching(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "choir.cli.main", "watch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ.copy(),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def documents(process: "subprocess.Popen[str]") -> Iterator[Any]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


@pytest.fixture
def thread_id(online: Choir) -> str:
    assert online("key", "new", "alice").code == 0
    assert online("faucet", "alice").code == 0
    return str(online("thread", "create", "# Herons", "--as", "alice").out.strip())


def test_what_happens_is_printed_until_it_is_interrupted(online: Choir, thread_id: str) -> None:
    with watching(thread_id, "--account", "--as", "alice", "--json") as process:
        lines = documents(process)
        begun = [next(lines) for _ in range(3)]
        assert [line["type"] for line in begun] == ["connection", "thread_sync", "account_sync"]
        assert begun[1]["thread"]["messages"]["items"][0]["text"] == "# Herons"
        assert online("message", "post", thread_id, "They wait.", "--as", "alice").code == 0
        news = {line["type"]: line for line in (next(lines), next(lines))}
        assert news["new_message"]["message"]["text"] == "They wait."
        assert news["account_update"]["event"]["type"] == "message_posted"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == ExitCode.INTERRUPTED
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_people_read_lines(online: Choir, thread_id: str) -> None:
    with watching(thread_id) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "– live\n"
        assert process.stdout.readline().startswith(f"{thread_id}: Herons (1 messages, 0 open specs")
        assert process.stdout.readline().rstrip().endswith("Herons")
        assert online("message", "post", thread_id, "They wait.", "--as", "alice").code == 0
        assert process.stdout.readline() == f"{thread_id}: new message\n"
        assert process.stdout.readline().rstrip().endswith("They wait.")


def test_a_thread_that_is_not_there_is_refused(online: Choir) -> None:
    ran = online("watch", "0" * 32)
    assert ran.code == ExitCode.REFUSED
    assert "NotFound" in ran.err


def test_what_makes_no_sense_is_refused(choir: Choir) -> None:
    assert choir("watch").code == ExitCode.USAGE
    assert choir("watch", "--account").code == ExitCode.USAGE
    assert choir("watch", "0" * 32).code == ExitCode.NODE_UNREACHABLE
