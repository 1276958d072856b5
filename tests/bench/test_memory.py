"""The memory bench: what it makes of files, and a whole small run."""

from pathlib import Path

import pytest

from choir.bench import memory
from choir.bench.memory import percentile
from choir.bench.memory_corpus import Writers, load_corpus, make_texts
from choir.bench.processes import rss_mb
from choir.memory.text import content_hash
from tests.cli.conftest import Choir

PARAGRAPHS = [f"Paragraph {number} tells of herons that stand in shallow water." for number in range(30)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(3):
        body = "\n\n".join(PARAGRAPHS[number * 10 : number * 10 + 10])
        (folder / f"{number}.md").write_text(f"# Herons {number}\n\n{body}\n\n## Fishing {number}\n\nThey wait.\n")
    return folder


def test_files_become_messages_and_questions(corpus: Path) -> None:
    loaded = load_corpus(corpus)
    assert loaded.documents == 3
    assert sorted(loaded.queries) == sorted([f"{word} {n}" for word in ("Herons", "Fishing") for n in range(3)])
    assert "".join(loaded.messages).count("herons") == 30
    assert load_corpus(corpus) == loaded, "nothing is random"


def test_every_made_text_is_another(corpus: Path) -> None:
    texts = list(make_texts(load_corpus(corpus).messages, 500))
    assert len(set(texts)) == 500
    assert texts[:100] == list(make_texts(load_corpus(corpus).messages, 100))


def test_what_the_writers_sign() -> None:
    writers = Writers(threads=40, time_ms=1)
    signed = [*writers.threads(), *writers.messages(iter(f"text {number}" for number in range(130)))]
    assert len(signed) == 170
    contents = [one.content for one in signed if one.content is not None]
    first = contents[0]
    assert first.content_hash == content_hash(first.author, first.salt, "text 0", first.thread_id)
    assert {content.privacy for content in contents} == {"public", "premium", "thread"}
    own = {content.thread_id for content in contents if content.author == writers.keys[0].address}
    assert writers.private_threads_of_the_first() == own
    with_priors = [one for one in signed if one.content and one.transaction.transaction.body.priors]  # type: ignore[union-attr]
    assert len(with_priors) == 30


def test_figures_of_a_few_values() -> None:
    assert percentile([3.0, 1.0, 2.0], 50) == 2.0
    assert percentile([1.0, 2.0, 3.0], 99) == 3.0
    resident = rss_mb()
    assert resident is None or resident >= 0


def test_a_whole_run(choir: Choir, corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_IDLE_SECONDS", 0.01)
    figures = choir("bench", "memory", "--directory", str(corpus), "--records", "60", "--json").document
    assert (figures["documents"], figures["queries"], figures["embedder"]) == (3, 6, "wordllama")
    assert set(figures["imported"]) == set(figures["made"])
    made = figures["made"]
    assert (made["records"], made["vector_index"], made["recall_at_10"]) == (60, "exact", 1.0)
    searches = ("search", "search_private", "rest_search", "rest_search_private")
    for name in (*searches, "raw_engine", "raw_engine_back_to_back", "raw_scan"):
        assert 0 < made[f"{name}_ms_p50"] <= made[f"{name}_ms_p99"]
    for name in ("index_per_s", "rebuild_s", "event_loop_stall_ms_max", "event_loop_stall_ms_max_elsewhere"):
        assert made[name] > 0


def test_retrieval_and_what_is_refused(choir: Choir, corpus: Path, tmp_path: Path) -> None:
    (corpus / "p.md").write_text("---\ntitle: Herons fish\ndescription: d\n---\n\n## Abstract\n\nThey wait in water.\n")
    figures = choir("bench", "retrieval", str(corpus), "--json").document
    assert figures["all"]["proposals"] == 1
    assert "no Markdown" in choir("bench", "retrieval", str(tmp_path / "none")).err
    assert "no Markdown" in choir("bench", "memory", "--directory", str(tmp_path / "none")).err
    assert choir("bench", "memory", "--records", "0").code == 2
