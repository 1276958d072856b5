"""An assistant's view: the real client of the protocol, over the standard streams of a real `choir mcp`."""

import asyncio
import json
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from choir.ledger.proofs import Content, content_hash_of
from tests.cli.conftest import Choir, Ran, hits_of
from tests.support.patience import PATIENCE_SECONDS

TEXT = "# Ospreys\n\nOspreys dive feet first, from up to forty metres."
TOOLS = {"search", "suggest_priors", "read_message", "read_thread", "read_citations", "ask", "draft"}


class Assistant:
    """Calls tools and returns their documents."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def call(self, tool: str, **arguments: Any) -> Any:
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, result
        assert result.structured_content is not None
        return result.structured_content

    async def refused(self, tool: str, **arguments: Any) -> str:
        result = await self.client.call_tool(tool, arguments)
        assert result.is_error, result
        return " ".join(getattr(part, "text", "") for part in result.content)


@asynccontextmanager
async def assisting(node_url: str, home: Path, token: str = "") -> AsyncIterator[Assistant]:
    """A server whose home has no keyring that it could open: any attempt would end it."""
    environment = {"HOME": str(home), "CHOIR_NODE": node_url, "CHOIR_KEYRING": str(home / "not" / "there")}
    if token:
        environment["CHOIR_SESSION_TOKEN"] = token
    server = StdioServerParameters(command=sys.executable, args=["-m", "choir.cli.main", "mcp"], env=environment)
    async with Client(server, read_timeout_seconds=PATIENCE_SECONDS) as client:
        yield Assistant(client)


@pytest.fixture
def thread(online: Choir) -> str:
    online("key", "new", "alice")
    created = online("thread", "create", TEXT, "--as", "alice").out.strip()
    hits_of(online, "ospreys", "--thread", created)
    return created


async def typed(choir: Choir, *arguments: str) -> Ran:
    """A command line, which needs an event loop of its own."""
    return await asyncio.to_thread(choir, *arguments)


async def messages_of(choir: Choir, thread: str) -> list[str]:
    shown = (await typed(choir, "thread", "show", thread, "--json")).document
    return [item["content_hash"] for item in shown["messages"]["items"]]


async def test_an_assistant_reads_as_nobody(online: Choir, thread: str, node_url: str, tmp_path: Path) -> None:
    secret = ("Ospreys nest at the mill.", "--privacy", "thread")
    private = (await typed(online, "thread", "create", *secret, "--as", "alice")).out.strip()
    async with assisting(node_url, tmp_path) as assistant:
        listed = await assistant.client.list_tools()
        assert {tool.name for tool in listed.tools} == TOOLS
        assert all(tool.description for tool in listed.tools)
        (hit,) = (await assistant.call("search", query="how do ospreys dive", thread_id=thread))["hits"]
        assert hit["message"]["text"] == TEXT
        message = hit["message"]["content_hash"]
        assert (await assistant.call("read_message", content_hash=message))["text"] == TEXT
        shown = await assistant.call("read_thread", thread_id=thread)
        assert [item["content_hash"] for item in shown["messages"]["items"]] == [message]
        assert (await assistant.call("read_citations", content_hash=message))["priors"] == []
        suggested = (await assistant.call("suggest_priors", draft="Ospreys dive."))["suggestions"]
        assert TEXT in [suggestion["message"]["text"] for suggestion in suggested]
        hidden = await assistant.call("read_thread", thread_id=private)
        assert "mill" not in json.dumps(hidden)
        assert "NotFound" in await assistant.refused("read_message", content_hash="ab" * 32)
        assert "CHOIR_SESSION_TOKEN" in await assistant.refused("ask", question="How do ospreys dive?")


async def test_with_a_session_it_asks_and_reports_progress(
    online: Choir, thread: str, node_url: str, tmp_path: Path
) -> None:
    token = (await typed(online, "session", "open", "--as", "alice")).out.strip()
    told: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    async with assisting(node_url, tmp_path, token) as assistant:
        arguments = {"question": "How do ospreys dive?", "thread_id": thread}
        result = await assistant.client.call_tool("ask", arguments, progress_callback=note)
        assert not result.is_error, result
        answer = result.structured_content
        assert answer is not None
    assert "Ospreys dive feet first" in answer["answer"]
    assert "[1]" in answer["answer"]
    (citation,) = answer["citations"][:1]
    assert (citation["number"], citation["proof"]) == (1, f"/v1/message/{citation['content_hash']}/proof")
    assert [progress for progress, _ in told] == sorted(progress for progress, _ in told)
    messages = " ".join(message or "" for _, message in told)
    for step in ("action", "experience", "found", "yield"):
        assert step in messages
    assert answer["run_id"] in (await typed(online, "runs", "list", "--as", "alice")).out


async def test_a_draft_is_exact_and_sent_by_the_users_own_command(
    online: Choir, thread: str, node_url: str, tmp_path: Path
) -> None:
    address = (await typed(online, "key", "show", "alice", "--json")).document["address"]
    (prior,) = await messages_of(online, thread)
    async with assisting(node_url, tmp_path) as assistant:
        text = 'It\'s feet first: "ospreys" & $HOME `id`.'
        draft = await assistant.call("draft", author=address, thread_id=thread, text=text, priors=[prior])
        spec = await assistant.call(
            "draft", author=address, thread_id=thread, text="A spec.", kind="spec", stake="150", privacy="thread"
        )
        assert "CHOIR" in await assistant.refused(
            "draft", author=address, thread_id=thread, text="x", kind="spec", stake="a lot"
        )
    assert draft["content"]["text"] == text
    assert draft["body"]["content_hash"] == content_hash_of(Content(**draft["content"]))
    assert (draft["body"]["type"], draft["body"]["priors"]) == ("post_message", [prior])
    assert (spec["body"]["type"], spec["body"]["stake"], spec["body"]["privacy"]) == (
        "submit_spec",
        "150000000",
        "thread",
    )
    assert await messages_of(online, thread) == [prior], "nothing was sent"
    program, *arguments = shlex.split(draft["command"].replace("NAME", "alice"))
    assert program == "choir"
    sent = await typed(online, *arguments)
    assert sent.out.strip() == draft["body"]["content_hash"], sent.err
    message = (await typed(online, "message", "show", sent.out.strip(), "--json")).document
    assert (message["text"], message["author"], message["priors"]) == (text, address, [prior])


async def test_a_session_that_has_ended_is_told(online: Choir, thread: str, node_url: str, tmp_path: Path) -> None:
    async with assisting(node_url, tmp_path, "x" * 43) as assistant:
        assert "NotSignedIn" in await assistant.refused("ask", question="How?")
        assert "NotSignedIn" in await assistant.refused("read_thread", thread_id=thread)


async def test_a_node_that_is_not_there_is_told(unused_tcp_port: int, tmp_path: Path) -> None:
    async with assisting(f"http://127.0.0.1:{unused_tcp_port}", tmp_path) as assistant:
        assert "choir up" in await assistant.refused("search", query="anything")


def test_the_server_never_opens_a_keyring() -> None:
    """Nothing that it imports could: the keyring's module is not among it, nor anything that decrypts one."""
    code = (
        "import sys, choir.cli.mcp, choir.cli.mcp_server; "
        "print([name for name in sys.modules if 'keyring' in name or name == 'joserfc'])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )
    assert ran.stdout.strip() == "[]"
