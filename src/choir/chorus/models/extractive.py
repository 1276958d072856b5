"""The built-in model: no language model at all. It picks sentences of the network's messages, word by word, and says
where each stands. It works without a network connection, and the same question over the same messages always gives
the same answer.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from typing import Final

from choir.chorus.events import Usage
from choir.chorus.models.selection import Pick, Selection, select_sentences
from choir.chorus.models.terms import content_terms
from choir.chorus.ports import StepInput, StepResult, TextDelta
from choir.chorus.priors import cut_text
from choir.chorus.sentences import plain_text
from choir.chorus.steps import (
    Action,
    AnyOutput,
    Citation,
    Experience,
    Intention,
    Observation,
    Step,
    Update,
    Yield,
)

NAME: Final = "extractive"
_ENOUGH_COVERAGE: Final = 0.6
_FREE: Final = Usage(cost_usd=0.0)
_NO_KNOWLEDGE: Final = (
    "This node answers without a language model: it has no knowledge of its own. "
    "It looks for sentences about this in the network's messages."
)
_NOTHING: Final = (
    "The network's messages that you may read hold nothing that answers this, as far as their words show. "
    "Other words for the same thing may find more."
)
_MAX_TITLE_CHARACTERS: Final = 120
_MARKUP: Final = re.compile(r"[\[\]【】［］<>*_`#]+")
_LEAD: Final = "The network's messages say:"


class ExtractiveModel:
    """Picks sentences by their words."""

    name: Final = NAME
    is_extractive: Final = True

    async def run(self, given: StepInput) -> AsyncGenerator[TextDelta | StepResult, None]:
        """A step's output; its text comes line by line."""
        output = await asyncio.to_thread(self.write, given)
        for line in streamed_text(output).splitlines(keepends=True):
            yield TextDelta(line)
        yield StepResult(output=output, usage=_FREE)

    async def prepare(self) -> None:
        """There is nothing to load."""

    async def aclose(self) -> None:
        """It holds nothing."""

    def write(self, given: StepInput) -> AnyOutput:
        """The step's output."""
        if given.step is Step.ACTION:
            return Action(initial_response=_NO_KNOWLEDGE, confidence=0.0)
        selection = select_sentences(given.prompt, given.priors)
        return _WRITERS[given.step](given, selection)


def streamed_text(output: AnyOutput) -> str:
    """What of an output is shown while it comes: its text, else its items line by line."""
    match output:
        case Action():
            return output.initial_response
        case Observation():
            return output.analysis
        case Yield():
            return output.final_response
        case Experience():
            return "\n".join([*output.patterns, *output.insights])
        case Intention():
            return "\n".join([*output.goals, *output.constraints, *output.expected_outcomes])
        case Update():
            return "\n".join([*output.refinements, *output.learnings])


def _write_experience(given: StepInput, selection: Selection) -> Experience:
    threads = Counter(prior.title or prior.thread_id for prior in given.priors)
    patterns = [f"{_count(len(given.priors), 'message')} of {_count(len(threads), 'thread')} were found."]
    patterns += [f"{count} of them are of “{title}”." for title, count in threads.most_common(3) if count > 1]
    return Experience(
        citations=_cite(selection),
        patterns=tuple(patterns) if given.priors else ("No message was found.",),
        insights=tuple(f"{pick.plain[:1_500]} [{pick.prior.id}]" for pick in selection.picks),
    )


def _write_intention(given: StepInput, selection: Selection) -> Intention:
    words = ", ".join(list(content_terms(given.prompt).values())[:20])
    return Intention(
        goals=(f"Find what the network's messages say about: {words}"[:2_000],),
        constraints=("Only sentences that stand in the given messages, each with its source.",),
        expected_outcomes=(f"{_count(len(selection.picks), 'passage')} to quote.",),
    )


def _write_observation(_given: StepInput, selection: Selection) -> Observation:
    if not selection.picks:
        analysis = "No sentence of the given messages is about the question."
    elif selection.missing:
        words = ", ".join(selection.missing[:20])
        analysis = f"The passages found hold most of what is asked about, but not these words: {words}."
        if selection.coverage < _ENOUGH_COVERAGE:
            analysis = f"The passages found answer only in part. They do not hold these words: {words}."
    else:
        analysis = "The passages found hold every word that the question asks about."
    sources = len({pick.prior.id for pick in selection.picks})
    patterns = (f"{_count(len(selection.picks), 'passage')} of {_count(sources, 'message')}.",)
    return Observation(analysis=analysis, patterns=patterns, quality=selection.coverage)


def _write_update(_given: StepInput, selection: Selection) -> Update:
    """Another search for the words that are missing; whether it helps, the next round's quality tells."""
    lacks = bool(selection.missing) and selection.coverage < _ENOUGH_COVERAGE
    return Update(
        refinements=(" ".join(selection.missing[:20])[:2_000],) if lacks else (),
        learnings=(f"{selection.coverage:.0%} of what is asked about is covered.",),
        loop=lacks,
    )


def _write_yield(_given: StepInput, selection: Selection) -> Yield:
    if not selection.picks:
        return Yield(final_response=_NOTHING, citations=(), confidence=0.0)
    lines = [_LEAD, "", *_list_by_source(selection)]
    if selection.missing:
        lines += ["", f"These passages do not hold these words of the question: {', '.join(selection.missing[:20])}."]
    return Yield(final_response="\n".join(lines), citations=_cite(selection), confidence=selection.coverage)


def _list_by_source(selection: Selection) -> list[str]:
    """A line for each message, the best first: its thread's title, its passages word by word, its mark."""
    sources: dict[str, list[Pick]] = {}
    for pick in selection.picks:
        sources.setdefault(pick.prior.id, []).append(pick)
    lines = []
    for prior_id, picks in sources.items():
        title = _shown_title(picks[0].prior.title)
        passages = " … ".join(f"“{pick.plain}”" for pick in picks)
        lines.append(f"- {f'**{title}**: ' if title else ''}{passages} [{prior_id}]")
    return lines


def _shown_title(title: str | None) -> str:
    """A title as part of a line: without marks and markup of its own."""
    plain = " ".join(_MARKUP.sub(" ", plain_text(title or "")).split())
    return cut_text(plain, _MAX_TITLE_CHARACTERS)


def _cite(selection: Selection) -> tuple[Citation, ...]:
    return tuple(Citation(prior=pick.prior.id, quote=pick.quote) for pick in selection.picks)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_WRITERS: Final[dict[Step, Callable[[StepInput, Selection], AnyOutput]]] = {
    Step.EXPERIENCE: _write_experience,
    Step.INTENTION: _write_intention,
    Step.OBSERVATION: _write_observation,
    Step.UPDATE: _write_update,
    Step.YIELD: _write_yield,
}
