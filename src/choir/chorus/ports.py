"""What a run needs from outside; `choir.node` and `choir.api` pass it in."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from msgspec import Struct

from choir.chorus.events import PriorView, Usage
from choir.chorus.steps import AnyOutput, Step


class ContextMessage(Struct, frozen=True, kw_only=True):
    """A message of the thread in which the question is asked, as the asker may read it."""

    content_hash: str
    author: str
    created_at_ms: int
    text: str


class Done(Struct, frozen=True, kw_only=True):
    """What a step gave, and which step it was: the transcript is a sequence of these."""

    step: Step
    round: int
    output: AnyOutput


class StepInput(Struct, frozen=True, kw_only=True):
    """Everything that a step sees: the whole transcript so far."""

    step: Step
    round: int
    prompt: str
    context: tuple[ContextMessage, ...]
    transcript: tuple[Done, ...]
    priors: tuple[PriorView, ...]


class TextDelta(Struct, frozen=True):
    """A piece of the text that the step is writing."""

    text: str


class StepResult(Struct, frozen=True, kw_only=True):
    """The end of a model's stream."""

    output: AnyOutput
    usage: Usage = Usage()


class Model(Protocol):
    """Writes steps. ``name`` is shown to the user; ``is_extractive`` says that it only picks sentences."""

    @property
    def name(self) -> str: ...

    @property
    def is_extractive(self) -> bool: ...

    def run(self, given: StepInput) -> AsyncGenerator[TextDelta | StepResult, None]:
        """The deltas as they come, then one ``StepResult``. Raises ``ModelError``. Closing the generator cancels it."""

    async def prepare(self) -> None:
        """Do ahead of the first question what it would else wait for."""

    async def aclose(self) -> None:
        """Let go of connections, at the node's end."""


class PriorSearch(Protocol):
    """Searches as the asking user: what it gives, the asker may read at this moment. Raises ``SearchFailed``."""

    async def search(self, query: str, limit: int) -> Sequence[PriorView]:
        """The best messages for a query, best first; their ``id`` is empty."""

    async def may_still_read(self, content_hashes: Sequence[str]) -> frozenset[str]:
        """Those that the asker may read now: rights can be lost while a run goes on."""
