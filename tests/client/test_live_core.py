"""The live protocol's rules, frame by frame, without a socket and without a clock."""

from typing import Any

import pytest

from choir.client import ApiError
from choir.client.errors import UnexpectedAnswer
from choir.client.live_core import HANDSHAKE_SECONDS, SILENCE_SECONDS, STEADY_SECONDS
from choir.client.live_models import (
    AccountSync,
    AccountUpdate,
    ApprovalRequest,
    Connection,
    NewApproval,
    NewMessage,
    Settled,
    StreamEnded,
    ThreadSync,
    ThreadUpdate,
)
from choir.client.live_streams import ACK_SECONDS, ACK_UPDATES, ANSWER_SECONDS
from tests.client.live_node import (
    ADDRESS,
    OTHER,
    THREAD,
    Client,
    frame,
    new_message,
    news,
    refusal,
    thread_sync,
    welcome,
)

ASK = ("subscribe", {"threads": [THREAD]})


def ask_from(seq: int) -> tuple[str, dict[str, Any]]:
    return ("subscribe", {"threads": [THREAD], "from_seq": seq})


def following(seq: int = 10, **options: Any) -> Client:
    """A live client whose thread stands at ``seq``."""
    client = Client(**options)
    client.subscribe()
    client.connect()
    client.receive(thread_sync(seq))
    client.updates()
    client.sent()
    return client


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
    client.receive(frame("account_update", {"after_seq": 13, "event": {}, "balance": "6"}, seq=14))
    _, sync, update = client.updates()
    assert isinstance(sync, AccountSync)
    assert isinstance(update, AccountUpdate)
    assert update.balance == "6"
    assert client.sent() == [("subscribe", {"threads": [], "account": True, "from_seq": 12})]


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


# Loss


def test_it_waits_longer_with_every_loss() -> None:
    client = Client()
    assert [client.lose() for _ in range(5)] == [1.0, 5.0, 30.0, 30.0, 30.0]


@pytest.mark.parametrize(("random", "delays"), [(0.0, [0.5, 2.5, 15.0]), (0.999, [1.499, 7.495, 44.97])])
def test_not_everybody_comes_back_at_once(random: float, delays: list[float]) -> None:
    client = Client(random=random)
    assert [client.lose() for _ in range(3)] == pytest.approx(delays)


def test_a_connection_that_held_is_retried_quickly_again() -> None:
    client = Client()
    for seconds, delay in ((0, 1.0), (1, 5.0), (STEADY_SECONDS, 1.0), (1, 5.0)):
        client.connect()
        client.now += seconds
        assert client.lose() == delay


def test_after_a_loss_it_goes_on_where_it_stopped() -> None:
    client = following(10)
    client.receive(new_message(12, 10))
    client.subscribe(OTHER)
    client.lose("cut")
    assert client.sent() == []
    client.connect()
    assert client.sent() == [ask_from(12), ("subscribe", {"threads": [OTHER]})]
    client.receive(new_message(13, 12))
    states = [(one.state, one.reason) for one in client.updates() if isinstance(one, Connection)]
    assert states == [("live", None)]


def test_the_state_of_the_connection_is_told() -> None:
    client = following(10)
    client.lose("cut")
    assert client.updates() == [Connection(state="reconnecting", reason="cut", retry_in_seconds=1.0)]
    client.connect()
    assert client.updates() == [Connection(state="live")]
    client.core.closed()
    assert client.updates() == [Connection(state="closed")]


def test_a_node_whose_history_is_another_is_asked_for_everything() -> None:
    client = following(110)
    client.lose()
    client.connect(welcome(seq=50))
    assert client.sent() == [ASK]
    client.receive(thread_sync(40))
    assert client.told() == ["Connection", 40]
    client.lose()
    client.connect(welcome(chain_id="another"))
    assert client.sent() == [ASK]


def test_who_says_nothing_is_gone() -> None:
    client = following(10)
    assert client.wait(SILENCE_SECONDS - 1) is None
    client.receive(frame("ping", {"nonce": "7"}))
    assert client.wait(SILENCE_SECONDS - 1) is None
    assert client.core.wakes_at() == client.now + 1
    assert client.wait(1) == "the node has fallen silent"


