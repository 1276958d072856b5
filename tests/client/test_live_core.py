"""The live protocol's rules, frame by frame, without a socket and without a clock."""

import pytest

from choir.client import ApiError
from choir.client.errors import UnexpectedAnswer
from choir.client.live_models import (
    AccountSync,
    AccountUpdate,
    ApprovalRequest,
    NewApproval,
    NewMessage,
    Settled,
    ThreadUpdate,
)
from choir.client.live_streams import ACK_SECONDS, ACK_UPDATES, ANSWER_SECONDS
from tests.client.live_node import (
    ADDRESS,
    ASK,
    OTHER,
    THREAD,
    Client,
    ask_from,
    following,
    frame,
    new_message,
    news,
    refusal,
    thread_sync,
    welcome,
)

# Greeting


def test_what_was_asked_for_before_is_subscribed_when_the_node_greets() -> None:
    client = Client()
    client.subscribe()
    client.core.connected(None, client.now)
    assert client.sent() == []
    client.receive(welcome())
    assert client.sent() == [ASK]
    assert client.told() == ["Connection"]
    assert client.core.state == "live"


def test_with_a_session_nothing_is_asked_before_the_node_knows_whose_it_is() -> None:
    client = Client()
    client.subscribe()
    client.connect(welcome(), token="secret")
    assert client.sent() == [("auth", {"token": "secret"})]
    client.receive(welcome(address=ADDRESS))
    assert client.sent() == [ASK]
    assert client.core.address == ADDRESS


def test_a_refused_session_is_an_error() -> None:
    client = Client()
    client.core.connected("old", client.now)
    auth_id = client.core.outbox[0].id
    with pytest.raises(ApiError, match="NotSignedIn") as caught:
        client.receive(refusal("NotSignedIn", 311, frame_id=auth_id))
    assert caught.value.http_status == 401


@pytest.mark.parametrize(
    "raw",
    [
        "hello",
        "[]",
        welcome(protocol=2),
        frame("welcome", {"hello": 1}),
        frame("new_message", {"after_seq": "x"}, thread_id=THREAD, seq=11),
        frame("new_message", {"after_seq": 10, "event": {}}, thread_id=THREAD, seq=11),
        frame("state_sync", {}, thread_id=THREAD, seq=11),
        frame("state_sync", {}, thread_id=THREAD),
        frame("batch", {"updates": [{"type": "new_message", "payload": {}}]}, thread_id=THREAD, seq=11),
    ],
)
def test_what_does_not_keep_to_the_protocol_is_told(raw: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="live protocol"):
        following(10).receive(raw)


# Order


def test_updates_come_once_and_in_order() -> None:
    client = following(10)
    client.receive(new_message(12, 10), new_message(12, 10), new_message(15, 12), new_message(12, 10))
    assert client.told() == [12, 15]
    assert client.sent() == []


def test_a_gap_is_filled_and_asked_for_once() -> None:
    client = following(10)
    client.receive(new_message(14, 12), new_message(17, 14))
    assert client.sent() == [ask_from(10)]
    assert client.told() == []
    client.receive(new_message(12, 10), new_message(14, 12), new_message(17, 14), new_message(18, 17))
    assert client.told() == [12, 14, 17, 18]


def test_a_gap_that_nobody_fills_is_asked_for_again() -> None:
    client = following(10)
    client.wait(ACK_SECONDS)
    client.receive(new_message(14, 12))
    client.sent()
    assert client.wait(ANSWER_SECONDS - 1) is None
    assert client.sent() == []
    client.receive(frame("ping", {"nonce": "1"}))
    client.wait(1)
    assert client.sent() == [("pong", {"nonce": "1"}), ask_from(10)]


def test_a_snapshot_replaces_what_was_missing() -> None:
    client = following(10)
    client.receive(new_message(14, 12), thread_sync(14), new_message(14, 12), new_message(16, 14))
    assert client.told() == [14, 16]


