"""What the asker gets of a record. The rights themselves are one table in `choir.memory.privacy`."""

import asyncio
from collections.abc import Collection, Mapping, Sequence, Set
from typing import NamedTuple

from choir.api.reading import ReadingParts
from choir.ledger.entities import ACCOUNTS, THREADS
from choir.ledger.state import State
from choir.memory.privacy import Level, Right, Role, View, get_roles, get_view, is_audited
from choir.memory.records import Placement, Record
from choir.memory.summary import summarise_minimal


class Shown(NamedTuple):
    """A record as one asker may see it: ``text`` with a full view, ``summary`` with a limited one,
    ``at_most_characters`` with a minimal one. ``resonance`` and ``coherence`` compare it with what it cites, so they
    are there only for those who may read all of that too."""

    record: Record
    view: View
    text: str | None = None
    summary: str | None = None
    at_most_characters: int | None = None
    resonance: float | None = None
    coherence: float | None = None


async def show(services: ReadingParts, viewer: str | None, records: Sequence[Record]) -> list[Shown]:
    """Show records to ``viewer`` (an address, None when signed out), and write the audit log where it is due."""
    return [shown[viewer] for shown in await show_to_each(services, (viewer,), records)]


async def show_to_each(
    services: ReadingParts, viewers: Collection[str | None], records: Sequence[Record]
) -> list[dict[str | None, Shown]]:
    """For each record what each viewer gets of it; those who get the same share one `Shown`."""
    cited = sorted({prior for record in records if record.resonance is not None for prior in record.priors})
    priors = await asyncio.to_thread(services.records.placements, cited) if cited else {}
    with services.engine.read() as state:
        views = [_views(state, record, viewers) for record in records]
        prior_views = {h: _views(state, p, viewers) for h, p in priors.items() if not p.is_erased}
    shown = [
        _show_to_each(record, seen, priors.keys(), prior_views) for record, seen in zip(records, views, strict=True)
    ]
    await _audit(services, shown)
    return shown


async def show_one(services: ReadingParts, viewer: str | None, record: Record) -> Shown:
    """One record; see `show`."""
    (shown,) = await show(services, viewer, (record,))
    return shown


def is_co_author(state: State, viewer: str | None, thread_id: str) -> bool:
    """Whether the viewer is a co-author of the thread."""
    thread = state.get(THREADS, thread_id)
    return viewer is not None and thread is not None and viewer in thread.co_authors


async def closed_threads(services: ReadingParts, viewer: str | None, thread_ids: Sequence[str]) -> set[str]:
    """The threads whose centroid says something of messages that the viewer may not read."""
    hiding = await asyncio.to_thread(services.records.with_hidden_messages, thread_ids)
    with services.engine.read() as state:
        return {thread_id for thread_id in hiding if not is_co_author(state, viewer, thread_id)}


async def readable(services: ReadingParts, viewer: str | None, content_hashes: Sequence[str]) -> frozenset[str]:
    """Those messages whose text the viewer may read now and which are not erased. Nothing is read and nothing audited:
    this is for texts that the viewer was given before."""
    placements = await asyncio.to_thread(services.records.placements, content_hashes) if content_hashes else {}
    with services.engine.read() as state:
        return frozenset(
            content_hash
            for content_hash, placement in placements.items()
            if not placement.is_erased and _views(state, placement, (viewer,))[viewer] is View.FULL
        )


def is_premium(state: State, viewer: str | None) -> bool:
    """Whether the viewer's premium membership runs at the newest block's time."""
    account = None if viewer is None else state.get(ACCOUNTS, viewer)
    return account is not None and account.premium_until_ms > state.chain.time_ms


def roles_of(state: State, record: Record | Placement, viewer: str | None) -> frozenset[Role]:
    """What the viewer is to the record."""
    thread = state.get(THREADS, record.thread_id)
    co_authors = () if thread is None else thread.co_authors
    return get_roles(viewer, co_authors, is_premium(state, viewer), record.author)


def _views(state: State, record: Record | Placement, viewers: Collection[str | None]) -> dict[str | None, View]:
    level = Level(record.privacy)
    for_everyone = get_view({Role.EVERYONE}, level)
    if for_everyone is View.FULL:
        # Everybody holds that role and one more takes no right away: nothing to look up.
        return dict.fromkeys(viewers, for_everyone)
    return {viewer: get_view(roles_of(state, record, viewer), level) for viewer in viewers}


def _show_to_each(
    record: Record,
    views: Mapping[str | None, View],
    priors: Set[str],
    prior_views: Mapping[str, Mapping[str | None, View]],
) -> dict[str | None, Shown]:
    """``priors`` are the cited messages that decide over the quantities, ``prior_views`` how they are seen; those that
    nobody sees are not in it."""
    cited = priors & set(record.priors)
    known: dict[tuple[View, bool], Shown] = {}
    shown: dict[str | None, Shown] = {}
    for viewer, view in views.items():
        may_compare = all(prior in prior_views and prior_views[prior][viewer] is View.FULL for prior in cited)
        kind = (view, may_compare)
        if kind not in known:
            known[kind] = _show(record, view, may_compare)
        shown[viewer] = known[kind]
    return shown


def _show(record: Record, view: View, may_compare: bool) -> Shown:
    """``may_compare``: the asker may read all that the record cites."""
    if view is View.FULL:
        if record.is_erased or not may_compare:
            return Shown(record, view, text=record.text)
        return Shown(record, view, text=record.text, resonance=record.resonance, coherence=record.coherence)
    if record.is_erased or view is View.EXISTENCE:
        return Shown(record, view)
    if view is View.LIMITED:
        return Shown(record, view, summary=record.summary)
    minimal = summarise_minimal(record.author, record.created_at_ms, record.characters)
    return Shown(record, view, at_most_characters=minimal.at_most_characters)


async def _audit(services: ReadingParts, shown: Sequence[Mapping[str | None, Shown]]) -> None:
    due = [
        (viewer, s)
        for to_each in shown
        for viewer, s in to_each.items()
        if is_audited(Level(s.record.privacy), s.view is View.FULL)
    ]
    if not due:
        return
    audit, now_ms = services.access.audit, services.clock_ms()

    def write() -> None:
        for viewer, s in due:
            is_allowed = s.view is View.FULL
            audit.record(viewer, s.record.content_hash, s.record.thread_id, Right.READ, now_ms, is_allowed)
        audit.count_summaries(sum(s.view in (View.LIMITED, View.MINIMAL) for _, s in due))

    await services.access.run(write)
