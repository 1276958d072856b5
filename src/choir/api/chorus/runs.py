"""The runs of a node: started, watched, cancelled, kept. REST and WebSocket both stand on this.

A run belongs to the account that asked; for everybody else it does not exist. It goes on when its watcher leaves, so
that a lost connection costs nothing: whoever wants it to stop cancels it. How many go on at once is bounded for each
account and for the node.
"""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Final

import structlog
from msgspec import Struct

from choir.api.access import readable
from choir.api.chorus.asker import AskersSearch, read_context
from choir.api.chorus.kept import present
from choir.api.chorus.live import LiveRun
from choir.api.reading import ReadingParts
from choir.chorus.controller import RunRequest
from choir.chorus.errors import InternalError
from choir.chorus.events import AnyRunEvent, RunFailed, Token
from choir.chorus.ports import Model
from choir.chorus.runner import ChorusRun, Timeouts
from choir.chorus.steps import Step
from choir.chorus.store import ChorusStore, KeptRun, RunRecord
from choir.chorus.veil import Span, veil
from choir.ledger.errors import Code, Rejected
from choir.memory.search import checked_query

MAX_PROMPT_CHARACTERS: Final = 8_192
RUNS_AT_ONCE_PER_ACCOUNT: Final = 2
_BUSY_RETRY_MS: Final = 5_000
_STOPPED: Final = "NodeStopped"
_log = structlog.get_logger("choir.api")


class RunLimits(Struct, frozen=True, kw_only=True):
    """``per_hour`` and ``at_once_per_account`` count for one account, ``at_once`` for the node."""

    per_hour: int
    at_once: int
    at_once_per_account: int = RUNS_AT_ONCE_PER_ACCOUNT


class ShownRun(Struct, frozen=True, kw_only=True):
    """A run as its owner may see it now. ``is_withheld``: something in it came from a message that the owner may no
    longer read, and is not shown."""

    kept: KeptRun
    events: tuple[AnyRunEvent, ...]
    is_withheld: bool


