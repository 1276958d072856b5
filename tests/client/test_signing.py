"""What the client signs and hashes is what ledger and memory expect."""

import pytest

from choir.client.signing import hash_transaction, make_content, make_thread_id, normalise_text, sign_transaction
from choir.ledger.envelope import check_transaction
from choir.ledger.proofs import content_hash_of
from choir.ledger.transactions import (
    AnyBody,
    CreateThread,
    Divest,
    Endorse,
    Erase,
    Pause,
    PostMessage,
    ProcessApproval,
    Propose,
    SetParameter,
    SetPrivacy,
    SubmitSpec,
    SubscribePremium,
    Transfer,
    TreasuryTransfer,
    WithdrawSpec,
    canonical_bytes,
)
from choir.memory import text as memory_text
from choir.primitives.signatures import SigningKey

KEY = SigningKey(bytes(32))
HASH = "ab" * 32
THREAD = "0f" * 16
BODIES: list[AnyBody] = [
    CreateThread(thread_id=THREAD, privacy="public"),
    PostMessage(thread_id=THREAD, content_hash=HASH, priors=(HASH,), privacy="thread"),
    SubmitSpec(thread_id=THREAD, content_hash=HASH, stake="100000000", priors=()),
    ProcessApproval(spec_id=HASH, approve=True),
    WithdrawSpec(spec_id=HASH),
    Divest(thread_id=THREAD, amount="1"),
    Transfer(to=KEY.address, amount="1"),
    SetPrivacy(message_hash=HASH, level="premium"),
    Erase(message_hash=HASH),
    SubscribePremium(periods=1),
    Propose(action=TreasuryTransfer(to=KEY.address, amount="1")),
    Propose(action=SetParameter(name="minimum_stake", value=1)),
    Propose(action=Pause()),
    Endorse(proposal_id=HASH),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_type_is_signed_as_the_ledger_checks_it(body: AnyBody) -> None:
    tx = sign_transaction(KEY, body, chain_id="test", nonce=7, depends_on=HASH, expires_at=99)
    checked = check_transaction(canonical_bytes(tx), "test")
    assert checked.refusal is None
    assert checked.transaction == tx
    assert checked.hash == hash_transaction(tx)


@pytest.mark.parametrize("text", ["plain", "e\u0301 decomposed", "one\r\ntwo\rthree\n", "שלום 👩‍👩‍👧"])
def test_content_is_what_the_node_stores(text: str) -> None:
    content = make_content(KEY.address, THREAD, text)
    assert content.text == memory_text.normalise_text(text) == normalise_text(text)
    memory_text.check_text(content.text)
    assert content_hash_of(content) == memory_text.content_hash(KEY.address, content.salt, content.text, THREAD)


def test_salts_and_thread_ids_are_random() -> None:
    first, second = (make_content(KEY.address, THREAD, "same") for _ in range(2))
    assert first.salt != second.salt
    assert len(make_thread_id()) == 32
    assert make_thread_id() != make_thread_id()
