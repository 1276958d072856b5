"""Finding, suggesting, reading as somebody: against a real node."""

import pytest

from tests.cli.conftest import Choir, hits_of


def test_search_suggest_and_citations(online: Choir) -> None:
    choir = online
    choir("key", "new", "alice")
    thread = choir("thread", "create", "# Lichens\n\nLichens etch granite slowly.", "--as", "alice").out.strip()
    first = choir("thread", "show", thread, "--json").document["messages"]["items"][0]["content_hash"]
    second = choir("message", "post", thread, "Granite weathers.", "--prior", first, "--as", "alice").out.strip()
    other = choir("message", "post", thread, "Alone.", "--as", "alice").out.strip()
    hits = hits_of(choir, "lichens granite", "--author", "alice", "-k", "1")
    assert [hit["message"]["content_hash"] for hit in hits] == [first]
    told = choir("search", "lichens granite", "--thread", thread, "--since", "2020-01-01").out
    assert "Lichens\n" in told
    assert f"  thread {thread}\n" in told
    assert "etch granite" in told
    assert f"choir message proof {first}" in told
    assert "similarity 0." in told
    assert "Nothing was found." in choir("search", "lichens", "--thread", thread, "--until", "2020-01-01T12:00").out
    assert "Nothing was found." in choir("search", "lichens", "--thread", thread, "--privacy", "premium").out
    suggested = choir("suggest", "Do lichens etch granite?", "-k", "5").out
    assert first in suggested
    assert f"  thread {thread}\n" in suggested
    long = choir("search", "lichens etch granite " * 10_000, "--thread", thread).out
    assert first in long
    assert "only its beginning was used" in long
    assert f"cites {first}" in choir("message", "citations", second).out
    assert f"cited by {second}" in choir("message", "citations", first).out
    assert "nothing cites it" in choir("message", "citations", other).out


def test_a_co_author_reads_what_a_stranger_may_not(online: Choir) -> None:
    choir = online
    for name in ("alice", "bob"):
        choir("key", "new", name)
    choir("faucet", "bob")
    thread = choir("thread", "create", "Ospreys dive.", "--as", "alice", "--privacy", "thread").out.strip()
    spec = choir("spec", "submit", thread, "Ospreys also sleep.", "--as", "bob").out.strip()
    hits = hits_of(choir, "ospreys", "--thread", thread, "--as", "alice")
    message = hits[0]["message"]["content_hash"]
    told = choir("search", "ospreys", "--thread", thread, "--as", "alice").out
    assert told.startswith("Ospreys dive.\n")
    assert f"  thread {thread}\n" in told
    assert "Nothing was found." in choir("search", "ospreys", "--thread", thread, "--as", "bob").out
    assert "(private; at most 64 characters)" in choir("thread", "show", thread).out
    assert "Ospreys dive." in choir("thread", "show", thread, "--as", "alice").out
    assert "(private; at most 64 characters)" in choir("message", "show", message).out
    assert "Ospreys dive." in choir("message", "show", message, "--as", "alice").out
    assert "Ospreys also" in choir("spec", "list", "--thread", thread, "--as", "alice").out
    assert "Ospreys also" not in choir("spec", "list", "--thread", thread).out
    assert choir("message", "proof", spec).document.get("content") is None
    assert choir("message", "proof", spec, "--as", "bob").document["content"]["text"] == "Ospreys also sleep."
    looked = choir("thread", "audit", thread, "--as", "alice")
    assert message in looked.out
    assert "refused" in looked.out
    assert "(signed out)" in looked.out
    assert "NotFound" in choir("thread", "audit", thread, "--as", "bob").err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["search", " "], 1, "QueryInvalid"),
        (["search", "x", "-k", "0"], 1, "InvalidRequest"),
        (["search", "x", "--thread", "nonsense"], 1, "InvalidRequest"),
        (["search", "x", "--since", "yesterday"], 2, "2026-01-31"),
        (["search", "x", "--since", "1960-01-01"], 2, "before 1970"),
        (["search", "x", "--privacy", "encrypted"], 2, "encrypted"),
        (["search", "x", "--as", "nobody"], 4, "choir key new"),
        (["suggest", ""], 1, "QueryInvalid"),
        (["message", "citations", "ab" * 32], 1, "NotFound"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_is_refused(online: Choir, arguments: list[str], code: int, said: str) -> None:
    ran = online(*arguments)
    assert (ran.code, ran.out) == (code, "")
    assert said in ran.err
