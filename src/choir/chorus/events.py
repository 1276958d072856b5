"""What a run tells those who watch it, in order. A kept run is the list of its events without the tokens.

The same structs go over Server-Sent Events (event name = ``type``, data = the struct, id = ``number``) and over the
WebSocket (``chorus_step``, payload = the struct).
"""

from msgspec import Struct

from choir.chorus.steps import AnyOutput, Step


class RunEvent(Struct, frozen=True, tag_field="type", kw_only=True):
    """``number`` counts a run's events from 1 without a gap; ``at_ms`` is since the run's start."""

    number: int
    at_ms: int


class RunStarted(RunEvent, frozen=True, tag="run_started"):
    """``models`` names the model of each step; ``is_extractive`` is true where no language model writes the answer."""

    run_id: str
    prompt: str
    thread_id: str | None
    models: dict[str, str]
    is_extractive: bool


class StepStarted(RunEvent, frozen=True, tag="step_started"):
    """``round`` 1 is the first pass, more after a loop or after ``priors_removed``; ``attempt`` 2 is the retry of a
    failed step."""

    step: Step
    round: int
    attempt: int
    model: str


class PriorView(Struct, frozen=True, kw_only=True):
    """A prior as it was given to the model: what the asker could read then. Quantities as in the glossary, None where
    they cannot be said. ``id`` is ``p1``, ``p2``, … and stays the same through the rounds of a run."""

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


class PriorsFound(RunEvent, frozen=True, tag="priors_found"):
    """``query`` is what was searched for; ``priors`` are the new ones, numbered on from those of earlier rounds."""

    query: str
    priors: tuple[PriorView, ...]


class PriorsRemoved(RunEvent, frozen=True, tag="priors_removed"):
    """``priors`` are ids: the asker lost the right to read them while the run went on. What was written since the first
    action has seen them; it counts no more, and is written again without them."""

    priors: tuple[str, ...]


class Token(RunEvent, frozen=True, tag="token"):
    """A piece of the text that a step is writing (not kept). It is not checked yet: show it as plain text, without
    links and images. After ``step_failed`` the step's text begins anew."""

    step: Step
    text: str


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens as the model counts them; ``cost_usd`` is None where no price is known."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class StepFinished(RunEvent, frozen=True, tag="step_finished"):
    """``removed_citations``: those to ids that were not given, or with a quote that is not in the cited text.
    ``model_ms`` is the model's own time, from which ``first_token_ms`` counts; ``took_ms`` is the whole step's, with
    failed attempts and, for ``experience``, the search."""

    step: Step
    round: int
    output: AnyOutput
    removed_citations: int
    usage: Usage
    model_ms: int
    first_token_ms: int | None
    took_ms: int


class StepFailed(RunEvent, frozen=True, tag="step_failed"):
    """``error`` is a name of `choir.chorus.errors`; ``will_retry`` is true once."""

    step: Step
    round: int
    attempt: int
    error: str
    message: str
    will_retry: bool


class AnswerCitation(Struct, frozen=True, kw_only=True):
    """A citation of the answer, checked: the message was given, is readable to the asker, and has the quoted words."""

    prior: str
    quote: str
    content_hash: str
    thread_id: str
    proof: str


class RunFinished(RunEvent, frozen=True, tag="run_finished"):
    """``removed_citations`` counts over the whole run; ``rounds`` is at least 1."""

    answer: str
    citations: tuple[AnswerCitation, ...]
    confidence: float
    rounds: int
    removed_citations: int
    usage: Usage
    took_ms: int


class RunFailed(RunEvent, frozen=True, tag="run_failed"):
    """The run ended without an answer, and says why."""

    step: Step | None
    error: str
    message: str


class RunCancelled(RunEvent, frozen=True, tag="run_cancelled"):
    """The asker cancelled it."""


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
ENDINGS = (RunFinished, RunFailed, RunCancelled)