class ChorusRuns:
    """Every run of this node. Rejects with NotFound whatever is not the viewer's own."""

    def __init__(
        self,
        parts: ReadingParts,
        store: ChorusStore,
        models: Mapping[Step, Model],
        *,
        timeouts: Timeouts,
        limits: RunLimits,
    ) -> None:
        self._parts = parts
        self._store = store
        self._models = models
        self._timeouts = timeouts
        self._limits = limits
        self._live: dict[str, LiveRun] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._claims: Counter[str] = Counter()

    async def recover(self) -> None:
        """At the node's start, once the memory has caught up: what a crash cut short has failed, and says so; what was
        erased meanwhile goes from the kept runs."""
        for interrupted, kept in await self._store.interrupted():
            ending = RunFailed(
                number=interrupted.next_number,
                at_ms=interrupted.last_at_ms,
                step=None,
                error=_STOPPED,
                message="The node stopped while the run was under way. Ask again.",
            )
            await self._store.append(kept, ending)
            await self._erase_what_is_erased(kept)

    async def start(self, viewer: str, prompt: str, thread_id: str | None = None) -> str:
        """Begin a run and return its id. Rejects with InvalidRequest, NotFound (the thread), TooManyRequests, NotReady;
        raises ``QueryError`` for a prompt without a word."""
        if len(prompt) > MAX_PROMPT_CHARACTERS:
            raise Rejected(
                Code.InvalidRequest, f"A prompt has at most {MAX_PROMPT_CHARACTERS} characters.", field="prompt"
            )
        checked_query(prompt)
        self._claim(viewer)
        try:
            return await self._start(viewer, prompt, thread_id)
        except BaseException:
            self._release(viewer)
            raise

    async def watch(self, run_id: str, viewer: str, after: int = 0) -> AsyncGenerator[AnyRunEvent, None]:
        """The run's events after number ``after``, live with its tokens, up to its end. Leaving early changes nothing
        for the run. What the viewer lost the right to on the way is withheld."""
        live = self._find_live(run_id, viewer)
        if live is None:
            for event in (await self.get(run_id, viewer)).events:
                if event.number > after:
                    yield event
            return
        hidden: dict[str, Span] = {}
        while True:
            news = live.since(after)
            if not news:
                if live.is_over:
                    return
                await live.news()
            for event in news:
                if not isinstance(event, Token):
                    hidden = await self._hidden(live, viewer)
                yield veil(event, hidden)
                after = event.number

    async def get(self, run_id: str, viewer: str) -> ShownRun:
        """A run with its events so far, without tokens."""
        found = await self.require(run_id, viewer)
        events, is_withheld = await present(self._parts, viewer, found)
        return ShownRun(kept=found.run, events=events, is_withheld=is_withheld)

    async def require(self, run_id: str, viewer: str) -> RunRecord:
        """The run as it is kept, nothing withheld and nothing filled in. Rejects with NotFound."""
        found = await self._store.get(run_id, viewer)
        if found is None:
            raise Rejected(Code.NotFound)
        return found

    async def page(self, viewer: str, before_seq: int, limit: int) -> Sequence[KeptRun]:
        """The viewer's runs, newest first."""
        return await self._store.page(viewer, before_seq, limit)

    async def cancel(self, run_id: str, viewer: str) -> None:
        """End a run, and wait until it has ended. One that has ended stays as it is."""
        live = self._find_live(run_id, viewer)
        if live is None:
            await self.require(run_id, viewer)
            return
        live.run.cancel()
        await asyncio.wait([self._tasks[run_id]])

    async def delete(self, run_id: str, viewer: str) -> None:
        """Delete a run for good; one under way is cancelled first."""
        await self.cancel(run_id, viewer)
        if not await self._store.delete(run_id, viewer):
            raise Rejected(Code.NotFound)

    async def close(self) -> None:
        """Stop every run; each is kept as failed."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _start(self, viewer: str, prompt: str, thread_id: str | None) -> str:
        context = None if thread_id is None else await read_context(self._parts, viewer, thread_id)
        messages = () if context is None else context.messages
        await self._count(viewer)
        sources = [message.content_hash for message in messages]
        kept = await self._store.create(
            owner=viewer, prompt=prompt, thread_id=thread_id, context=sources, created_at_ms=self._parts.clock_ms()
        )
        request = RunRequest(run_id=kept.run_id, prompt=prompt, thread_id=thread_id, context=messages)
        search = AskersSearch(self._parts, viewer, thread_id, context)
        live = LiveRun(kept, ChorusRun(request, self._models, search, time.monotonic, self._timeouts), sources)
        self._live[kept.run_id] = live
        self._tasks[kept.run_id] = asyncio.create_task(self._carry_out(live), name="choir-chorus-run")
        return kept.run_id

    async def _carry_out(self, live: LiveRun) -> None:
        try:
            await self._take_events(live)
            await self._erase_what_is_erased(live.kept)
        except sqlite3.Error as error:
            _log.warning("a run could not be checked for erased messages", reason=str(error))
        finally:
            del self._live[live.kept.run_id], self._tasks[live.kept.run_id]
            self._release(live.kept.owner)

    async def _take_events(self, live: LiveRun) -> None:
        """Each event is kept before anybody sees it. Whatever happens, the run ends with an ending."""
        events = live.run.events()
        try:
            async for event in events:
                await self._store.append(live.kept, event)
                live.add(event)
        except asyncio.CancelledError:
            await self._end(live, _STOPPED, "The node stopped while the run was under way. Ask again.")
        except Exception:
            _log.exception("a run of the chorus failed", run_id=live.kept.run_id)
            await self._end(live, InternalError.__name__, "The node made a mistake; its log says which.")
        finally:
            await events.aclose()

    async def _end(self, live: LiveRun, error: str, message: str) -> None:
        if live.is_over:
            return
        number, at_ms = live.last_number + 1, live.last_at_ms
        ending = RunFailed(number=number, at_ms=at_ms, step=None, error=error, message=message)
        try:
            await self._store.append(live.kept, ending)
        except sqlite3.Error as failure:
            # A full disk, say. Whoever watches is told; the next start of the node ends the kept run.
            _log.warning("the end of a run could not be kept", run_id=live.kept.run_id, reason=str(failure))
        live.add(ending)

    async def _erase_what_is_erased(self, kept: KeptRun) -> None:
        """A message may have been erased between the moment a run was given it and the moment this was kept."""
        sources = await self._store.sources(kept)
        placements = await asyncio.to_thread(self._parts.records.placements, sources) if sources else {}
        erased = [content_hash for content_hash, placement in placements.items() if placement.is_erased]
        if erased:
            await self._store.erase(erased)

    async def _hidden(self, live: LiveRun, viewer: str) -> dict[str, Span]:
        spans = live.spans
        open_hashes = await readable(self._parts, viewer, list(spans))
        return {content_hash: span for content_hash, span in spans.items() if content_hash not in open_hashes}

    def _find_live(self, run_id: str, viewer: str) -> LiveRun | None:
        live = self._live.get(run_id)
        return live if live is not None and live.kept.owner == viewer else None

    async def _count(self, viewer: str) -> None:
        access, now_ms = self._parts.access, self._parts.clock_ms()
        await access.run(partial(access.limiter.use, viewer, "chorus", self._limits.per_hour, now_ms))

    def _claim(self, viewer: str) -> None:
        """Take one of the places for runs under way."""
        if self._claims[viewer] >= self._limits.at_once_per_account:
            detail = f"You have {self._claims[viewer]} runs under way: wait for one, or cancel it."
            raise Rejected(Code.TooManyRequests, detail, retry_after_ms=_BUSY_RETRY_MS)
        if self._claims.total() >= self._limits.at_once:
            raise Rejected(Code.NotReady, "As many runs as may are under way.", retry_after_ms=_BUSY_RETRY_MS)
        self._claims[viewer] += 1

    def _release(self, viewer: str) -> None:
        self._claims[viewer] -= 1
        if not self._claims[viewer]:
            del self._claims[viewer]
