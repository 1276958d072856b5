"""Importing into a real node: what arrives, what a second run skips, and going on after an interruption."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from choir.cli.importer.documents import Document, parse_document, read_documents
from choir.cli.importer.plan import Plan, make_plan, needed_key_names
from choir.cli.importer.run import Import
from choir.cli.importer.tally import Summary, Tally
from choir.client import Client, NodeUnreachable
from choir.ledger.blocks import Receipt
from choir.ledger.proofs import Content
from choir.ledger.transactions import Transaction
from choir.primitives.signatures import SigningKey
from tests.cli.conftest import PASSWORD, Choir
from tests.support.patience import PATIENCE_SECONDS

SEED = 20261121


def write_proposals(directory: Path, count: int) -> None:
    """Proposals with one to four of ten authors, three to six sections, and requirements among those before."""
    print("seed", SEED)
    chance = random.Random(SEED)
    for number in range(1, count + 1):
        authors = ", ".join(f"Author {one} (@author{one})" for one in chance.sample(range(10), chance.randint(1, 4)))
        requires = ", ".join(map(str, chance.sample(range(1, number), min(number - 1, chance.randint(0, 3)))))
        front = f"eip: {number}\ntitle: Proposal {number}\nauthor: {authors}\nrequires: {requires}"
        titles = ["Abstract", "Motivation", "Specification", "Rationale", "Security", "Copyright"]
        sections = "\n".join(f"## {title}\nText of {number}.\n" for title in titles[: chance.randint(3, 6)])
        (directory / f"eip-{number}.md").write_text(f"---\n{front}\n---\n{sections}")


@pytest.fixture
def proposals(tmp_path: Path) -> Path:
    directory = tmp_path / "proposals"
    directory.mkdir()
    write_proposals(directory, 15)
    return directory


@pytest.fixture
async def client(node_url: str) -> AsyncIterator[Client]:
    async with Client(node_url) as connected:
        yield connected


class Archive:
    """Documents with keys of their own, to be imported once or in pieces."""

    def __init__(self, documents: list[Document], client: Client, *, has_faucet: bool = True) -> None:
        keys = {name: SigningKey.generate() for name in needed_key_names(documents)}
        self.keys = {key.address: key for key in keys.values()}
        self.addresses = {name: key.address for name, key in keys.items()}
        self.documents = documents
        self.client = client
        self.has_faucet = has_faucet

    async def plan(self) -> Plan:
        return make_plan(self.documents, self.addresses, (await self.client.network()).chain_id)

    async def run(self, stop_after: int | None = None) -> Summary:
        """Import; stops by itself after so many messages."""
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            if done == stop_after:
                run.stop()

        network = await self.client.network()
        run = Import(
            self.client,
            await self.plan(),
            self.keys,
            chain_id=network.chain_id,
            stake=int(network.params["minimum_stake"]),
            has_faucet=self.has_faucet,
            tally=Tally(),
            advance=advance,
        )
        return await run.run()

    async def check_complete(self) -> None:
        """Every planned message is there, once, in its order, by its author, with its citations."""
        for planned in (await self.plan()).threads:
            found = [message async for message in self.client.thread_messages(planned.thread_id)]
            assert [message.content_hash for message in found] == [message.content_hash for message in planned.messages]
            for message, wanted in zip(found, planned.messages, strict=True):
                assert (message.author, message.text) == (wanted.content.author, wanted.content.text)
                assert message.priors == wanted.priors
            thread = await self.client.thread(planned.thread_id)
            assert set(thread.co_authors) == {message.content.author for message in planned.messages}
            assert thread.open_spec_count == 0


async def test_everything_arrives_and_a_second_run_sends_nothing(proposals: Path, client: Client) -> None:
    archive = Archive(read_documents(proposals)[0], client)
    summary = await archive.run()
    plan = await archive.plan()
    messages = [message for thread in plan.threads for message in thread.messages]
    specs = sum(message.is_spec for message in messages)
    assert (summary.threads, summary.specs, summary.messages) == (15, specs, len(messages) - specs)
    assert summary.citations == sum(len(message.priors) for message in messages)
    assert summary.citations > 10
    assert summary.transactions == 15 + len(messages) + summary.approvals
    assert summary.refused == {}
    await archive.check_complete()
    again = await archive.run()
    assert again.transactions == 0
    assert again.skipped == 15 + len(messages)


@pytest.mark.parametrize("stop_after", [1, 20, 55])
async def test_an_interrupted_import_goes_on_without_duplicates(
    proposals: Path, client: Client, stop_after: int
) -> None:
    archive = Archive(read_documents(proposals)[0], client)
    first = await archive.run(stop_after)
    assert first.is_interrupted
    assert first.refused == {}
    second = await archive.run()
    assert not second.is_interrupted
    assert second.refused == {}
    assert first.threads + second.threads == 15
    await archive.check_complete()
    plan = await archive.plan()
    assert first.citations + second.citations == sum(len(m.priors) for thread in plan.threads for m in thread.messages)


async def test_an_open_spec_of_an_earlier_run_gets_its_missing_votes(client: Client) -> None:
    front = "author: A (@a), B (@b), C (@c)"
    document = parse_document("x.md", f"---\n{front}\n---\n## Abstract\n1\n## B\n2\n## C\n3\n".encode())
    archive = Archive([document], client)
    run_approve = Import.send
    sent = 0

    async def stop_before_the_last_vote(self: Import, *arguments: object) -> None:
        nonlocal sent
        sent += 1
        if sent == 7:
            self.stop()
        await run_approve(self, *arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Import, "send", stop_before_the_last_vote)
        assert (await archive.run()).is_interrupted
    planned = (await archive.plan()).threads[0]
    (spec,) = (await client.thread(planned.thread_id)).open_specs
    assert (len(spec.voters), len(spec.approvals)) == (2, 1)
    summary = await archive.run()
    assert (summary.specs, summary.approvals) == (0, 1)
    await archive.check_complete()


async def test_a_refused_section_is_counted_and_the_rest_arrives(client: Client) -> None:
    raw = b"---\nauthor: A (@a)\n---\n## Abstract\nfine\n## Bad\n\x07 rings\n## Last\nfine\n"
    archive = Archive([parse_document("x.md", raw)], client)
    summary = await archive.run()
    assert summary.refused == {"TextInvalid": 1}
    assert summary.refused_examples[0].source == "x.md"
    assert summary.messages == 3


async def test_without_a_faucet_the_stake_is_missing_and_said(client: Client) -> None:
    raw = b"---\nauthor: A (@a), B (@b)\n---\n## Abstract\nfine\n## More\nfine\n"
    archive = Archive([parse_document("x.md", raw)], client, has_faucet=False)
    summary = await archive.run()
    assert summary.refused == {"InsufficientFunds": 1}
    assert "no faucet" in summary.refused_examples[0].message
    assert summary.messages == 2


async def test_a_lost_node_ends_the_import_and_the_same_import_goes_on(
    proposals: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(read_documents(proposals)[0], client)
    submit = Client.submit
    sent = 0

    async def lose_the_node(self: Client, tx: Transaction, content: Content | None = None) -> Receipt:
        nonlocal sent
        sent += 1
        if sent > 40:
            raise NodeUnreachable("no node answers")
        return await submit(self, tx, content)

    with monkeypatch.context() as patch:
        patch.setattr(Client, "submit", lose_the_node)
        with pytest.raises(NodeUnreachable):
            await archive.run()
    assert (await archive.run()).refused == {}
    await archive.check_complete()


def test_the_command(online: Choir, proposals: Path, tmp_path: Path) -> None:
    (proposals / "broken.md").write_text("no front matter")
    summary = online("import", str(proposals), "--limit", "4", "--json").document
    assert summary["proposals"] == 4
    assert summary["problems"][0]["source"] == "broken.md"
    assert summary["keys_made"] > 0
    assert (tmp_path / "config" / "choir" / "import.jwe").exists()
    rest = online("import", str(proposals))
    assert rest.code == 0
    assert "11 threads" in rest.out
    authors = ("--keyring", str(tmp_path / "config" / "choir" / "import.jwe"))
    assert online("account", "@author1", *authors).code == 0


def wait_until(condition: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    while not condition():
        assert process.poll() is None, "it ended too early"


def test_ctrl_c_in_a_process_of_its_own(node_url: str, tmp_path: Path) -> None:
    directory = tmp_path / "proposals"
    directory.mkdir()
    write_proposals(directory, 120)
    environment = {**os.environ, "CHOIR_NODE": node_url, "CHOIR_KEYRING_PASSWORD": PASSWORD}
    command = [sys.executable, "-m", "choir.cli.main", "import", str(directory), "--json"]
    command += ["--keyring", str(tmp_path / "import.jwe")]

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    async def count() -> int:
        async with Client(node_url) as client:
            return (await client.network()).height

    before = asyncio.run(count())
    process = start()
    wait_until(lambda: asyncio.run(count()) > before, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, err.count("\n")) == (130, 1), err
    first = json.loads(out)
    assert first["is_interrupted"]
    process = start()
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, err) == (0, "")
    second = json.loads(out)
    assert first["threads"] + second["threads"] == 120
    assert first["refused"] == second["refused"] == {}
