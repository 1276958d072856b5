"""What the node tells of a run of the chorus. As elsewhere, fields that a newer node adds are ignored."""

from typing import ClassVar, Literal

from msgspec import Struct

RunStatus = Literal["running", "finished", "failed", "cancelled"]


class RunCitation(Struct, frozen=True, kw_only=True):
    """Words of a prior that a step refers to; ``prior`` is its id within the run (``p1``, …)."""

    prior: str
    quote: str


class StepOutput(Struct, frozen=True, kw_only=True):
    """What a step gave. Which fields are filled depends on the step; the others are empty."""

    step: str
    initial_response: str = ""
    citations: tuple[RunCitation, ...] = ()
    patterns: tuple[str, ...] = ()
    insights: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    expected_outcomes: tuple[str, ...] = ()
    analysis: str = ""
    quality: float | None = None
    refinements: tuple[str, ...] = ()
    learnings: tuple[str, ...] = ()
    loop: bool = False
    final_response: str = ""
    confidence: float | None = None


class RunPrior(Struct, frozen=True, kw_only=True):
    """A message that the run was given. ``text`` is empty where the asker may no longer read it."""

    id: str
    content_hash: str
    thread_id: str
    title: str | None
    author: str
    created_at_ms: int
    text: str
    similarity: float | None
    score: float
    resonance: float | None
    phase: float | None
    entanglement: float | None
    proof: str


class RunUsage(Struct, frozen=True, kw_only=True):
    """Tokens as the model counts them; ``cost_usd`` is None where no price is known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class AnswerCitation(Struct, frozen=True, kw_only=True):
    """A citation of the answer; ``proof`` is the route of the message's inclusion proof."""

    prior: str
    quote: str
    content_hash: str
    thread_id: str
    proof: str


class RunEvent(Struct, frozen=True, kw_only=True, tag_field="type"):
    """``number`` rises; ``at_ms`` counts from the run's start."""

    is_ending: ClassVar[bool] = False
    number: int
    at_ms: int


class RunStarted(RunEvent, frozen=True, tag="run_started"):
    run_id: str
    prompt: str
    thread_id: str | None
    models: dict[str, str]
    is_extractive: bool


class StepStarted(RunEvent, frozen=True, tag="step_started"):
    step: str
    round: int
    attempt: int
    model: str


class PriorsFound(RunEvent, frozen=True, tag="priors_found"):
    query: str
    priors: tuple[RunPrior, ...]


class PriorsRemoved(RunEvent, frozen=True, tag="priors_removed"):
    """Ids of priors that the asker lost the right to read while the run went on."""

    priors: tuple[str, ...]


class Token(RunEvent, frozen=True, tag="token"):
    """A piece of what a step is writing: plain text that nothing has checked yet."""

    step: str
    text: str


class StepFinished(RunEvent, frozen=True, tag="step_finished"):
    step: str
    round: int
    output: StepOutput
    removed_citations: int
    usage: RunUsage
    model_ms: int
    first_token_ms: int | None
    took_ms: int


class StepFailed(RunEvent, frozen=True, tag="step_failed"):
    step: str
    round: int
    attempt: int
    error: str
    message: str
    will_retry: bool


class RunFinished(RunEvent, frozen=True, tag="run_finished"):
    is_ending: ClassVar[bool] = True
    answer: str
    citations: tuple[AnswerCitation, ...]
    confidence: float
    rounds: int
    removed_citations: int
    usage: RunUsage
    took_ms: int


class RunFailed(RunEvent, frozen=True, tag="run_failed"):
    is_ending: ClassVar[bool] = True
    step: str | None
    error: str
    message: str


class RunCancelled(RunEvent, frozen=True, tag="run_cancelled"):
    is_ending: ClassVar[bool] = True


AnyRunEvent = (
    RunStarted
    | StepStarted
    | PriorsFound
    | PriorsRemoved
    | Token
    | StepFinished
    | StepFailed
    | RunFinished
    | RunFailed
    | RunCancelled
)


class RunSummary(Struct, frozen=True, kw_only=True):
    """A run of the signed-in account."""

    run_id: str
    thread_id: str | None
    prompt: str
    status: RunStatus
    created_at_ms: int


class Run(RunSummary, frozen=True, kw_only=True):
    """``answer`` is None until the run has finished; ``is_withheld`` says that a part of it may no longer be shown."""

    answer: str | None
    citations: tuple[AnswerCitation, ...]
    is_withheld: bool
    events: tuple[AnyRunEvent, ...]

    @property
    def priors(self) -> tuple[RunPrior, ...]:
        """Every prior that the run was given, in order."""
        return tuple(prior for event in self.events if isinstance(event, PriorsFound) for prior in event.priors)


class DeletedRun(Struct, frozen=True, kw_only=True):
    run_id: str
