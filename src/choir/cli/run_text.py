"""A run of the chorus in words: what it found, its answer, and where each citation can be checked."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from choir.cli.output import first_line, moment
from choir.client.keeping import number_citations

if TYPE_CHECKING:
    from choir.client.chorus_models import Run, RunPrior

_QUOTE_CHARACTERS: Final = 200


def describe_run(run: "Run", is_extractive: bool) -> Iterator[str]:
    """The answer with numbered citations, and what may be done with it."""
    if run.answer is None:
        yield f"There is no answer: the run is {run.status}."
        return
    answer, citations = number_citations(run.answer, run.citations)
    priors = {prior.id: prior for prior in run.priors}
    yield from answer.splitlines()
    yield ""
    for number, citation in enumerate(citations, 1):
        prior = priors.get(citation.prior)
        yield f"[{number}] “{first_line(citation.quote, _QUOTE_CHARACTERS)}”"
        if prior is not None:
            yield f"    {prior.title or '(untitled)'}, by {prior.author}, {moment(prior.created_at_ms)}"
        yield f"    thread {citation.thread_id}: choir thread show {citation.thread_id}"
        yield f"    prove: choir message proof {citation.content_hash} -o proof.json && choir verify proof.json"
    if is_extractive:
        yield "Picked from the messages word for word; no language model wrote this."
    yield f"run {run.run_id}; keep it: choir runs post {run.run_id} THREAD"


def describe_priors(priors: Sequence["RunPrior"]) -> Iterator[str]:
    """One line for each prior found."""
    for prior in priors:
        measured = (("resonance", prior.resonance), ("phase", prior.phase), ("entanglement", prior.entanglement))
        values = ", ".join(f"{name} {value:.2f}" for name, value in measured if value is not None)
        words = first_line(prior.title or prior.text, 60) or "(no longer readable)"
        yield f"  {prior.id}  {words}  ({values or 'not measured'})"
