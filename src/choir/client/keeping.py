"""An answer of the chorus as a message that somebody signs: its text, and its citations as priors."""

import re
from typing import Final, NamedTuple

from choir.client.chorus_models import AnswerCitation, Run
from choir.client.signing import normalise_text

# The ledger's bound on the priors of one message.
MAX_PRIORS: Final = 16
_MARK: Final = re.compile(r"\[(p[0-9]{1,4})\]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Composed(NamedTuple):
    """What to post: the text, and the content hashes that it cites."""

    text: str
    priors: tuple[str, ...]


class NothingToKeep(ValueError):
    """The run has no answer that could be posted; the message says why."""


def number_citations(answer: str, citations: tuple[AnswerCitation, ...]) -> tuple[str, tuple[AnswerCitation, ...]]:
    """The answer with marks ``[1]``, ``[2]``, … for readers, and the citation behind each number: the first one of
    each message, in the order of their marks."""
    first: dict[str, AnswerCitation] = {}
    for citation in citations:
        first.setdefault(citation.prior, citation)
    marked = [prior for prior in dict.fromkeys(_MARK.findall(answer)) if prior in first]
    order = [*marked, *(prior for prior in first if prior not in marked)]
    numbers = {prior: str(number) for number, prior in enumerate(order, 1)}
    text = _MARK.sub(lambda mark: f"[{numbers[mark[1]]}]" if mark[1] in numbers else mark[0], answer)
    return text, tuple(first[prior] for prior in order)


def compose_message(run: Run) -> Composed:
    """The question, the answer and its sources as one message in the form of the network (NFC, no control characters).
    Raises ``NothingToKeep``."""
    if run.answer is None:
        raise NothingToKeep(f"the run has no answer: it is {run.status}")
    if run.is_withheld:
        raise NothingToKeep("the answer was written from a message that you may no longer read: ask again")
    answer, citations = number_citations(run.answer, run.citations)
    if len(citations) > MAX_PRIORS:
        raise NothingToKeep(f"the answer cites {len(citations)} messages, a message may cite {MAX_PRIORS}")
    sources = [f"[{number}] {citation.content_hash}" for number, citation in enumerate(citations, 1)]
    parts = [f"Question: {run.prompt}", answer, *(["Sources:\n\n" + "\n".join(sources)] if sources else [])]
    text = _CONTROL.sub(" ", normalise_text("\n\n".join(parts)))
    return Composed(text, tuple(citation.content_hash for citation in citations))
