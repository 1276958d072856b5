"""From events to frames: what each receiver may see of them, each distinct view encoded once."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from choir.api.access import Shown, is_premium, show_to_each
from choir.api.live.frames import Frame
from choir.api.live.protocol import envelope_fields, make_frame
from choir.api.live.streams import Entry, StreamKey
from choir.api.services import Services
from choir.api.views import MessageView, SpecView, event_view, message_view, spec_view
from choir.engine.protocol import SequencedEvent
from choir.ledger.entities import ACCOUNTS, MESSAGES, THREADS, Account, Thread
from choir.ledger.errors import BrokenInvariant
from choir.ledger.state import State
from choir.memory.privacy import Level, Role, View, get_roles, get_view
from choir.memory.records import Record

# Many clients refuse frames beyond 1 MiB. JSON at most doubles a text.
TEXT_BYTES: Final = 200 << 10
BATCH_UPDATES: Final = 64
# So often a message may be hidden or shown while it is being told.
_ATTEMPTS: Final = 20

_IN_THREAD: Final = {
    "message_posted": "new_message",
    "spec_submitted": "approval_request",
    "approval_cast": "new_approval",
    "spec_settled": "settled",
}
_IN_ACCOUNT: Final = {"spec_settled": "settled"}
# Where the message stands that an event adds, changes or hides.
_MESSAGE_FIELDS: Final = {
    "message_posted": "content_hash",
    "spec_submitted": "content_hash",
    "spec_settled": "spec_id",
    "privacy_changed": "content_hash",
    "message_erased": "content_hash",
}


class UpdatePayload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Quantities are the newest, not those right after the event: they replace what the client has."""

    after_seq: int
    event: dict[str, Any]
    message: MessageView | UnsetType = UNSET
    spec: SpecView | UnsetType = UNSET
    balance: str | UnsetType = UNSET
    message_count: int | UnsetType = UNSET
    open_spec_count: int | UnsetType = UNSET
    co_authors: tuple[str, ...] | UnsetType = UNSET


class Delivery(NamedTuple):
    """``frames`` of ``entries`` for each viewer; ``may_read`` says who may read the thread at its own level, None where
    all may."""

    entries: Sequence[Entry]
    frames: Mapping[str | None, Frame]
    may_read: Mapping[str | None, bool] | None
    records: Sequence[Record]

    def is_current(self, state: State) -> bool:
        """Whether no message has become more or less private, or been erased, since it was looked at."""
        for record in self.records:
            message = state.get(MESSAGES, record.content_hash)
            if message is None or (message.privacy, message.is_erased) != (record.privacy, record.is_erased):
                return False
        return True


async def build_delivery(
    services: Services,
    key: StreamKey,
    entries: Sequence[Entry],
    viewers: Collection[str | None],
    batch_id: str | None = None,
) -> Delivery:
    """Frames of the first entries of one stream for each of its viewers: as many as fit into one. With ``batch_id``
    always a `batch` of that id."""
    entries = entries[:BATCH_UPDATES]
    hashes: Sequence[str | None] = [_hash_in(key, entry.event) for entry in entries]
    wanted = sorted({content_hash for content_hash in hashes if content_hash is not None})
    records = await asyncio.to_thread(services.records.by_hashes, wanted) if wanted else {}
    entries, hashes = _cut(entries, hashes, records)
    shown = dict(zip(records, await show_to_each(services, viewers, list(records.values())), strict=True))
    with services.engine.read() as state:
        base = _base_fields(state, key)
        may_read = readers_of(state, key, viewers)
    now_ms = services.clock_ms()
    to_each = [None if content_hash is None else shown.get(content_hash) for content_hash in hashes]
    encoder = _Encoder(key, entries, base, now_ms, batch_id)
    frames = {viewer: encoder.frame([None if each is None else each[viewer] for each in to_each]) for viewer in viewers}
    return Delivery(entries, frames, may_read, list(records.values()))


async def look_again(services: Services, attempts: int) -> None:
    """A message was found to be hidden after it was looked at: wait until the memory knows. Raises ``BrokenInvariant``
    when it never does."""
    if attempts >= _ATTEMPTS:
        raise BrokenInvariant("the memory disagrees with the ledger on who may read a message; run `choir doctor`")
    await services.follower.caught_up()


def _cut(
    entries: Sequence[Entry], hashes: Sequence[str | None], records: Mapping[str, Record]
) -> tuple[Sequence[Entry], Sequence[str | None]]:
    """As many entries as have texts for one frame, but at least one."""
    size_bytes = 0
    for count, content_hash in enumerate(hashes):
        text = None if content_hash is None or content_hash not in records else records[content_hash].text
        size_bytes += len((text or "").encode())
        if size_bytes > TEXT_BYTES and count:
            return entries[:count], hashes[:count]
    return entries, hashes


