"""The state of a thread or account as one receiver may see it: what `state_sync` carries."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from choir.api.access import roles_of, show
from choir.api.accounts import AccountView, load_account
from choir.api.cursors import before_cursor
from choir.api.live.streams import StreamKey
from choir.api.live.updates import TEXT_BYTES
from choir.api.services import Services
from choir.api.threads import ThreadDetail, show_thread
from choir.api.views import MessageView, SpecView, spec_view
from choir.ledger.entities import MESSAGES
from choir.ledger.errors import Code, Rejected
from choir.ledger.state import State
from choir.memory.privacy import Level, View, get_view
from choir.memory.records import Placement, Record, SpecQuery

_MESSAGES: Final = 50
_HISTORY: Final = 50
_SPECS: Final = 64
# Each takes a privacy change of just that moment; more in a row mean that something is wrong.
_ATTEMPTS: Final = 8
V = TypeVar("V", MessageView, SpecView)


class ThreadSnapshot(ThreadDetail, frozen=True, kw_only=True):
    """As `GET /v1/thread/{id}`, with the newest page. ``has_older``: the page does not begin with the thread.
    ``is_cut``: open specs were left out, because they would not fit into one frame."""

    has_older: bool
    is_cut: bool


class AccountSnapshot(AccountView, frozen=True, kw_only=True):
    """As `GET /v1/account/{address}`, and the open specs that await the account's vote, oldest first."""

    awaiting: list[SpecView]
    is_cut: bool


async def load_snapshot(services: Services, key: StreamKey, viewer: str | None) -> ThreadSnapshot | AccountSnapshot:
    """What the viewer may see at the moment when this returns. Rejects with NotFound, and with NotReady when the memory
    does not come to agree with the ledger."""
    for _ in range(_ATTEMPTS):
        if key.kind == "account":
            account = await _load_account(services, key.id)
            snapshot: ThreadSnapshot | AccountSnapshot = account
            shown: list[MessageView | SpecView] = [*account.awaiting]
            opening = None
        else:
            opening = await asyncio.to_thread(services.records.opening_of, key.id)
            thread = await _load_thread(services, key.id, viewer)
            snapshot, shown = thread, [*thread.messages.items, *thread.open_specs]
            opening = opening if thread.title is not None else None
        with services.engine.read() as state:
            if _is_current(state, viewer, shown, opening):
                return snapshot
        await services.follower.caught_up()
    raise Rejected(Code.NotReady, retry_after_ms=1000)


def _is_current(
    state: State, viewer: str | None, shown: Iterable[MessageView | SpecView], opening: Record | None
) -> bool:
    """Whether the viewer may see all of it still. While it was loaded, a block may have hidden or erased something."""
    if opening is not None and not _may_read(state, viewer, opening.content_hash):
        return False
    for view in shown:
        content_hash = view.spec_id if isinstance(view, SpecView) else view.content_hash
        message = state.get(MESSAGES, content_hash)
        if view.text is not None and not _may_read(state, viewer, content_hash):
            return False
        if view.summary is not None and (message is None or message.is_erased or message.privacy != view.privacy):
            return False
    return True


def _may_read(state: State, viewer: str | None, content_hash: str) -> bool:
    message = state.get(MESSAGES, content_hash)
    if message is None or message.is_erased:
        return False
    placement = Placement(message.thread_id, message.author, message.privacy, message.is_erased)
    return get_view(roles_of(state, placement, viewer), Level(message.privacy)) is View.FULL


async def _load_thread(services: Services, thread_id: str, viewer: str | None) -> ThreadSnapshot:
    records = await asyncio.to_thread(services.records.newest_of_thread, thread_id, _MESSAGES + 1)
    detail = await show_thread(services, viewer, thread_id, records[-_MESSAGES:])
    newest = _first_that_fit(detail.messages.items[::-1])[::-1]
    specs = _first_that_fit(detail.open_specs)
    fields = msgspec.structs.asdict(detail)
    return ThreadSnapshot(
        **fields
        | {"messages": msgspec.structs.replace(detail.messages, items=newest), "open_specs": specs}
        | {"has_older": len(newest) < len(records), "is_cut": len(specs) < len(detail.open_specs)}
    )


async def _load_account(services: Services, address: str) -> AccountSnapshot:
    account = await load_account(services, address, before_cursor(None), _HISTORY)
    query = SpecQuery(before_cursor(None), _SPECS, voter=address, status="open")
    records = await asyncio.to_thread(services.records.specs, query)
    asking = [r for r in records if r.spec and address not in (*r.spec.approvals, *r.spec.denials)]
    specs = [spec_view(shown) for shown in await show(services, address, asking)][::-1]
    awaiting = _first_that_fit(specs)
    return AccountSnapshot(**msgspec.structs.asdict(account), awaiting=awaiting, is_cut=len(awaiting) < len(specs))


def _first_that_fit(views: Sequence[V]) -> list[V]:
    """As many as have texts for one frame, but at least one."""
    size_bytes = 0
    for count, view in enumerate(views):
        size_bytes += len((view.text or "").encode())
        if size_bytes > TEXT_BYTES and count:
            return list(views[:count])
    return list(views)
