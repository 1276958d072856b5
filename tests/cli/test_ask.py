"""Asking the chorus from the command line, and keeping what it answered: against a real node."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Choir, Ran, hits_of

TEXT = "# Lichens\n\nLichens etch granite slowly, about a millimetre in a century."
QUESTION = "How fast do lichens etch granite?"


@pytest.fixture
def thread(online: Choir) -> str:
    """Alice's thread with one message that search finds."""
    online("key", "new", "alice")
    created = online("thread", "create", TEXT, "--as", "alice").out.strip()
    hits_of(online, "lichens etch", "--thread", created)
    return created


def text_of(choir: Choir, message: str) -> str:
    """The tests share a node, so that another test's thread may say the same."""
    found: str = choir("message", "show", message, "--json").document["text"]
    return found


def cited_in(run: dict[str, Any]) -> list[str]:
    """The messages that an answer cites, each once."""
    return list(dict.fromkeys(citation["content_hash"] for citation in run["citations"]))


def asked(choir: Choir, *arguments: str) -> dict[str, Any]:
    run: dict[str, Any] = choir("ask", QUESTION, *arguments, "--json").document
    return run


def test_asking_shows_steps_priors_and_an_answer_that_can_be_checked(online: Choir, thread: str) -> None:
    ran = online("ask", QUESTION, "--thread", thread)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    steps = [line.split()[1] for line in lines if line[1:3] == "/6"]
    assert steps[:5] == ["action", "experience", "intention", "observation", "update"]
    assert steps[-1] == "yield"
    assert any(line.startswith("found ") for line in lines)
    assert any("p1  Lichens" in line and "resonance" in line for line in lines)
    assert "“Lichens etch granite slowly, about a millimetre in a century.” [1]" in ran.out
    assert "by " in ran.out
    assert "choir thread show " in ran.out
    assert "no language model" in ran.out
    (prove,) = [line for line in lines if "choir message proof" in line][:1]
    assert "choir verify proof.json" in prove
    assert text_of(online, prove.split("choir message proof ")[1].split()[0]) == TEXT


def test_one_document_is_the_finished_run(online: Choir, thread: str) -> None:
    run = asked(online, "--thread", thread)
    assert (run["status"], run["prompt"], run["thread_id"]) == ("finished", QUESTION, thread)
    assert run["events"][-1]["type"] == "run_finished"
    assert text_of(online, run["citations"][0]["content_hash"]) == TEXT
    assert online("runs", "show", run["run_id"], "--json").document == run


def test_a_question_on_standard_input(online: Choir, thread: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(QUESTION.encode())))
    assert online("ask", "-", "--json").document["prompt"] == QUESTION


def test_runs_are_listed_shown_and_deleted(online: Choir, thread: str) -> None:
    runs = [asked(online)["run_id"] for _ in range(3)]
    listed = online("runs", "list", "--limit", "2")
    assert runs[2] in listed.out
    assert runs[1] in listed.out
    assert runs[0] not in listed.out
    cursor = listed.out.split("more: --cursor ")[1].strip()
    assert runs[0] in online("runs", "list", "--cursor", cursor).out
    shown = online("runs", "show", runs[0]).out
    assert QUESTION in shown
    assert "etch granite slowly" in shown
    assert "is finished" in online("runs", "cancel", runs[0]).out, "it had ended"
    assert online("runs", "delete", runs[0]).out == f"deleted {runs[0]}\n"
    gone = online("runs", "show", runs[0])
    assert (gone.code, gone.out) == (1, "")
    assert "NotFound" in gone.err
    assert "NotFound" in online("runs", "delete", runs[0]).err


def test_an_answer_is_kept_as_a_message_with_its_priors(online: Choir, thread: str) -> None:
    run = asked(online)
    posted = online("runs", "post", run["run_id"], thread, "--as", "alice").out.strip()
    message = online("message", "show", posted, "--json").document
    assert message["priors"] == cited_in(run)
    assert message["text"].startswith(f"Question: {QUESTION}\n\n")
    assert "[1]" in message["text"]
    assert "[p1]" not in message["text"]
    assert f"[1] {message['priors'][0]}" in message["text"]
    assert f"cites {message['priors'][0]}" in online("message", "citations", posted).out


