"""Signing in, and what only the signed-in may ask, through the client against a real node."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from choir.client import ApiError, Client, Wallet
from choir.client.errors import UnexpectedAnswer
from choir.client.memory_models import SearchAnswer
from choir.client.signing import sign_challenge
from choir.primitives.signatures import SigningKey, is_valid_signature
from tests.support.patience import PATIENCE_SECONDS

KEY = SigningKey(bytes(range(32)))
CHALLENGE = f"node.test wants you to sign in with your Solana account:\n{KEY.address}\n\nSign in.\n\nNonce: ab"


async def until_found(search: Callable[[], Awaitable[SearchAnswer]]) -> SearchAnswer:
    """Indexing follows the block, words before meaning: ask until there is a hit by both."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            answer = await search()
            if answer.hits and answer.hits[0].similarity is not None:
                return answer
            await asyncio.sleep(0.05)


async def test_a_co_author_reads_and_finds_what_a_stranger_may_not(node_url: str) -> None:
    key = SigningKey.generate()
    async with Client(node_url) as client, Client(node_url) as stranger:
        wallet = Wallet(key, client)
        thread_id = await wallet.create_thread(privacy="thread")
        sent = await wallet.post_message(thread_id, "Quokkas nibble eucalyptus by moonlight.")
        hidden = await stranger.message(sent.content_hash)
        assert (hidden.access, hidden.text) == ("minimal", None)
        assert hidden.at_most_characters is not None
        session = await client.sign_in(key)
        assert session.address == key.address
        assert session.token not in repr(session)
        assert (await client.message(sent.content_hash)).access == "full"
        found = await until_found(lambda: client.search("quokkas nibble", thread_id=thread_id))
        assert found.hits[0].message.content_hash == sent.content_hash
        assert found.hits[0].title == "Quokkas nibble eucalyptus by moonlight."
        assert not (await stranger.search("quokkas nibble", thread_id=thread_id)).hits
        assert len(await client.thread_key(thread_id)) > 32
        entries = (await client.audit(thread_id)).items
        assert {entry.viewer for entry in entries} == {None, key.address}
        assert await client.sign_out()
        assert not await client.sign_out()
        assert (await client.message(sent.content_hash)).access == "minimal"
        for asked in (client.audit(thread_id), client.thread_key(thread_id)):
            with pytest.raises(ApiError, match="NotSignedIn"):
                await asked


async def test_filters_suggestions_and_citations(node_url: str) -> None:
    async with Client(node_url) as client:
        wallet = Wallet(SigningKey.generate(), client)
        thread_id = await wallet.create_thread()
        first = await wallet.post_message(thread_id, "# Marmots\nMarmots whistle when an eagle circles.")
        second = await wallet.post_message(thread_id, "An eagle hunts marmots.", priors=[first.content_hash])
        found = await until_found(lambda: client.search("marmots whistle", author=wallet.address, k=1))
        assert len(found.hits) == 1
        hit = found.hits[0]
        assert (hit.message.content_hash, hit.title) == (first.content_hash, "Marmots")
        assert hit.proof == f"/v1/message/{first.content_hash}/proof"
        created_at_ms = hit.message.created_at_ms
        assert not (await client.search("marmots", author=wallet.address, until_ms=created_at_ms)).hits
        await until_found(lambda: client.search("marmots", author=wallet.address, since_ms=created_at_ms))
        assert not (await client.search("marmots", author=wallet.address, privacy="premium")).hits
        suggested = await client.suggest_priors("Do marmots whistle at an eagle?", k=2)
        assert first.content_hash in [one.message.content_hash for one in suggested]
        cited = await client.citations(second.content_hash)
        assert [one.message.content_hash for one in cited.priors] == [first.content_hash]
        citing = await client.citations(first.content_hash, limit=5)
        assert [one.message.content_hash for one in citing.cited_by.items] == [second.content_hash]
        with pytest.raises(ApiError, match="QueryInvalid"):
            await client.search("  ")


def test_only_a_sign_in_challenge_for_this_key_is_signed() -> None:
    assert is_valid_signature(KEY.address, CHALLENGE.encode(), sign_challenge(KEY, CHALLENGE, "ab", "http://node.test"))
    other = SigningKey.generate().address
    for message in (
        "",
        'choir-tx-v1:{"body":{}}',
        CHALLENGE.replace(KEY.address, other),
        CHALLENGE.replace("Nonce: ab", "Nonce: cd"),
        CHALLENGE.replace("node.test", 'choir-tx-v1:{"a": 1}'),
        CHALLENGE.removeprefix("node.test wants you"),
        CHALLENGE.replace("node.test", "other.test@node.test"),
        CHALLENGE.replace("node.test", "node.test/"),
    ):
        with pytest.raises(UnexpectedAnswer, match="no sign-in challenge"):
            sign_challenge(KEY, message, "ab", "http://node.test")


@pytest.mark.parametrize(
    ("domain", "url", "is_same"),
    [
        ("node.test", "https://node.test/", True),
        ("node.test:443", "https://Node.test", True),
        ("127.0.0.1:8420", "http://localhost:8420", True),
        ("[::1]:8420", "http://127.0.0.1:8420", True),
        ("127.0.0.1:8421", "http://127.0.0.1:8420", False),
        ("other.test", "https://node.test", False),
        ("node.test:8420", "https://node.test", False),
        ("node.test.other.test", "https://node.test", False),
        ("0.0.0.0:8420", "http://127.0.0.1:8420", False),
        ("node.test:x", "https://node.test", False),
    ],
)
def test_a_challenge_of_another_node_is_not_signed(domain: str, url: str, is_same: bool) -> None:
    message = CHALLENGE.replace("node.test", domain)
    if is_same:
        assert sign_challenge(KEY, message, "ab", url)
    else:
        with pytest.raises(UnexpectedAnswer, match="asked to sign in to"):
            sign_challenge(KEY, message, "ab", url)