def test_who_does_not_greet_is_gone_sooner() -> None:
    client = Client()
    client.core.connected(None, client.now)
    assert client.wait(HANDSHAKE_SECONDS - 1) is None
    assert client.wait(1) is not None


# Refusals


def test_a_refused_thread_ends_and_the_others_go_on() -> None:
    client = following(10)
    client.receive(refusal("NotFound", 308, thread_id=THREAD), new_message(12, 10))
    (ended,) = client.updates()
    assert isinstance(ended, StreamEnded)
    assert (ended.thread_id, ended.error.name) == (THREAD, "NotFound")
    client.lose()
    client.connect()
    assert client.sent() == []


def test_a_refused_account_is_known_by_the_question() -> None:
    client = Client()
    client.connect()
    client.subscribe(None)
    client.subscribe()
    asked = client.core.outbox[0].id
    client.receive(refusal("NotSignedIn", 311, frame_id=asked), refusal("InvalidRequest", 310))
    assert client.told() == ["Connection", "StreamEnded"]


def test_a_thread_that_is_put_off_is_asked_for_when_the_node_said() -> None:
    client = following(10)
    client.receive(refusal("TooManyRequests", 313, thread_id=THREAD, retry_after=3))
    client.wait(2)
    assert client.sent() == [("ack", {"seq": 10})]
    client.wait(1)
    assert client.sent() == [ask_from(10)]


def test_what_the_node_complained_about_is_why_it_closed() -> None:
    client = following(10)
    client.receive(refusal("NotSignedIn", 311))
    client.lose("closed (4401)")
    (told,) = client.updates()
    assert isinstance(told, Connection)
    assert told.reason == "NotSignedIn: NotSignedIn happened."


# Requests


def answers(client: Client) -> list[tuple[str, str | None]]:
    found = [(one.request_id, one.frame and one.frame.type) for one in client.core.answers]
    client.core.answers.clear()
    return found


def test_a_submission_is_answered_twice_and_brought_again_after_a_loss() -> None:
    client = Client()
    request = client.core.submit({"tx": {}})
    client.connect()
    assert client.sent() == [("submit", {"tx": {}})]
    client.receive(frame("submitted", {"tx_hash": "aa"}, id=request))
    client.lose()
    client.connect()
    assert client.sent() == [("submit", {"tx": {}})]
    for kind in ("submitted", "receipt", "receipt"):
        client.receive(frame(kind, {}, id=request))
    assert answers(client) == [(request, "submitted"), (request, "submitted"), (request, "receipt")]
    client.lose()
    client.connect()
    assert client.sent() == []


def test_a_refused_submission_is_not_brought_again() -> None:
    client = Client()
    client.connect()
    request = client.core.submit({"tx": {}})
    client.receive(refusal("NonceMismatch", 115, frame_id=request))
    assert answers(client) == [(request, "error")]
    client.lose()
    client.connect()
    assert [kind for kind, _ in client.sent()] == []


def step(number: int, kind: str, request: str, **more: Any) -> str:
    return frame("chorus_step", {"number": number, "type": kind, "at_ms": 0, **more}, id=request)


def test_a_run_is_watched_on_after_a_loss() -> None:
    client = Client()
    client.connect()
    request = client.core.chorus({"prompt": "why?"})
    assert client.sent() == [("chorus", {"prompt": "why?"})]
    client.receive(step(1, "run_started", request, run_id="r"), step(2, "step_started", request))
    client.lose()
    client.connect()
    assert client.sent() == [("chorus", {"run_id": "r", "after": 2})]
    client.receive(step(3, "run_finished", request))
    assert len(answers(client)) == 3
    client.lose()
    client.connect()
    assert client.sent() == []


def test_a_question_is_not_asked_twice() -> None:
    client = Client()
    client.connect()
    request = client.core.chorus({"prompt": "why?"})
    client.sent()
    client.lose()
    assert answers(client) == [(request, None)]
    client.connect()
    assert client.sent() == []


def test_a_thread_sync_has_the_thread() -> None:
    client = following(10)
    client.receive(thread_sync(12, messages=(3, 4)))
    (sync,) = client.updates()
    assert isinstance(sync, ThreadSync)
    assert [message.text for message in sync.thread.messages.items] == ["message 3", "message 4"]
