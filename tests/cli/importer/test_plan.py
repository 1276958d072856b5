"""The plan: a pure function, the same for the same input, in an order in which everything can be cited."""

from collections import Counter

import pytest

from choir.cli.importer.documents import Document, parse_document
from choir.cli.importer.plan import Limits, Plan, limits_of, make_plan, needed_key_names, select_documents
from choir.ledger.proofs import content_hash_of
from choir.ledger.transactions import PostMessage, ThreadId
from choir.primitives.hashing import sha256_bytes
from choir.primitives.signatures import SigningKey


def document(name: str, authors: int = 1, sections: int = 3, requires: str = "", words: int = 1) -> Document:
    line = ", ".join(f"Author {number} (@a{number})" for number in range(authors))
    titles = ["Abstract", *(f"Part {number}" for number in range(1, sections))]
    body = "".join(f"## {title}\n{'word ' * words}\n" for title in titles)
    return parse_document(f"{name}.md", f"---\nauthor: {line}\nrequires: {requires}\n---\n{body}".encode())


def address_of(name: str) -> str:
    return SigningKey(sha256_bytes(name.encode())).address


def plan_of(*documents: Document, chain_id: str = "test", limits: Limits | None = None) -> Plan:
    addresses = {name: address_of(name) for name in needed_key_names(documents)}
    return make_plan(documents, addresses, chain_id, limits)


def test_the_first_creates_the_others_join_and_the_rest_goes_in_turn() -> None:
    (thread,) = plan_of(document("x", authors=3, sections=6)).threads
    senders = [message.content.author for message in thread.messages]
    assert senders == [address_of(f"@a{number}") for number in (0, 1, 2, 0, 1, 2, 0)]
    assert [message.is_spec for message in thread.messages] == [False, True, True, False, False, False, False]


def test_every_hash_is_its_contents_and_no_two_are_equal() -> None:
    plan = plan_of(*(document(name, authors=2) for name in "abc"))
    messages = [message for thread in plan.threads for message in thread.messages]
    assert all(message.content_hash == content_hash_of(message.content) for message in messages)
    assert len({message.content_hash for message in messages}) == len(messages)
    assert len({thread.thread_id for thread in plan.threads}) == 3
    assert all(message.content.thread_id == thread.thread_id for thread in plan.threads for message in thread.messages)


def test_the_same_input_gives_the_same_plan_and_each_part_of_it_counts() -> None:
    base = plan_of(document("x"))
    assert plan_of(document("x")) == base
    for other in (plan_of(document("y")), plan_of(document("x"), chain_id="other")):
        assert other.threads[0].thread_id != base.threads[0].thread_id
        assert {m.content.salt for m in other.threads[0].messages}.isdisjoint(
            {m.content.salt for m in base.threads[0].messages}
        )


def test_derived_ids_never_change() -> None:
    """A resumed import finds what an earlier release sent: these values are for all time."""
    (thread,) = plan_of(document("x")).threads
    assert thread.thread_id == "e99668d561d46c3f644eac2e0ef39d00"
    assert thread.messages[0].content.salt == "b24c7860d4c967202198c2878899b0cf"


def test_required_proposals_come_first_and_are_cited() -> None:
    plan = plan_of(document("a", requires="c"), document("b"), document("c", requires="b, b"))
    assert [thread.source for thread in plan.threads] == ["b.md", "c.md", "a.md"]
    b, c, a = plan.threads
    assert c.messages[0].priors == (b.abstract_hash,)
    assert a.messages[0].priors == (c.abstract_hash,)
    assert b.abstract_hash == b.messages[1].content_hash
    assert plan.problems == ()


def test_missing_and_circular_requirements_are_reported_and_left_out() -> None:
    plan = plan_of(document("a", requires="b, gone"), document("b", requires="c"), document("c", requires="a, c"))
    assert [thread.source for thread in plan.threads] == ["c.md", "b.md", "a.md"]
    found = {(problem.source, problem.message.split(",")[0]) for problem in plan.problems}
    assert found == {("a.md", "requires gone"), ("c.md", "requires a"), ("c.md", "requires c")}
    cited = {thread.source: len(thread.messages[0].priors) for thread in plan.threads}
    assert cited == {"a.md": 1, "b.md": 1, "c.md": 0}


def test_a_chain_longer_than_the_stack_is_ordered() -> None:
    documents = [document(f"d{number}", sections=1, requires=f"d{number + 1}") for number in range(3000)]
    plan = plan_of(*documents)
    assert plan.threads[0].source == "d2999.md"
    assert len(plan.threads) == 3000


def test_at_most_sixteen_priors() -> None:
    required = [document(f"r{number}") for number in range(18)]
    plan = plan_of(*required, document("x", requires=", ".join(f"r{number}" for number in range(18))))
    assert len(plan.threads[-1].messages[0].priors) == 16
    assert "cites the first 16" in plan.problems[0].message


def test_long_sections_are_split_and_the_abstract_still_found() -> None:
    (thread,) = plan_of(document("x", words=30), limits=Limits(text_bytes=100)).threads
    assert all(len(message.content.text.encode()) <= 100 for message in thread.messages)
    abstract = next(message for message in thread.messages if message.content_hash == thread.abstract_hash)
    assert abstract.content.text.startswith("## Abstract")


def test_more_authors_than_sections_or_places_are_told() -> None:
    few = plan_of(document("x", authors=5, sections=2))
    assert len({message.content.author for message in few.threads[0].messages}) == 3
    assert "5 authors and 3 sections" in few.problems[0].message
    assert "Author 3, Author 4" in few.problems[0].message
    many = plan_of(document("y", authors=70, sections=80))
    assert Counter(message.is_spec for message in many.threads[0].messages)[True] == 63
    assert "64 places for co-authors" in many.problems[0].message


def test_a_limit_takes_what_is_required_along_and_changes_nothing_else() -> None:
    documents = [document("a", requires="c"), document("b"), document("c"), document("d")]
    chosen = select_documents(documents, 2)
    assert [one.source for one in chosen] == ["a.md", "c.md"]
    everything = {thread.source: thread for thread in plan_of(*documents).threads}
    assert all(everything[thread.source] == thread for thread in plan_of(*chosen).threads)


def test_a_circle_is_broken_in_the_same_place_whatever_the_limit() -> None:
    documents = [document("a", requires="b"), document("b", requires="a"), document("c")]
    assert plan_of(*select_documents(documents, 2)).problems == plan_of(*documents).problems


def test_limits_come_from_the_network() -> None:
    assert limits_of({"co_author_limit": 5, "prior_limit": 2, "more": 1}) == Limits(co_authors=5, priors=2)


def test_planned_messages_fit_the_wire() -> None:
    import msgspec

    (thread,) = plan_of(document("x")).threads
    msgspec.convert(thread.thread_id, ThreadId)
    message = thread.messages[0]
    body = PostMessage(thread_id=thread.thread_id, content_hash=message.content_hash, priors=message.priors)
    assert msgspec.json.decode(msgspec.json.encode(body), type=PostMessage) == body


@pytest.mark.parametrize("limit", [0, 1, 99, None])
def test_any_limit(limit: int | None) -> None:
    documents = [document("a"), document("b")]
    assert len(select_documents(documents, limit)) == min(2, 99 if limit is None else limit)
