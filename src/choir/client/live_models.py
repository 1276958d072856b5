"""The updates of a live connection, typed.

As in `choir.client.models`, a field that a newer node adds is ignored, amounts are decimal strings of uchoir, and times
are ``*_ms``.
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from choir.client.live_frames import Incoming, Refusal, decode_payload, unexpected
from choir.client.models import Account, Message, Spec, Thread
from choir.ledger.transactions import snake_case

ConnectionState = Literal["connecting", "live", "reconnecting", "closed"]


class Update(Struct, frozen=True, kw_only=True, tag_field="type", tag=snake_case):
    """Something to tell the user of a live connection."""


class Connection(Update, frozen=True, kw_only=True):
    """How the connection stands. ``reason`` says why it was lost, ``retry_in_seconds`` when it is tried again."""

    state: ConnectionState
    reason: str | None = None
    retry_in_seconds: float | None = None


class StreamEnded(Update, frozen=True, kw_only=True):
    """The node gives no more of a thread (None: of the account): it is unknown, or the right to it was lost."""

    thread_id: str | None
    error: Refusal


class ThreadSnapshot(Thread, frozen=True, kw_only=True):
    """``messages`` are the newest. ``has_older``: the page does not begin with the thread. ``is_cut``: open
    specs were left out for their size."""

    has_older: bool = False
    is_cut: bool = False


class AccountSnapshot(Account, frozen=True, kw_only=True):
    """``awaiting``: the open specs that await the account's vote, oldest first."""

    awaiting: tuple[Spec, ...] = ()
    is_cut: bool = False


class ThreadSync(Update, frozen=True, kw_only=True):
    """The whole thread with its newest messages: it replaces what was known before."""

    thread_id: str
    seq: int
    thread: ThreadSnapshot


class AccountSync(Update, frozen=True, kw_only=True):
    """The whole account: it replaces what was known before."""

    seq: int
    account: AccountSnapshot


class News(Update, frozen=True, kw_only=True):
    """An event. ``seq`` is its number in the ledger, ``event`` has its type and its own fields, ``thread_id`` is the
    followed thread, None where the followed account is told. ``balance`` is the newest of that thread or account."""

    seq: int = 0
    thread_id: str | None = None
    event: dict[str, Any]
    balance: str | None = None


class ThreadNews(News, frozen=True, kw_only=True):
    """Counts are the newest; ``co_authors`` is there when they have changed."""

    message_count: int | None = None
    open_spec_count: int | None = None
    co_authors: tuple[str, ...] | None = None


class NewMessage(ThreadNews, frozen=True, kw_only=True):
    message: Message


class ApprovalRequest(ThreadNews, frozen=True, kw_only=True):
    spec: Spec


class NewApproval(ThreadNews, frozen=True, kw_only=True):
    """A vote; the event says whose, for what, and how many are missing."""


class Settled(ThreadNews, frozen=True, kw_only=True):
    """What became of a spec, and where its stake went; ``message`` is its text as it is seen now, for a thread."""

    message: Message | None = None


class ThreadUpdate(ThreadNews, frozen=True, kw_only=True):
    """Something else about the thread. ``message`` is the one whose level changed or that was erased."""

    message: Message | None = None


class AccountUpdate(News, frozen=True, kw_only=True):
    """Something else about the account."""


AnyUpdate = (
    Connection
    | StreamEnded
    | ThreadSync
    | AccountSync
    | NewMessage
    | ApprovalRequest
    | NewApproval
    | Settled
    | ThreadUpdate
    | AccountUpdate
)

_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    "new_message": msgspec.json.Decoder(NewMessage),
    "approval_request": msgspec.json.Decoder(ApprovalRequest),
    "new_approval": msgspec.json.Decoder(NewApproval),
    "settled": msgspec.json.Decoder(Settled),
    "thread_update": msgspec.json.Decoder(ThreadUpdate),
    "account_update": msgspec.json.Decoder(AccountUpdate),
}


def decode_sync(frame: Incoming, thread_id: str | None, seq: int) -> AnyUpdate:
    """The snapshot that a ``state_sync`` is, of the account where ``thread_id`` is None."""
    if thread_id is None:
        return AccountSync(seq=seq, account=decode_payload(frame, AccountSnapshot))
    return ThreadSync(thread_id=thread_id, seq=seq, thread=decode_payload(frame, ThreadSnapshot))


def decode_news(frame: Incoming, thread_id: str | None, seq: int) -> AnyUpdate | None:
    """The update that a numbered frame is; None for a kind that only a newer client knows."""
    decoder = _DECODERS.get(frame.type)
    if decoder is None:
        return None
    try:
        news = decoder.decode(frame.payload)
    except (msgspec.DecodeError, RecursionError) as error:
        raise unexpected(f"{frame.type}: {error}") from error
    update: AnyUpdate = msgspec.structs.replace(news, thread_id=thread_id, seq=seq)
    return update
