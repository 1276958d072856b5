"""The wallet against a real node."""

import asyncio

import pytest

from choir.client import ApiError, Client, Wallet
from choir.ledger.proofs import verify_proof
from choir.ledger.transactions import Transfer
from choir.primitives.signatures import SigningKey


async def test_a_story_through_every_read(node_url: str) -> None:
    async with Client(node_url) as client:
        alice, bob = (Wallet(SigningKey.generate(), client) for _ in range(2))
        await client.faucet(bob.address)
        thread_id = await alice.create_thread()
        first = await alice.post_message(thread_id, "# A title\r\nand text")
        spec = await bob.submit_spec(thread_id, "let me in", stake=100_000_000, priors=[first.content_hash])
        waiting = await client.specs(voter=alice.address, status="open")
        assert [found.spec_id for found in waiting.items] == [spec.content_hash]
        await alice.vote(spec.content_hash, approve=True)
        thread = await client.thread(thread_id)
        assert thread.title == "A title"
        assert thread.co_authors == (alice.address, bob.address)
        texts = [message.text async for message in client.thread_messages(thread_id)]
        assert texts == ["# A title\nand text", "let me in"]
        last = (await client.thread(thread_id, before="end", limit=1)).messages
        assert ([message.text for message in last.items], last.position) == (["let me in"], 1)
        around = (await client.thread(thread_id, around=spec.content_hash, limit=1)).messages
        assert (around.items, around.position) == (last.items, 1)
        before = (await client.thread(thread_id, before=last.previous_cursor, limit=1)).messages
        assert (before.items[0].content_hash, before.previous_cursor) == (first.content_hash, None)
        account = await client.account(alice.address)
        assert int(account.balance) == 100_000_000
        assert account.threads[0].thread_id == thread_id
        proof = await client.message_proof(spec.content_hash)
        verify_proof(proof, (await client.genesis()).validators)
        assert proof.content is not None
        found = await client.transaction(spec.receipt.tx_hash)
        assert found.receipt == spec.receipt
        block = await client.block(spec.receipt.height)
        assert block.receipts[spec.receipt.index] == spec.receipt


async def test_concurrent_sends_keep_the_order_of_nonces(node_url: str) -> None:
    async with Client(node_url) as client:
        wallet = Wallet(SigningKey.generate(), client)
        thread_id = await wallet.create_thread()
        sent = await asyncio.gather(*(wallet.post_message(thread_id, f"message {i}") for i in range(20)))
        assert len({one.content_hash for one in sent}) == 20
        assert (await client.account(wallet.address)).nonce == 21


async def test_a_nonce_that_another_program_used_is_recovered(node_url: str) -> None:
    key = SigningKey.generate()
    async with Client(node_url) as client:
        here, elsewhere = Wallet(key, client), Wallet(key, client)
        thread_id = await here.create_thread()
        await elsewhere.post_message(thread_id, "from elsewhere")
        await here.post_message(thread_id, "from here")
        await elsewhere.post_message(thread_id, "from elsewhere again")
        assert (await client.account(key.address)).nonce == 4


async def test_a_refusal_tells_why_and_the_wallet_goes_on(node_url: str) -> None:
    async with Client(node_url) as client:
        wallet = Wallet(SigningKey.generate(), client)
        with pytest.raises(ApiError) as caught:
            await wallet.send(Transfer(to=wallet.address, amount="1"))
        assert caught.value.name == "InsufficientFunds"
        assert caught.value.receipt is not None
        await wallet.create_thread()
        assert (await client.account(wallet.address)).nonce == 2


async def test_what_is_not_awaited_is_admitted_with_its_hash(node_url: str) -> None:
    from choir.client.signing import hash_transaction, sign_transaction

    key = SigningKey.generate()
    async with Client(node_url) as client:
        chain_id = (await client.network()).chain_id
        tx = sign_transaction(key, Transfer(to=key.address, amount="1"), chain_id=chain_id, nonce=0)
        assert await client.admit(tx) == hash_transaction(tx)


async def test_an_unseen_account_is_empty_and_pages_follow_each_other(node_url: str) -> None:
    async with Client(node_url) as client:
        wallet = Wallet(SigningKey.generate(), client)
        assert (await client.account(wallet.address)).nonce == 0
        ids = [await wallet.create_thread() for _ in range(3)]
        first = await client.threads(co_author=wallet.address, limit=2)
        second = await client.threads(co_author=wallet.address, limit=2, cursor=first.next_cursor)
        assert [item.thread_id for item in (*first.items, *second.items)] == ids[::-1]