def test_an_old_snapshot_is_ignored() -> None:
    client = following(10)
    client.receive(new_message(12, 10), thread_sync(11), new_message(13, 12))
    assert client.told() == [12, 13]


def test_a_batch_is_its_updates() -> None:
    client = following(10)
    batch = {"updates": [news(9, 8), news(12, 10), news(13, 12)]}
    client.receive(frame("batch", batch, thread_id=THREAD, seq=13))
    assert client.told() == [12, 13]


def test_a_gap_within_a_batch_is_noticed() -> None:
    client = following(10)
    client.receive(frame("batch", {"updates": [news(12, 10), news(15, 14)]}, thread_id=THREAD, seq=15))
    assert client.told() == [12]
    assert client.sent() == [ask_from(12)]


def test_threads_have_their_own_order() -> None:
    client = following(10)
    client.subscribe(OTHER)
    client.receive(thread_sync(20, OTHER), new_message(12, 10), new_message(21, 20, OTHER), new_message(13, 12))
    assert client.told() == [20, 12, 21, 13]


def test_a_kind_that_only_newer_clients_know_leaves_no_gap() -> None:
    client = following(10)
    client.receive(frame("new_reaction", {"after_seq": 10}, thread_id=THREAD, seq=12), new_message(13, 12))
    assert client.told() == [13]
    assert client.sent() == []


def test_nothing_is_told_of_a_thread_that_is_not_followed() -> None:
    client = following(10)
    client.core.streams.unsubscribe(THREAD)
    assert client.sent() == [("unsubscribe", {"threads": [THREAD]})]
    client.receive(new_message(12, 10), thread_sync(13))
    assert client.told() == []


def test_following_goes_on_from_a_number_of_an_earlier_time() -> None:
    client = Client()
    client.subscribe(from_seq=10)
    client.connect()
    assert client.sent() == [ask_from(10)]
    client.receive(new_message(12, 10))
    assert client.told() == ["Connection", 12]
    assert client.core.streams.number(THREAD) == 12


# Kinds


def test_every_kind_of_update_has_its_type() -> None:
    client = following(10)
    spec = {
        "spec_id": "c" * 64,
        "thread_id": THREAD,
        "author": ADDRESS,
        "stake": "1",
        "status": "open",
        "privacy": "public",
        "created_at_ms": 1,
        "expires_at_ms": 2,
        "voters": [ADDRESS],
        "approvals": [],
        "denials": [],
        "priors": [],
        "access": "minimal",
    }
    kinds = (
        ("approval_request", {"spec": spec}),
        ("new_approval", {}),
        ("settled", {}),
        ("thread_update", {"balance": "7", "co_authors": [ADDRESS]}),
    )
    for number, (kind, more) in enumerate(kinds, start=11):
        client.receive(frame(kind, {"after_seq": number - 1, "event": {}, **more}, thread_id=THREAD, seq=number))
    client.receive(new_message(15, 14))
    found = client.updates()
    assert [type(update) for update in found] == [ApprovalRequest, NewApproval, Settled, ThreadUpdate, NewMessage]
    assert all(getattr(update, "thread_id", None) == THREAD for update in found)
    assert found[3] == ThreadUpdate(thread_id=THREAD, seq=14, event={}, balance="7", co_authors=(ADDRESS,))


def test_where_nothing_was_missed_the_node_says_so() -> None:
    client = following(10)
    client.lose()
    client.connect()
    asked = client.core.outbox[-1].id
    assert client.sent() == [ask_from(10)]
    client.receive(frame("batch", {"updates": []}, id=asked, thread_id=THREAD, seq=10))
    client.receive(new_message(11, 10))
    client.wait(ANSWER_SECONDS)
    assert client.sent() == [("ack", {"seq": 11})]


