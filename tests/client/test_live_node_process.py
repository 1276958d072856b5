"""The live connection to a real node: following, submitting, asking the chorus."""

import asyncio

from choir.client import Client, Wallet
from choir.client.chorus_models import RunFinished, RunStarted
from choir.client.live_models import AccountSync, AccountUpdate, NewMessage, StreamEnded, ThreadSync
from choir.client.signing import make_content, sign_transaction
from choir.ledger.proofs import content_hash_of
from choir.ledger.transactions import PostMessage
from tests.support.chain import key
from tests.support.patience import PATIENCE_SECONDS


async def test_a_message_is_brought_and_told_over_one_connection(node_url: str) -> None:
    author = key("live author")
    async with asyncio.timeout(PATIENCE_SECONDS), Client(node_url) as client:
        await client.faucet(author.address)
        thread_id = await Wallet(author, client).create_thread(privacy="thread")
        async with client.live(author) as live:
            assert live.address == author.address
            live.subscribe(thread_id)
            live.subscribe_account()
            content = make_content(author.address, thread_id, "Herons wait.")
            body = PostMessage(thread_id=thread_id, content_hash=content_hash_of(content), priors=())
            chain_id, nonce = (await client.network()).chain_id, (await client.account(author.address)).nonce
            submission = await live.submit(sign_transaction(author, body, chain_id=chain_id, nonce=nonce), content)
            receipt = await submission.receipt()
            assert receipt.tx_hash == await submission.admitted()
            found = {}
            async for update in live:
                found[type(update)] = update
                if {ThreadSync, AccountSync} <= found.keys() and receipt_is_told(found, receipt.tx_hash):
                    break
            live.subscribe("0" * 32)
            ended = await anext(update async for update in live if isinstance(update, StreamEnded))
            assert (ended.thread_id, ended.error.name) == ("0" * 32, "NotFound")


def receipt_is_told(found: dict[type, object], tx_hash: str) -> bool:
    """Whether thread and account have told of the transaction, as news or within the snapshot they began with."""
    news, sync = found.get(NewMessage), found[ThreadSync]
    assert isinstance(sync, ThreadSync)
    told = [message.tx_hash for message in sync.thread.messages.items]
    if isinstance(news, NewMessage):
        assert news.message.text == "Herons wait."
        told.append(news.message.tx_hash)
    update, account = found.get(AccountUpdate), found[AccountSync]
    assert isinstance(account, AccountSync)
    history = [event.get("tx_hash") for event in account.account.history.items]
    if isinstance(update, AccountUpdate):
        history.append(update.event["tx_hash"])
    return tx_hash in told and tx_hash in history


async def test_the_chorus_answers_over_it(node_url: str) -> None:
    asker = key("live asker")
    async with asyncio.timeout(PATIENCE_SECONDS), Client(node_url) as client, client.live(asker) as live:
        events = [event async for event in live.chorus("What do herons do?")]
    assert isinstance(events[0], RunStarted)
    assert isinstance(events[-1], RunFinished)
    assert [event.number for event in events] == sorted({event.number for event in events})
