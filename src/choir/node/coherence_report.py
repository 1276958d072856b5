"""A node's report of itself: its memory against its ledger, by a sample that the epoch's seed draws.

The sample is a stretch of the ring of content hashes. Those are evenly spread and nobody knows the seed beforehand, so
a stretch is as good as any random choice, and both files have an index that finds it whatever their size.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

import structlog

from choir.coherence.agreement import ShardAgreement, probe_agreement, proven_agreement
from choir.coherence.draws import draw_bytes, draw_indices, draw_probe
from choir.coherence.epoch import Report
from choir.coherence.params import CoherenceParams
from choir.coherence.records import Checked
from choir.coherence.sketch import make_sketch, sketch_agreement
from choir.engine.protocol import Engine
from choir.ledger.entities import MESSAGES, Message
from choir.memory.memory import Memory, SearchUnavailable
from choir.memory.probing import Probed
from choir.memory.vector_index import IndexUnavailable

SAMPLED_RECORDS: Final = 512
_LAST_HASH: Final = "f" * 64
_FIRST_HASH: Final = "0" * 64
_UNFOUND: Final = "search_unavailable"

_log = structlog.get_logger("choir.node")


class Stretch(NamedTuple):
    """A part of the ring of hashes, both ends included."""

    first: str
    last: str


class Sample(NamedTuple):
    """Messages of the ledger by content hash, and the stretches that hold just these."""

    messages: dict[str, Message]
    stretches: list[Stretch]


class OwnReport(NamedTuple):
    """The report, and what was looked at for it."""

    report: Report
    checked: Checked


class _Looked(NamedTuple):
    """What was found in the memory: hashes held in the sample's stretches, problems by hash of what was challenged."""

    held: list[str]
    problems: dict[str, str]


async def make_report(
    engine: Engine, memory: Memory, seed: bytes, before_ms: int, params: CoherenceParams
) -> OwnReport:
    """Look at what was on the ledger before ``before_ms``; the memory must have followed the ledger that far. Raises
    ``sqlite3.Error`` where the ledger cannot be read."""
    sample = await take_sample(engine, seed, before_ms, SAMPLED_RECORDS)
    drawn = sorted(sample.messages)
    challenged = [drawn[i] for i in draw_indices(seed, "challenges", params.challenges, len(drawn))]
    looked = await asyncio.to_thread(_look, memory, sample, challenged, before_ms)
    probed = await _probe(memory, seed, drawn, params)
    erased = _erased_by_now(engine, {*drawn, *looked.held})
    return await asyncio.to_thread(_conclude, seed, sample, challenged, looked, probed, erased)


async def take_sample(engine: Engine, seed: bytes, before_ms: int, limit: int) -> Sample:
    """About ``limit`` messages that follow a point that the seed draws, all of them where there are no more; without
    those that are erased or came later."""
    point = draw_bytes(seed, "records", 32).hex()
    above = await _entries(engine, Stretch(point, _LAST_HASH), limit)
    if len(above) == limit:
        stretches = [Stretch(point, above[-1][0])]
        return _sample(above, stretches, before_ms)
    below = await _entries(engine, Stretch(_FIRST_HASH, point), limit - len(above))
    end = below[-1][0] if len(below) == limit - len(above) else point
    return _sample(above + below, [Stretch(point, _LAST_HASH), Stretch(_FIRST_HASH, end)], before_ms)


async def _entries(engine: Engine, stretch: Stretch, limit: int) -> list[tuple[str, Message]]:
    prefix = MESSAGES.prefix
    found = await engine.entries(prefix + stretch.first, prefix + stretch.last, limit)
    return [(key.removeprefix(prefix), entity) for key, entity in found if isinstance(entity, Message)]


def _sample(entries: Iterable[tuple[str, Message]], stretches: list[Stretch], before_ms: int) -> Sample:
    due = {
        content_hash: message
        for content_hash, message in entries
        if message.created_at_ms < before_ms and not message.is_erased
    }
    return Sample(due, stretches)


