"""Nothing that is not in the text can be cited, and what can is quoted word by word."""

import re

import hypothesis.strategies as st
import pytest
from hypothesis import given

from choir.chorus.citations import (
    LINK_REMOVED,
    MIN_QUOTE_CHARACTERS,
    Folded,
    check_output,
    find_addresses,
    find_quote,
    remove_links,
    remove_marks,
)
from choir.chorus.errors import ModelAnswerInvalid
from choir.chorus.steps import Action, Citation, Experience, Update, Yield
from tests.chorus.makers import QUOTE, make_prior

SOURCE = (
    "## Rationale\n\nBlobs are **not executed**, so their cost is `max_fee_per_blob_gas`\nand a [separate market]"
    "(https://example.org/market) prices them. It’s impossible to censor – at least cheaply.\n\n"
    "- first item of a list\n- second item of a list"
)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("Blobs are **not executed**", "Blobs are **not executed"),
        ("Blobs are not executed", "Blobs are **not executed"),
        ("blobs ARE not   executed,\nso", "Blobs are **not executed**, so"),
        ("their cost is max_fee_per_blob_gas and a", "their cost is `max_fee_per_blob_gas`\nand a"),
        ("a separate market prices them", "a [separate market](https://example.org/market) prices them"),
        ("It's impossible to censor - at least", "It’s impossible to censor – at least"),
        ("first item of a list\n* second item", "first item of a list\n- second item"),
        ("## Rationale Blobs are not executed", "Rationale\n\nBlobs are **not executed"),
        ("- first item of a list - second item of a list", "first item of a list\n- second item of a list"),
        ("blobs are \u200bnot exe\u202ecuted", "Blobs are **not executed"),
        ("possible to censor", None),  # a part of a word turns its meaning round
        ("Blobs are not exec", None),
        ("Blobs are executed", None),
        ("Blobs are … executed", None),
        ("a list", None),  # too short to say anything
        ("", None),
        ("***", None),
        ("[](x)", None),
        ("\u200b", None),
    ],
)
def test_quotes(quote: str, found: str | None) -> None:
    assert find_quote(quote, Folded(SOURCE)) == found


def test_a_short_text_may_be_quoted_whole() -> None:
    assert find_quote("yes, do", Folded("Yes, do!")) is None
    assert find_quote("Yes, do!", Folded("Yes, do!")) == "Yes, do!"
    assert find_quote("", Folded("")) is None


def test_text_without_spaces_between_words() -> None:
    assert (
        find_quote("我们需要一个单独的费用市场", Folded("因此我们需要一个单独的费用市场来定价。"))
        == "我们需要一个单独的费用市场"
    )


def test_escaped_characters_of_the_prompt() -> None:
    text = "if a < b && b > c then the order is fixed"
    assert find_quote("a &lt; b &amp;&amp; b &gt; c then the order", Folded(text)) == "a < b && b > c then the order"


@given(text=st.text(max_size=200), quote=st.text(max_size=60))
def test_a_found_quote_stands_in_the_text(text: str, quote: str) -> None:
    found = find_quote(quote, Folded(text))
    assert found is None or (found in text and found)


@given(data=st.data(), words=st.lists(st.text("abcdefgh", min_size=2, max_size=9), min_size=8, max_size=30))
def test_whole_words_of_the_text_are_found_however_they_are_set(data: st.DataObject, words: list[str]) -> None:
    first = data.draw(st.integers(0, len(words) - 7))
    last = data.draw(st.integers(first + 7, len(words)))
    gaps = data.draw(st.lists(st.sampled_from([" ", "\n", "  ", " **", "** ", " `"]), min_size=30, max_size=30))
    text = "".join(word + gap for word, gap in zip(words, gaps, strict=False))
    quote = " ".join(words[first:last]).upper()
    found = find_quote(quote, Folded(text))
    assert found is not None
    assert found in text


