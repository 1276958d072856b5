"""How a connection that is new or behind gets to the newest event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from choir.api.live.metrics import CATCH_UPS
from choir.api.live.snapshots import load_snapshot
from choir.api.live.streams import Entry
from choir.api.live.subscription import Subscription
from choir.api.live.updates import build_delivery, look_again, readers_of
from choir.ledger.errors import Code, Rejected

if TYPE_CHECKING:
    from choir.api.live.connection import Connection


async def catch_up(connection: Connection, subscription: Subscription) -> None:
    """One step: a batch of what is missing, or a snapshot where that is not held; then the stream is told as it
    happens."""
    if not await connection.is_entitled() or not connection.is_following(subscription):
        return
    hub, sent_seq = connection.hub, subscription.sent_seq
    missing = None if sent_seq is None else subscription.stream.missing_after(sent_seq)
    if missing is None or sent_seq is None or sent_seq > hub.streams.head_seq:
        await _send_snapshot(connection, subscription)
    elif missing and subscription.unacknowledged >= hub.limits.unacknowledged_updates:
        connection.hold(subscription)
    elif missing:
        await _send_batch(connection, subscription, missing)
    elif subscription.request_id is not None:
        _answer(connection, subscription, "batch", {"updates": []}, sent_seq)
        _note_rights(connection, subscription)
        subscription.request_id = None
    else:
        connection.caught_up(subscription)


async def _send_snapshot(connection: Connection, subscription: Subscription) -> None:
    # Whatever is told so far can be read: the snapshot holds at least that.
    seq = connection.hub.streams.head_seq
    try:
        snapshot = await load_snapshot(connection.services, subscription.stream.key, connection.viewer)
    except Rejected as refusal:
        if connection.is_following(subscription):
            connection.end_stream(subscription, refusal)
        return
    if not _may_be_told(connection, subscription):
        return
    _answer(connection, subscription, "state_sync", snapshot, seq)
    CATCH_UPS.labels("snapshot").inc()
    subscription.begin_at(seq)
    _note_rights(connection, subscription)


async def _send_batch(connection: Connection, subscription: Subscription, missing: list[Entry]) -> None:
    viewer, services = connection.viewer, connection.services
    batch_id = subscription.request_id or f"b{missing[0].seq}"
    delivery = await build_delivery(services, subscription.stream.key, missing, {viewer}, batch_id)
    if not _may_be_told(connection, subscription):
        return
    if subscription.loses_right(delivery.may_read):
        connection.end_stream(subscription, Rejected(Code.NotPermitted, "You may no longer read this thread."))
        return
    with services.engine.read() as state:
        is_current = delivery.is_current(state)
    if not is_current:
        subscription.attempts += 1
        await look_again(services, subscription.attempts)
        return  # to the next step
    subscription.attempts = 0
    connection.write(delivery.frames[viewer])
    CATCH_UPS.labels("batch").inc()
    subscription.count_sent(delivery.entries[-1].seq, len(delivery.entries))
    subscription.request_id = None


def _may_be_told(connection: Connection, subscription: Subscription) -> bool:
    """Whether what was made meanwhile may still be sent; a session that ended meanwhile is seen by the next step."""
    is_session_known = connection.session is None or not connection.hub.must_check_sessions
    return is_session_known and connection.is_following(subscription)


def _answer(connection: Connection, subscription: Subscription, type_name: str, payload: object, seq: int) -> None:
    key = subscription.stream.key
    thread_id = key.id if key.kind == "thread" else None
    connection.send(type_name, payload, subscription.request_id, thread_id=thread_id, seq=seq)


def _note_rights(connection: Connection, subscription: Subscription) -> None:
    with connection.services.engine.read() as state:
        subscription.note_rights(readers_of(state, subscription.stream.key, (connection.viewer,)))
