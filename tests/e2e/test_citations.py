"""Many questions about real proposals: every citation leads to a readable record whose proof holds without the node."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from choir.cli.main import run
from choir.client import Client
from choir.client.chorus_models import AnswerCitation, RunFinished
from choir.ledger.genesis import Genesis
from choir.ledger.proofs import content_hash_of, verify_proof
from choir.primitives.signatures import SigningKey
from tests.support.node_process import running_node
from tests.support.patience import PATIENCE_SECONDS
from tests.support.proposals import find_proposals

PROPOSALS = 60
# What people ask, beside what the titles give.
QUESTIONS = (
    "How is the base fee of a block computed?",
    "Why are transactions of different chains told apart by a chain id?",
    "What happens to refunds of gas?",
    "How are addresses written with a checksum?",
    "Which opcodes cost more gas after a fork?",
    "what is a smart contract wallet",
    "Pourquoi brûler une partie des frais ?",
    "Is there anything about sourdough bread?",
)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node that holds the first proposals."""
    proposals = find_proposals()
    directory = tmp_path_factory.mktemp("citations")
    with running_node(directory / "data", directory / "node.log") as url, pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHOIR_KEYRING_PASSWORD", "only for the tests")
        keyring = str(directory / "import.jwe")
        limits = ("--limit", str(PROPOSALS), "--node", url, "--keyring", keyring, "--json")
        assert run(["import", str(proposals), *limits]) == 0
        yield url


async def test_every_citation_of_many_questions_is_real(node: str) -> None:
    cited: dict[str, AnswerCitation] = {}
    async with Client(node, timeout_seconds=PATIENCE_SECONDS) as client:
        await client.sign_in(SigningKey.generate())
        titles = await _titles_when_indexed(client)
        answered = 0
        for question in [*QUESTIONS, *(f"What does “{title}” propose, and why?" for title in titles)]:
            ending = await _ask(client, question)
            answered += bool(ending.citations)
            cited |= {f"{citation.content_hash} {citation.quote}": citation for citation in ending.citations}
            marks = {citation.prior for citation in ending.citations}
            assert all(f"[{prior}]" in ending.answer for prior in marks), question
        genesis = await client.genesis()
        for citation in cited.values():
            await _check(client, citation, genesis)
    assert answered >= 0.9 * len(titles), f"{answered} of {len(titles)} questions about a title were answered"
    assert len({citation.content_hash for citation in cited.values()}) > 20


async def _titles_when_indexed(client: Client) -> list[str]:
    """The titles of the imported proposals, once the last of them can be found."""
    threads = await client.threads(limit=200)
    titles = [thread.title for thread in threads.items if thread.title is not None]
    assert len(titles) >= PROPOSALS
    async with asyncio.timeout(PATIENCE_SECONDS):
        for thread in threads.items:
            while not (await client.search(thread.title or "", thread_id=thread.thread_id, k=1)).hits:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    return titles[::2]


async def _ask(client: Client, question: str) -> RunFinished:
    async with aclosing(client.chorus.ask(question)) as events:
        async for event in events:
            last = event
    assert isinstance(last, RunFinished), last
    return last


async def _check(client: Client, citation: AnswerCitation, genesis: Genesis) -> None:
    """The record is readable, has the quoted words, and is proven by what a validator signed."""
    message = await client.message(citation.content_hash)
    assert (message.thread_id, message.access) == (citation.thread_id, "full")
    assert message.text is not None
    assert citation.quote in message.text
    assert citation.proof == f"/v1/message/{citation.content_hash}/proof"
    proof = await client.message_proof(citation.content_hash)
    verify_proof(proof, genesis.validators)
    assert proof.content is not None
    assert proof.content.text == message.text
    assert content_hash_of(proof.content) == citation.content_hash
    assert proof.transaction.body.content_hash == citation.content_hash  # type: ignore[union-attr]