@given(words=st.lists(st.text("abcdefgh", min_size=2, max_size=9), min_size=8, max_size=20), place=st.integers(0, 100))
def test_a_changed_word_is_not_found(words: list[str], place: int) -> None:
    changed = list(words)
    changed[place % len(words)] = "zzzz"
    assert find_quote(" ".join(changed), Folded(" ".join(words))) is None


@pytest.mark.parametrize(
    ("text", "cleaned", "removed"),
    [
        ("So [p1].", "So [p1].", 0),
        ("So [p2].", "So.", 1),
        ("So [p1, p2; p3].", "So [p1].", 2),
        ("So [p1,p4].", "So [p1][p4].", 0),
        ("So [P1] [ p01 ].", "So [p1] [p1].", 0),
        ("So 【p2】［p3］.", "So.", 2),
        ("So [p1](https://evil.example/).", "So [p1].", 0),
        ("So [p[p9]2].", "So.", 2),
        ("An array[p] and [part] stay.", "An array[p] and [part] stay.", 0),
        ("[p2]", "", 1),
        ("A number [1] is no id, x[0] is code, [2](#x) a link.", "A number is no id, x[0] is code, [2](#x) a link.", 1),
    ],
)
def test_marks(text: str, cleaned: str, removed: int) -> None:
    assert remove_marks(text, {"p1", "p4"}) == (cleaned, removed)


@given(st.text("[]pP123,; 【】(", max_size=60))
def test_no_unknown_mark_is_left(text: str) -> None:
    cleaned, removed = remove_marks(text, {"p1"})
    again, more = remove_marks(cleaned, {"p1"})
    assert (again, more) == (cleaned, 0)
    assert removed >= 0
    assert remove_marks(cleaned, set())[1] == cleaned.count("[p1]")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("See ![x](https://evil.example/?q=secret) now", "See x now"),
        ("See [here](https://evil.example/?q=secret) now", "See here now"),
        ("See [here]( <https://evil.example/> 'title') now", "See here now"),
        ("See https://evil.example/?q=secret now", f"See {LINK_REMOVED} now"),
        ("See <https://evil.example/> now", f"See {LINK_REMOVED}> now"),
        ("See www.evil.example/a now", f"See {LINK_REMOVED} now"),
        ("See https://known.example/page now", "See https://known.example/page now"),
        ("See https://known.example/page?q=secret now", f"See {LINK_REMOVED} now"),
        ("See https://known.example/ now", f"See {LINK_REMOVED} now"),
        ("Run [x](javascript:alert(1))", "Run x"),
        ("javascript:alert(1)", LINK_REMOVED + ")"),
        ('<img src="https://evil.example/"> text', " text"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<scr<script>ipt src=x>", ""),
        ("[ref]: https://evil.example/ \nText", "\nText"),
        ("list<int> and a < b stay, [p1] too", "list<int> and a < b stay, [p1] too"),
        ("the data: here, calldata:x", "the data: here, calldata:x"),
        ("a\u202eb\u2066c\u200bd\U000e0041e", "abcde"),
    ],
)
def test_links(text: str, cleaned: str) -> None:
    assert remove_links(text, find_addresses(["At https://known.example/page, it is."])) == cleaned


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "](",
        "[](",
        "![](",
        "[x](y '",
        "[\n",
        "<a ",
        "[p1]",
        "[p",
        "[p9",
        " ",
        "[ ",
        "a://b ",
        "[]",
        "![a[b]](c)",
        "(",
        "`",
        "- ",
    ],
)
def test_odd_answers_cost_little_and_leave_no_link(piece: str) -> None:
    long = (piece * 32_000)[:30_000]
    for text in (long, "[" * 15_000 + "x" + "](https://evil.example)" * 600, "<scr" * 5_000 + "<a>" * 3_000):
        checked, _ = check_output(Action(initial_response=f"Yes {text}", confidence=0.5), [make_prior(1, long)])
        assert not re.search(r"\]\([^\s\]]*evil|<a\b|<script", checked.initial_response)


