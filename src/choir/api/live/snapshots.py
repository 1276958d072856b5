"""The state of a thread or account as one receiver may see it: what `state_sync` carries."""

import asyncio
from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec

from choir.api.access import show
from choir.api.accounts import AccountView, load_account
from choir.api.cursors import before_cursor
from choir.api.live.streams import StreamKey
from choir.api.live.updates import TEXT_BYTES
from choir.api.services import Services
from choir.api.threads import ThreadDetail, show_thread
from choir.api.views import MessageView, SpecView, spec_view
from choir.memory.records import SpecQuery

_MESSAGES: Final = 50
_HISTORY: Final = 50
_SPECS: Final = 64
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
    """Rejects with NotFound."""
    if key.kind == "account":
        return await _load_account(services, key.id)
    return await _load_thread(services, key.id, viewer)


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
