"""A kept run as its owner may see it now: texts of messages come from the memory, and go with the right to them."""

import asyncio
from collections.abc import Mapping

import msgspec

from choir.api.access import Shown, show
from choir.api.finding import titles_of
from choir.api.reading import ReadingParts
from choir.chorus.events import AnyRunEvent, PriorsFound, PriorView
from choir.chorus.store import RunRecord
from choir.chorus.veil import is_veiled, veil
from choir.memory.privacy import View


async def present(parts: ReadingParts, viewer: str, kept: RunRecord) -> tuple[tuple[AnyRunEvent, ...], bool]:
    """The events for the owner's eyes, and whether anything was withheld. Reading the messages again is audited."""
    records = await asyncio.to_thread(parts.records.by_hashes, list(kept.spans))
    shown = await show(parts, viewer, list(records.values()))
    open_messages = {s.record.content_hash: s for s in shown if s.view is View.FULL and s.text is not None}
    titles = await titles_of(parts, None, list(open_messages.values()))
    hidden = {content_hash: span for content_hash, span in kept.spans.items() if content_hash not in open_messages}
    events = tuple(_fill(veil(event, hidden), open_messages, titles) for event in kept.events)
    return events, any(is_veiled(event, hidden) for event in kept.events)


def _fill(event: AnyRunEvent, messages: Mapping[str, Shown], titles: Mapping[str, str | None]) -> AnyRunEvent:
    if not isinstance(event, PriorsFound):
        return event
    priors = tuple(_fill_prior(prior, messages.get(prior.content_hash), titles) for prior in event.priors)
    return msgspec.structs.replace(event, priors=priors)


def _fill_prior(prior: PriorView, shown: Shown | None, titles: Mapping[str, str | None]) -> PriorView:
    if shown is None:
        return prior
    return msgspec.structs.replace(prior, text=shown.text or "", title=titles.get(prior.thread_id))