def test_an_answer_is_kept_as_a_spec(online: Choir, thread: str) -> None:
    online("key", "new", "bob")
    online("faucet", "bob")
    run = asked(online, "--as", "bob")
    spec = online("runs", "submit", run["run_id"], thread, "--stake", "120", "--as", "bob").out.strip()
    (listed,) = online("spec", "list", "--thread", thread, "--json").document["items"]
    assert (listed["spec_id"], listed["stake"]) == (spec, "120000000")
    assert listed["priors"] == cited_in(run)


def test_runs_belong_to_one_key(online: Choir, thread: str) -> None:
    run = asked(online)["run_id"]
    online("key", "new", "bob")
    without = online("ask", QUESTION)
    assert (without.code, without.out) == (2, "")
    assert "--as NAME" in without.err
    assert "NotFound" in online("runs", "show", run, "--as", "bob").err
    assert "No runs." in online("runs", "list", "--as", "bob").out
    assert run in online("runs", "list", "--as", "alice").out
    assert "NotFound" in online("runs", "post", run, thread, "--as", "bob").err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["ask", " "], 1, "QueryInvalid"),
        (["ask", "x" * 8193], 1, "InvalidField"),
        (["ask", "x", "--thread", "nonsense"], 1, "InvalidRequest"),
        (["ask", "x", "--thread", "ab" * 16], 1, "NotFound"),
        (["ask", "x", "--as", "nobody"], 4, "choir key new"),
        (["runs", "show", "ab" * 16], 1, "NotFound"),
        (["runs", "cancel", "ab" * 16], 1, "NotFound"),
        (["runs", "submit", "ab" * 16, "ab" * 16, "--as", "alice", "--stake", "x"], 2, "x"),
        (["session", "end"], 2, "CHOIR_SESSION_TOKEN"),
        (["draft", "send", "{}", "--as", "alice"], 2, "no draft"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_what_is_refused(online: Choir, arguments: list[str], code: int, said: str) -> None:
    online("key", "new", "alice")
    ran = online(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err


def test_without_a_node(choir: Choir) -> None:
    choir("key", "new", "alice")
    assert choir("ask", QUESTION).code == 3


def test_a_session_reads_and_asks_but_cannot_sign(online: Choir, thread: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = online("session", "open", "--as", "alice")
    token = opened.out.strip()
    assert "choir session end" in opened.err
    monkeypatch.setenv("CHOIR_SESSION_TOKEN", token)
    assert online("session", "end").out == "ended\n"
    assert online("session", "end").out == "it had ended before\n"


def test_a_draft_is_sent_as_it_was_shown(online: Choir, thread: str) -> None:
    address = online("key", "show", "alice", "--json").document["address"]
    draft = make_draft(address, thread, "Written for alice, signed by alice.")
    sent = online("draft", "send", json.dumps(draft), "--as", "alice")
    assert sent.out.strip() == draft["body"]["content_hash"]
    assert online("message", "show", sent.out.strip(), "--json").document["text"] == draft["content"]["text"]
    changed = {**draft, "content": {**draft["content"], "text": "Something else."}}
    assert_no_draft(online("draft", "send", json.dumps(changed), "--as", "alice"), "does not hash")
    moved = {**draft, "body": {**draft["body"], "thread_id": "ab" * 16}}
    assert_no_draft(online("draft", "send", json.dumps(moved), "--as", "alice"), "another thread")
    online("key", "new", "mallory")
    assert_no_draft(online("draft", "send", json.dumps(draft), "--as", "mallory"), "sign with its key")


def assert_no_draft(ran: Ran, said: str) -> None:
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def make_draft(author: str, thread: str, text: str) -> dict[str, Any]:
    import msgspec

    from choir.client.drafts import draft_message

    made: dict[str, Any] = msgspec.to_builtins(draft_message(author, thread, text))
    return made