def _look(memory: Memory, sample: Sample, challenged: list[str], before_ms: int) -> _Looked:
    """Read the memory. A file that cannot be read holds nothing."""
    held: list[str] = []
    try:
        for stretch in sample.stretches:
            held += memory.holdings.between(*stretch, before_ms=before_ms, limit=2 * SAMPLED_RECORDS)
    except sqlite3.ProgrammingError:
        raise  # the memory was closed
    except sqlite3.DatabaseError as error:
        _log.warning("the memory cannot be read", reason=str(error))
    problems = {}
    for content_hash in challenged:
        message = sample.messages[content_hash]
        problem = memory.holdings.challenge(content_hash, message.thread_id, message.author)
        if problem is not None:
            problems[content_hash] = problem.kind
            _log.warning("a record is not as the ledger says", content_hash=content_hash, problem=problem.kind)
    return _Looked(held, problems)


async def _probe(memory: Memory, seed: bytes, content_hashes: list[str], params: CoherenceParams) -> Probed | None:
    """None where the node cannot search."""
    try:
        prober = await memory.prober()
        directions = [draw_probe(seed, number, prober.dimensions) for number in range(params.probes)]
        return await prober.probe(directions, content_hashes, params.answers_per_probe)
    except sqlite3.ProgrammingError:
        raise  # the memory was closed
    except (SearchUnavailable, IndexUnavailable, sqlite3.DatabaseError) as error:
        _log.warning("the index does not answer probes", reason=str(error))
        return None


def _erased_by_now(engine: Engine, content_hashes: Iterable[str]) -> set[str]:
    """Those whose content a node must not have any more, whatever it had when it was looked at."""
    with engine.read() as state:
        found = {content_hash: state.get(MESSAGES, content_hash) for content_hash in content_hashes}
    return {content_hash for content_hash, message in found.items() if message is not None and message.is_erased}


def _conclude(
    seed: bytes, sample: Sample, challenged: list[str], looked: _Looked, probed: Probed | None, erased: set[str]
) -> OwnReport:
    due = sample.messages.keys() - erased
    damaged = set() if probed is None else set(probed.damaged) - erased
    held = set(looked.held) - erased - damaged
    sketched = sketch_agreement(_sketch(seed, held), _sketch(seed, due))
    asked = [content_hash for content_hash in challenged if content_hash not in erased]
    problems = {content_hash: kind for content_hash, kind in looked.problems.items() if content_hash not in erased}
    met = len(asked) - len(problems)
    found, answers, given = _found(probed)
    counts = Counter(problems.values())
    for kind, count in (
        ("not_on_ledger", len(held - due)),
        ("embedding_damaged", len(damaged)),
        (_UNFOUND, probed is None),
    ):
        counts[kind] += count
    checked = Checked(
        records=len(due),
        records_held=len(due & held),
        challenges=len(asked),
        challenges_met=met,
        answers=answers,
        answers_given=given,
        problems={kind: count for kind, count in sorted(counts.items()) if count},
    )
    shard = ShardAgreement(held=proven_agreement(sketched, met, len(asked)), found=found)
    # The report itself is a duty, and here it is.
    return OwnReport(Report(shards=(shard,), missed=len(problems), due=len(asked) + 1), checked)


def _found(probed: Probed | None) -> tuple[int, int, int]:
    """Q, and how many answers were expected and given; who cannot search finds nothing."""
    if probed is None:
        return 0, 0, 0
    expected = sum(map(len, probed.expected))
    given = sum(len(set(named) & set(wanted)) for named, wanted in zip(probed.named, probed.expected, strict=True))
    return probe_agreement(probed.named, probed.expected), expected, given


def _sketch(seed: bytes, content_hashes: Iterable[str]) -> tuple[int, ...]:
    return make_sketch(seed, (bytes.fromhex(content_hash) for content_hash in sorted(content_hashes)))