def readers_of(state: State, key: StreamKey, viewers: Collection[str | None]) -> dict[str | None, bool] | None:
    """Who may read a message of the thread at the thread's own level; None where everybody may."""
    thread = None if key.kind == "account" else state.get(THREADS, key.id)
    if thread is None or get_view({Role.EVERYONE}, Level(thread.privacy)) is View.FULL:
        return None
    return {viewer: _may_read(state, thread, viewer) for viewer in viewers}


def _may_read(state: State, thread: Thread, viewer: str | None) -> bool:
    roles = get_roles(viewer, thread.co_authors, is_premium(state, viewer), author="")
    return get_view(roles, Level(thread.privacy)) is View.FULL


class _Encoder:
    """Encodes each distinct view of each entry once, and each distinct row of views once."""

    def __init__(
        self, key: StreamKey, entries: Sequence[Entry], base: dict[str, Any], now_ms: int, batch_id: str | None
    ) -> None:
        self._key, self._entries, self._base = key, entries, base
        self._now_ms, self._batch_id = now_ms, batch_id
        self._thread_id = key.id if key.kind == "thread" else None
        self._updates: dict[tuple[int, int], bytes] = {}
        self._frames: dict[tuple[int, ...], Frame] = {}

    def frame(self, row: Sequence[Shown | None]) -> Frame:
        # Equal views are one object, so its identity names the view for as long as the row is held by the caller.
        kind = tuple(map(id, row))
        frame = self._frames.get(kind)
        if frame is None:
            frame = self._frames[kind] = self._make(row)
        return frame

    def _make(self, row: Sequence[Shown | None]) -> Frame:
        updates = [self._update(entry, shown) for entry, shown in zip(self._entries, row, strict=True)]
        if len(updates) == 1 and self._batch_id is None:
            return make_frame(updates[0], self._thread_id)
        last_seq = self._entries[-1].seq
        payload = b'{"updates":[%b]}' % b",".join(b"{%b}" % update for update in updates)
        batch_id = self._batch_id or f"b{last_seq}"
        return make_frame(envelope_fields(batch_id, "batch", payload, self._now_ms, last_seq), self._thread_id)

    def _update(self, entry: Entry, shown: Shown | None) -> bytes:
        kind = (entry.seq, id(shown))
        known = self._updates.get(kind)
        if known is None:
            payload = msgspec.json.encode(_payload(self._key, entry, self._base, shown))
            name = type_of(self._key, entry.event)
            known = envelope_fields(f"u{entry.seq}", name, payload, self._now_ms, entry.seq)
            self._updates[kind] = known
        return known


def type_of(key: StreamKey, event: SequencedEvent) -> str:
    """The type of message that tells an event in a stream."""
    name = event.fields["type"]
    if key.kind == "thread":
        return _IN_THREAD.get(name, "thread_update")
    if name == "spec_submitted" and key.id in event.fields["voters"]:
        return "approval_request"
    return _IN_ACCOUNT.get(name, "account_update")


def _hash_in(key: StreamKey, event: SequencedEvent) -> str | None:
    """The message to show with an event. In an account's own stream only what it is asked to vote on."""
    if key.kind == "account" and type_of(key, event) != "approval_request":
        return None
    name = _MESSAGE_FIELDS.get(event.fields["type"])
    return None if name is None else event.fields[name]


def _base_fields(state: State, key: StreamKey) -> dict[str, Any]:
    if key.kind == "account":
        account: Account = state.get(ACCOUNTS, key.id) or Account()
        return {"balance": str(account.balance)}
    thread = state.get(THREADS, key.id)
    return {
        "balance": str(thread.balance),
        "message_count": thread.message_count,
        "open_spec_count": thread.open_spec_count,
        "co_authors": thread.co_authors,
    }


def _payload(key: StreamKey, entry: Entry, base: dict[str, Any], shown: Shown | None) -> UpdatePayload:
    event = entry.event
    fields = dict(base)
    if event.fields["type"] != "co_author_added":
        # The list may be long, and nothing else changes it.
        fields.pop("co_authors", None)
    if shown is not None:
        is_request = type_of(key, event) == "approval_request"
        fields["spec" if is_request else "message"] = spec_view(shown) if is_request else message_view(shown)
    told = {"seq": event.seq, "height": event.height, "time_ms": event.time_ms, "tx_hash": event.tx_hash}
    return UpdatePayload(after_seq=entry.after_seq, event=event_view({**told, **event.fields}), **fields)
