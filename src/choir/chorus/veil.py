"""What a kept run still shows when a message that it was written from may no longer be read.

Every step after a message was given may hold its words, cited or not. So all that was written from then on is
withheld, not only the quotes: what cannot be told apart is treated alike. Pure: nothing is read or written here.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from choir.chorus.events import (
    AnyRunEvent,
    PriorsFound,
    PriorsRemoved,
    PriorView,
    RunFailed,
    RunFinished,
    StepFailed,
    StepFinished,
    Token,
)
from choir.chorus.steps import AnyOutput

WITHHELD: Final = "(withheld: written from a message that may no longer be read)"


class Span(NamedTuple):
    """The events of a run that a message may stand in: those after number ``after``, up to ``until`` (None: all)."""

    after: int
    until: int | None = None

    def includes(self, number: int) -> bool:
        return number > self.after and (self.until is None or number <= self.until)


def sources_of(event: AnyRunEvent) -> tuple[str, ...]:
    """The content hashes of the messages that a run is given with this event."""
    return tuple(prior.content_hash for prior in event.priors) if isinstance(event, PriorsFound) else ()


def compute_spans(context: Iterable[str], events: Iterable[AnyRunEvent]) -> dict[str, Span]:
    """Where each message that a run was given may stand, by its content hash. ``context`` was given from the start."""
    spans = {content_hash: Span(0) for content_hash in context}
    hashes: dict[str, str] = {}
    for event in events:
        if isinstance(event, PriorsFound):
            for prior in event.priors:
                hashes[prior.id] = prior.content_hash
                first = spans.get(prior.content_hash, Span(event.number))
                spans[prior.content_hash] = Span(first.after)
        elif isinstance(event, PriorsRemoved):
            for content_hash in [hashes[prior_id] for prior_id in event.priors if prior_id in hashes]:
                if spans[content_hash].after > 0:  # the thread's own messages are given throughout
                    spans[content_hash] = Span(spans[content_hash].after, event.number)
    return spans


def veil(event: AnyRunEvent, hidden: Mapping[str, Span]) -> AnyRunEvent:
    """The event without what comes from the hidden messages, given by content hash."""
    if not hidden:
        return event
    if isinstance(event, PriorsFound):
        priors = tuple(_hide(prior) if prior.content_hash in hidden else prior for prior in event.priors)
        event = msgspec.structs.replace(event, priors=priors)
    return _withhold(event) if is_veiled(event, hidden) else event


def is_veiled(event: AnyRunEvent, hidden: Mapping[str, Span]) -> bool:
    """Whether the event may have been written from one of the hidden messages."""
    return any(span.includes(event.number) for span in hidden.values())


def strip_texts(event: AnyRunEvent) -> AnyRunEvent:
    """The event as it is kept: the texts of messages stay in the memory, which knows who may read them."""
    if not isinstance(event, PriorsFound):
        return event
    priors = tuple(msgspec.structs.replace(prior, text="", title=None) for prior in event.priors)
    return msgspec.structs.replace(event, priors=priors)


def _hide(prior: PriorView) -> PriorView:
    return msgspec.structs.replace(
        prior, text="", title=None, similarity=None, score=0.0, resonance=None, phase=None, entanglement=None
    )


def _withhold(event: AnyRunEvent) -> AnyRunEvent:
    replace = msgspec.structs.replace
    match event:
        case PriorsFound():
            return replace(event, query=WITHHELD)
        case Token():
            return replace(event, text="")
        case StepFinished():
            return replace(event, output=_withhold_output(event.output))
        case RunFinished():
            return replace(event, answer=WITHHELD, citations=())
        case StepFailed() | RunFailed():
            return replace(event, message=WITHHELD)
        case _:
            return event


def _withhold_output(output: AnyOutput) -> AnyOutput:
    """The same kind of output without a word of it; its numbers stay."""
    empty: dict[str, Any] = {
        name: WITHHELD if isinstance(value, str) else () if isinstance(value, tuple) else value
        for name, value in msgspec.structs.asdict(output).items()
    }
    return msgspec.structs.replace(output, **empty)
