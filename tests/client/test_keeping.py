"""Numbers for citations, and an answer as a message."""

import pytest

from choir.client.chorus_models import AnswerCitation, Run
from choir.client.keeping import NothingToKeep, compose_message, number_citations
from choir.memory.text import check_text


def cite(prior: str, content_hash: str = "") -> AnswerCitation:
    content_hash = content_hash or prior.removeprefix("p").rjust(64, "0")
    return AnswerCitation(prior=prior, quote="q", content_hash=content_hash, thread_id="ab" * 16, proof="/")


def run(answer: str | None, *citations: AnswerCitation, **fields: object) -> Run:
    values = {"run_id": "r", "thread_id": None, "prompt": "Why?", "status": "finished", "created_at_ms": 1}
    shown = {"answer": answer, "citations": citations, "is_withheld": False, "events": ()}
    return Run(**{**values, **shown, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "priors", "numbered", "order"),
    [
        ("So [p3], and [p1]; again [p3].", ["p1", "p3"], "So [1], and [2]; again [1].", ["p3", "p1"]),
        ("No mark.", ["p2"], "No mark.", ["p2"]),
        ("Unknown [p9] [p2].", ["p2", "p2"], "Unknown [p9] [1].", ["p2"]),
        ("A list [1] [p10] [x].", ["p10"], "A list [1] [1] [x].", ["p10"]),
        ("", [], "", []),
    ],
)
def test_marks_become_numbers_in_their_order(answer: str, priors: list[str], numbered: str, order: list[str]) -> None:
    text, citations = number_citations(answer, tuple(cite(prior) for prior in priors))
    assert (text, [citation.prior for citation in citations]) == (numbered, order)


def test_a_message_has_question_answer_and_sources() -> None:
    made = compose_message(run("Since [p2], and [p1].", cite("p1"), cite("p2")))
    first, second = "2".rjust(64, "0"), "1".rjust(64, "0")
    assert made.text == f"Question: Why?\n\nSince [1], and [2].\n\nSources:\n\n[1] {first}\n[2] {second}"
    assert made.priors == (first, second)
    assert compose_message(run("Nothing is known.")).text == "Question: Why?\n\nNothing is known."


def test_the_text_has_the_form_of_the_network() -> None:
    made = compose_message(run("Cafe\u0301\x07 [p1]\r\nnext", cite("p1"), prompt="a\x00b\tc"))
    check_text(made.text)
    assert "Café" in made.text


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (run(None, status="failed"), "it is failed"),
        (run("x", is_withheld=True), "may no longer read"),
        (run("x", *(cite(f"p{number}") for number in range(1, 18))), "cites 17"),
    ],
    ids=["failed", "withheld", "too many"],
)
def test_what_cannot_be_kept(kept: Run, why: str) -> None:
    with pytest.raises(NothingToKeep, match=why):
        compose_message(kept)
