"""What every engine must do. One suite, run over each implementation."""

import asyncio

import pytest

from choir.engine.protocol import Engine, EngineError
from choir.ledger.blocks import compute_data_hash, compute_results_hash
from choir.ledger.entities import ACCOUNTS, THREADS
from choir.ledger.envelope import CheckedTransaction
from choir.ledger.errors import Code, Rejected
from choir.ledger.proofs import verify_proof
from choir.ledger.transactions import CreateThread, Divest, Transfer
from tests.engines.conftest import OpenEngine
from tests.support.chain import NODE, digest, key, sign

ALICE, BOB = key("alice"), key("bob")


async def final(engine: Engine, transaction: CheckedTransaction) -> str:
    return (await (await engine.submit(transaction)).receipt).name


async def test_a_transfer_is_final_with_its_block(engine: Engine) -> None:
    receipt = await (await engine.submit(sign(ALICE, Transfer(to=BOB.address, amount="5"), 0))).receipt
    assert (receipt.code, receipt.height, receipt.index) == (0, 1, 0)
    with engine.read() as state:
        assert state.get(ACCOUNTS, BOB.address).balance == 100_000_000_005


async def test_a_refused_transaction_leaves_a_receipt_and_uses_its_nonce(engine: Engine) -> None:
    refused = sign(ALICE, Divest(thread_id="0" * 32, amount="1"), 0)
    assert await final(engine, refused) == "ThreadUnknown"
    found = await engine.transaction(refused.hash)
    assert found is not None
    assert found.receipt.name == "ThreadUnknown"
    assert await final(engine, sign(ALICE, Transfer(to=BOB.address, amount="1"), 1)) == "Ok"


async def test_posting_again_gives_the_first_receipt(engine: Engine) -> None:
    transaction = sign(ALICE, Transfer(to=BOB.address, amount="5"), 0)
    twice = await asyncio.gather(engine.submit(transaction), engine.submit(transaction))
    receipts = [await admission.receipt for admission in twice]
    assert receipts[0] == receipts[1] == await (await engine.submit(transaction)).receipt


@pytest.mark.parametrize(
    ("transaction", "code"),
    [
        (sign(ALICE, Transfer(to=BOB.address, amount="5"), 1), Code.NonceMismatch),
        (sign(ALICE, Transfer(to=BOB.address, amount="5"), 0, chain_id="another"), Code.WrongChain),
        (
            sign(ALICE, Transfer(to=BOB.address, amount="5"), 0)._replace(
                transaction=sign(BOB, Transfer(to=BOB.address, amount="5"), 0).transaction.__class__(
                    body=Transfer(to=BOB.address, amount="5"),
                    chain_id="choir-test",
                    nonce=0,
                    sender=ALICE.address,
                    signature=sign(BOB, Transfer(to=BOB.address, amount="5"), 0).transaction.signature,
                )
            ),
            Code.BadSignature,
        ),
    ],
    ids=["gap", "chain", "signature"],
)
async def test_what_is_not_authentic_never_enters_a_block(
    engine: Engine, transaction: CheckedTransaction, code: Code
) -> None:
    with pytest.raises(Rejected) as refused:
        await engine.submit(transaction)
    assert refused.value.code is code
    with engine.read() as state:
        assert state.chain.height == 0


async def test_a_replayed_nonce_is_refused(engine: Engine) -> None:
    assert await final(engine, sign(ALICE, Transfer(to=BOB.address, amount="5"), 0)) == "Ok"
    with pytest.raises(Rejected) as refused:
        await engine.submit(sign(ALICE, Transfer(to=BOB.address, amount="6"), 0))
    assert refused.value.code is Code.NonceMismatch


async def test_a_burst_of_one_sender_keeps_its_order(engine: Engine) -> None:
    transactions = [sign(ALICE, Transfer(to=BOB.address, amount="1"), nonce) for nonce in range(500)]
    admissions = await asyncio.gather(*(engine.submit(transaction) for transaction in transactions))
    receipts = await asyncio.gather(*(admission.receipt for admission in admissions))
    assert {receipt.name for receipt in receipts} == {"Ok"}
    places = [(receipt.height, receipt.index) for receipt in receipts]
    assert places == sorted(places)


