"""A run under way: its events so far, and those who watch it."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from choir.chorus.events import ENDINGS, AnyRunEvent, Token
from choir.chorus.runner import ChorusRun
from choir.chorus.store import KeptRun
from choir.chorus.veil import Span, compute_spans

MAX_TOKENS: Final = 20_000


class LiveRun:
    """Holds what a watcher who comes or comes back may have missed. Watchers pull, each at their own pace, so that a
    slow one costs nothing. Of too many tokens the older half goes: the output of their step says it all."""

    def __init__(self, kept: KeptRun, run: ChorusRun, context: Sequence[str]) -> None:
        self.kept = kept
        self.run = run
        self.last_at_ms = 0
        self.last_number = 0
        self._context = context
        self._events: list[AnyRunEvent] = []
        self._tokens = 0
        self._news = asyncio.Event()

    @property
    def is_over(self) -> bool:
        return bool(self._events) and isinstance(self._events[-1], ENDINGS)

    @property
    def spans(self) -> dict[str, Span]:
        """Where each message that the run was given may stand."""
        return compute_spans(self._context, self._events)

    def add(self, event: AnyRunEvent) -> None:
        """The next event: everybody who waits is woken."""
        self._events.append(event)
        self._tokens += isinstance(event, Token)
        if self._tokens > MAX_TOKENS:
            self._drop_old_tokens()
        self.last_at_ms, self.last_number = event.at_ms, event.number
        self._news.set()
        self._news = asyncio.Event()

    def since(self, number: int) -> list[AnyRunEvent]:
        """The events after ``number`` that are still held."""
        return self._events[bisect_right(self._events, number, key=lambda event: event.number) :]

    def _drop_old_tokens(self) -> None:
        numbers = [event.number for event in self._events if isinstance(event, Token)]
        oldest_kept = numbers[len(numbers) // 2]
        self._events = [e for e in self._events if not isinstance(e, Token) or e.number >= oldest_kept]
        self._tokens = sum(isinstance(event, Token) for event in self._events)

    async def news(self) -> None:
        """Wait for the next event."""
        await self._news.wait()
