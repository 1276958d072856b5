"""Events of runs, as tests need them."""

from choir.chorus.events import (
    AnswerCitation,
    AnyRunEvent,
    PriorsFound,
    PriorView,
    RunFinished,
    RunStarted,
    StepFinished,
    StepStarted,
    Token,
    Usage,
)
from choir.chorus.steps import Action, Citation, Step, Yield

SECRET = "the heron nests behind the mill"


def make_prior(content_hash: str, prior_id: str, text: str) -> PriorView:
    return PriorView(
        id=prior_id,
        content_hash=content_hash,
        thread_id="ab" * 16,
        title=f"title of {text}",
        author="author",
        created_at_ms=1,
        text=text,
        similarity=0.5,
        score=0.5,
        resonance=0.5,
        phase=1.0,
        entanglement=0.0,
        proof=f"/v1/message/{content_hash}/proof",
    )


def make_run(content_hash: str, text: str = SECRET) -> list[AnyRunEvent]:
    """A run that found one message and quotes it."""
    models = {step.value: "scripted" for step in Step}
    answer = Yield(final_response=f"It says: {text} [p1]", citations=(Citation("p1", text),), confidence=0.5)
    citation = AnswerCitation(
        prior="p1",
        quote=text,
        content_hash=content_hash,
        thread_id="ab" * 16,
        proof=f"/v1/message/{content_hash}/proof",
    )
    return [
        RunStarted(number=1, at_ms=0, run_id="r", prompt="why?", thread_id=None, models=models, is_extractive=False),
        StepStarted(number=2, at_ms=0, step=Step.ACTION, round=1, attempt=1, model="scripted"),
        Token(number=3, at_ms=1, step=Step.ACTION, text="Perhaps."),
        finished(4, Step.ACTION, Action(initial_response="Perhaps.", confidence=0.1)),
        PriorsFound(number=5, at_ms=3, query="why?", priors=(make_prior(content_hash, "p1", text),)),
        Token(number=6, at_ms=4, step=Step.YIELD, text=f"It says: {text}"),
        finished(7, Step.YIELD, answer),
        RunFinished(
            number=8,
            at_ms=9,
            answer=answer.final_response,
            citations=(citation,),
            confidence=0.5,
            rounds=1,
            removed_citations=0,
            usage=Usage(),
            took_ms=9,
        ),
    ]


def finished(number: int, step: Step, output: Action | Yield) -> StepFinished:
    return StepFinished(
        number=number,
        at_ms=number,
        step=step,
        round=1,
        output=output,
        removed_citations=0,
        usage=Usage(input_tokens=1),
        model_ms=1,
        first_token_ms=1,
        took_ms=1,
    )