async def test_a_forged_signature_in_a_burst_harms_nobody_else(engine: Engine) -> None:
    good = [sign(ALICE, Transfer(to=BOB.address, amount="1"), nonce) for nonce in range(100)]
    stolen = sign(BOB, Transfer(to=BOB.address, amount="1"), 0)
    forged = stolen._replace(transaction=good[50].transaction)
    results = await asyncio.gather(
        *(engine.submit(transaction) for transaction in [*good, forged]), return_exceptions=True
    )
    assert [await admission.receipt for admission in results[:100]]


async def test_events_resume_from_any_sequence_number(engine: Engine) -> None:
    for nonce in range(5):
        body = CreateThread(thread_id=digest(str(nonce))[:32], privacy="public")
        assert await final(engine, sign(ALICE, body, nonce)) == "Ok"
    for after_seq in range(5):
        stream = engine.events(after_seq)
        batch = await anext(stream)
        assert [event.seq for event in batch] == list(range(after_seq + 1, 6))
        await stream.aclose()


async def test_entries_come_in_the_order_of_their_keys(engine: Engine) -> None:
    ids = sorted(digest(str(nonce))[:32] for nonce in range(6))
    for nonce, thread_id in enumerate(reversed(ids)):
        assert await final(engine, sign(ALICE, CreateThread(thread_id=thread_id, privacy="public"), nonce)) == "Ok"
    found = await engine.entries(f"thread/{ids[1]}", f"thread/{ids[4]}", 10)
    assert [key for key, _ in found] == [f"thread/{thread_id}" for thread_id in ids[1:5]]
    with engine.read() as state:
        assert [entity for _, entity in found] == [state.get(THREADS, thread_id) for thread_id in ids[1:5]]
    assert [key for key, _ in await engine.entries("thread/", "thread/g", 2)] == [f"thread/{i}" for i in ids[:2]]


async def test_events_arrive_while_waiting(engine: Engine) -> None:
    stream = engine.events(0)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    sent = sign(ALICE, Transfer(to=BOB.address, amount="5"), 0)
    await final(engine, sent)
    (event,) = await waiting
    assert event.tx_hash == sent.hash
    assert event.fields == {"type": "transferred", "sender": ALICE.address, "to": BOB.address, "amount": 5}


async def test_proofs_verify_offline(engine: Engine) -> None:
    transactions = [sign(ALICE, Transfer(to=BOB.address, amount="1"), nonce) for nonce in range(7)]
    admissions = await asyncio.gather(*(engine.submit(transaction) for transaction in transactions))
    await asyncio.gather(*(admission.receipt for admission in admissions))
    for transaction in transactions:
        proof = await engine.proof(transaction.hash)
        assert proof is not None
        verify_proof(proof, {NODE.address})
    assert await engine.proof("0" * 64) is None


async def test_blocks_commit_to_what_is_in_them(engine: Engine) -> None:
    await final(engine, sign(ALICE, Transfer(to=BOB.address, amount="5"), 0))
    block = await engine.block(1)
    assert block is not None
    header = block.signed_header.header
    assert header.data_hash == compute_data_hash(block.tx_hashes)
    assert header.results_hash == compute_results_hash(block.receipts)
    with engine.read() as state:
        assert header.app_hash == state.app_hash
    assert await engine.block(2) is None


async def test_everything_is_there_after_a_restart(open_engine: OpenEngine) -> None:
    first = open_engine()
    await first.start()
    sent = sign(ALICE, Transfer(to=BOB.address, amount="5"), 0)
    receipt = await (await first.submit(sent)).receipt
    with first.read() as state:
        app_hash = state.app_hash
    await first.close()
    second = open_engine()
    await second.start()
    try:
        with second.read() as state:
            assert state.app_hash == app_hash
        assert await (await second.submit(sent)).receipt == receipt
        assert [event.seq for event in await anext(second.events(0))] == [1]
        assert await final(second, sign(ALICE, Transfer(to=BOB.address, amount="5"), 1)) == "Ok"
    finally:
        await second.close()


async def test_what_was_admitted_is_committed_before_closing(open_engine: OpenEngine) -> None:
    engine = open_engine()
    await engine.start()
    admissions = [await engine.submit(sign(ALICE, Transfer(to=BOB.address, amount="1"), n)) for n in range(50)]
    await engine.close()
    assert {admission.receipt.result().name for admission in admissions} == {"Ok"}


async def test_a_closing_engine_refuses(open_engine: OpenEngine) -> None:
    engine = open_engine()
    await engine.start()
    await engine.close()
    with pytest.raises((Rejected, EngineError)):
        await engine.submit(sign(ALICE, Transfer(to=BOB.address, amount="1"), 0))