def test_an_answer_that_is_lost_is_asked_for_again() -> None:
    client = following(10)
    client.lose()
    client.connect()
    client.wait(ANSWER_SECONDS)
    assert client.sent() == [ask_from(10), ask_from(10)]


def test_the_account_is_a_stream_without_a_thread() -> None:
    client = Client()
    client.subscribe(None)
    client.connect()
    assert client.sent() == [("subscribe", {"threads": [], "account": True})]
    account = {
        "address": ADDRESS,
        "balance": "5",
        "nonce": 0,
        "sponsorship": "0",
        "premium_until_ms": 0,
        "threads": [],
        "history": {"items": [], "next_cursor": None},
    }
    client.receive(frame("state_sync", account, seq=10))
    client.receive(frame("account_update", {"after_seq": 10, "event": {"type": "transferred"}, "balance": "6"}, seq=12))
    client.receive(frame("settled", {"after_seq": 12, "event": {"thread_id": THREAD}, "balance": "7"}, seq=13))
    client.receive(frame("account_update", {"after_seq": 14, "event": {}, "balance": "6"}, seq=15))
    _, sync, update, settled = client.updates()
    assert isinstance(settled, Settled)
    assert settled.thread_id is None
    assert isinstance(sync, AccountSync)
    assert isinstance(update, AccountUpdate)
    assert update.balance == "6"
    assert client.sent() == [("subscribe", {"threads": [], "account": True, "from_seq": 13})]


# Acknowledging


def test_updates_are_acknowledged_after_a_while() -> None:
    client = following(10)
    client.receive(new_message(12, 10), new_message(13, 12))
    client.wait(ACK_SECONDS)
    assert client.sent() == [("ack", {"seq": 13})]
    client.wait(ACK_SECONDS)
    assert client.sent() == []


def test_many_updates_are_acknowledged_at_once() -> None:
    client = following(10)
    client.wait(ACK_SECONDS)
    client.sent()
    client.receive(*(new_message(number, number - 1) for number in range(11, 11 + ACK_UPDATES)))
    (ack,) = client.core.outbox
    assert (ack.type, ack.thread_id, ack.payload) == ("ack", THREAD, {"seq": 10 + ACK_UPDATES})


# A slow reader


def test_what_a_slow_reader_has_no_room_for_is_asked_for_again_later() -> None:
    client = following(10, capacity=4)
    client.receive(*(new_message(number, number - 1) for number in range(11, 18)))
    assert client.sent() == [("unsubscribe", {"threads": [THREAD]})]
    assert client.core.streams.take(client.now) is not None
    assert client.sent() == []
    assert client.core.streams.take(client.now) is not None
    assert client.sent() == [ask_from(14)]
    client.receive(new_message(17, 16), new_message(15, 14), new_message(16, 15), new_message(17, 16))
    assert client.told() == [13, 14, 15, 16]
    assert client.sent() == [("unsubscribe", {"threads": [THREAD]}), ask_from(16)]


def test_a_slow_reader_costs_no_memory_over_losses_either() -> None:
    client = following(10, capacity=4)
    for attempt in range(20):
        client.receive(*(new_message(number, number - 1) for number in range(11 + attempt, 31 + attempt)))
        client.lose()
        client.connect()
    assert [one for one in client.told() if one != "Connection"] == [11, 12, 13, 14]


def test_after_a_loss_a_slow_reader_is_asked_for_only_when_it_has_caught_up() -> None:
    client = following(10, capacity=4)
    client.receive(*(new_message(number, number - 1) for number in range(11, 18)))
    client.lose()
    client.connect()
    assert client.sent() == []
    client.updates()
    assert client.sent() == [ask_from(14)]


def test_a_reader_who_catches_up_during_a_loss_is_not_forgotten() -> None:
    client = following(10, capacity=4)
    client.receive(*(new_message(number, number - 1) for number in range(11, 18)))
    client.lose()
    client.updates()
    client.connect()
    assert client.sent() == [ask_from(14)]