def test_deep_nesting_is_broken_up() -> None:
    text = "x"
    for _ in range(40):
        text = f"[{text}](https://evil.example/)"
    assert "](" not in remove_links(text, frozenset())
    assert "<a" not in remove_links("<a" * 40 + ">" * 40, frozenset())
    assert "[" not in remove_marks("[p" * 40 + "9" + "]9" * 40, set())[0]


def test_addresses_of_the_asker_may_stay() -> None:
    action = Action(initial_response="At https://mine.example/a, and at https://other.example/b.", confidence=0.5)
    checked, _ = check_output(action, [], ["What is at https://mine.example/a?"])
    assert checked.initial_response == f"At https://mine.example/a, and at {LINK_REMOVED}"


def test_each_text_of_an_output_is_checked() -> None:
    prior = make_prior(1, prior_id="p1")
    experience = Experience(
        citations=(Citation("p1", QUOTE), Citation("p1", QUOTE.upper()), Citation("p2", QUOTE)),
        patterns=("one [p1] two [p2]", "[p7]"),
        insights=("![x](https://evil.example/)", "kept"),
    )
    checked, removed = check_output(experience, [prior])
    assert checked == Experience(citations=(Citation("p1", QUOTE),), patterns=("one [p1] two",), insights=("x", "kept"))
    assert removed == 3
    action, removed = check_output(Action(initial_response="Known [p1].", confidence=0.5), [])
    assert (action, removed) == (Action(initial_response="Known.", confidence=0.5), 1)


def test_a_mark_needs_a_citation_in_the_answer() -> None:
    priors = [make_prior(1, prior_id="p1"), make_prior(2, prior_id="p2")]
    answer = Yield(final_response="One [p1], two [p2].", citations=(Citation("p1", QUOTE),), confidence=1.0)
    checked, removed = check_output(answer, priors)
    assert (checked.final_response, removed) == ("One [p1], two.", 1)


@pytest.mark.parametrize(
    "output",
    [
        Yield(final_response="[p9]", citations=(), confidence=0.5),
        Yield(final_response="x" * 40_000, citations=(), confidence=0.5),
        Yield(final_response="x", citations=(), confidence=1.5),
        Yield(final_response="x", citations=(), confidence=float("nan")),
        Update(refinements=("x" * 3_000,), learnings=(), loop=False),
        Update(refinements=("x",) * 33, learnings=(), loop=False),
        Experience(citations=(Citation("p1", QUOTE),) * 33, patterns=(), insights=()),
    ],
)
def test_what_breaks_the_bounds_is_no_answer(output: Yield | Update | Experience) -> None:
    with pytest.raises(ModelAnswerInvalid):
        check_output(output, [])


@given(
    st.text(max_size=300), st.lists(st.tuples(st.sampled_from(["p1", "p2", "p3"]), st.text(max_size=40)), max_size=5)
)
def test_every_mark_has_a_true_citation(text: str, cited: list[tuple[str, str]]) -> None:
    priors = [make_prior(n, f"{text[:80]} {QUOTE} {n}", prior_id=f"p{n}") for n in (1, 2)]
    citations = tuple(Citation(prior, quote) for prior, quote in [*cited, ("p2", QUOTE)])
    answer = f"{text} [p1] {text} [p2] [p3]"
    checked, removed = check_output(Yield(final_response=answer, citations=citations, confidence=0.5), priors)
    assert removed >= sum(citation.prior == "p3" for citation in citations) + 1
    texts = {prior.id: prior.text for prior in priors}
    for citation in checked.citations:
        assert citation.quote in texts[citation.prior]
        assert sum(char.isalnum() for char in citation.quote) >= MIN_QUOTE_CHARACTERS
    ids = {citation.prior for citation in checked.citations}
    assert all((f"[{one}]" in checked.final_response) <= (one in ids) for one in ("p1", "p2", "p3"))
