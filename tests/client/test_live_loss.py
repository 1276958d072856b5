"""Losses of the connection, refusals and requests: the live protocol without a socket and without a clock."""

from typing import Any

import pytest

from choir.client.live_core import HANDSHAKE_SECONDS, SILENCE_SECONDS, STEADY_SECONDS
from choir.client.live_models import Connection, StreamEnded, ThreadSync
from tests.client.live_node import (
    ASK,
    OTHER,
    THREAD,
    Client,
    ask_from,
    following,
    frame,
    new_message,
    refusal,
    thread_sync,
    welcome,
)

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
