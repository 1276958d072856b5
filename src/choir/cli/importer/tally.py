"""Counting what an import did."""

import time
from collections import Counter

from msgspec import Struct

from choir.cli.importer.documents import Problem
from choir.client.errors import ApiError

# Of each reason for a refusal, so many are told in full; all are counted.
EXAMPLES = 5


class Refusal(Struct, frozen=True, kw_only=True):
    source: str
    what: str
    name: str
    message: str


class Summary(Struct, frozen=True, kw_only=True):
    """The result of an import. Counts are of this run; ``skipped`` is what the node had already."""

    proposals: int
    threads: int
    messages: int
    specs: int
    approvals: int
    citations: int
    skipped: int
    keys_made: int
    faucet_grants: int
    transactions: int
    seconds: float
    transactions_per_second: float
    refused: dict[str, int]
    refused_examples: tuple[Refusal, ...]
    problems: tuple[Problem, ...]
    is_interrupted: bool


class Tally:
    """What happened so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.examples: list[Refusal] = []
        self._started = time.monotonic()

    def add(self, what: str, count: int = 1) -> None:
        self.counts[what] += count

    def refuse(self, source: str, what: str, name: str, message: str) -> None:
        """Count a refusal under its error's name."""
        self.refused[name] += 1
        if self.refused[name] <= EXAMPLES:
            self.examples.append(Refusal(source=source, what=what, name=name, message=message))

    def refuse_error(self, source: str, what: str, error: ApiError) -> None:
        self.refuse(source, what, error.name, error.message)

    def summarize(self, problems: tuple[Problem, ...], *, is_interrupted: bool) -> Summary:
        seconds = time.monotonic() - self._started
        count = self.counts
        return Summary(
            proposals=count["proposals"],
            threads=count["threads"],
            messages=count["messages"],
            specs=count["specs"],
            approvals=count["approvals"],
            citations=count["citations"],
            skipped=count["skipped"],
            keys_made=count["keys_made"],
            faucet_grants=count["faucet_grants"],
            transactions=count["transactions"],
            seconds=round(seconds, 3),
            transactions_per_second=round(count["transactions"] / seconds, 1),
            refused=dict(self.refused.most_common()),
            refused_examples=tuple(self.examples),
            problems=problems,
            is_interrupted=is_interrupted,
        )
