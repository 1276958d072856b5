"""The retrieval bench: its reader, its metrics, and a whole run over a few proposals."""

from pathlib import Path

import pytest

from choir.bench import retrieval
from choir.bench.corpus import MESSAGE_CHARACTERS, parse_proposal, read_corpus, split_paragraphs
from choir.bench.retrieval import ndcg, reciprocal_rank, run, without_references

BESIDE = [parent / "shared" / "data" / "eips" / "EIPS" for parent in Path(__file__).resolve().parents[3:]]
EIPS = next((folder for folder in BESIDE if folder.is_dir()), BESIDE[0])
PROPOSALS = {
    1: ("Blob fee market", "Prices data blobs apart from gas", "", "Blobs have a base fee of their own."),
    2: ("Token standard", "A common interface for tokens", "", "Contracts hold balances of tokens."),
    3: (
        "Blob count increase",
        "Raises how many blobs fit",
        "1",
        "More blobs fit under the base fee of EIP-1.",
    ),
    4: ("Token permits", "Approve tokens by signature", "2", "Holders of token balances sign approvals."),
    5: ("Blob pricing floor", "A floor under blob fees", "1, 3", "The base fee of blobs gets a floor."),
}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    for number, (title, description, requires, abstract) in PROPOSALS.items():
        kind = "eip" if number != 2 else "erc"
        (tmp_path / f"{kind}-{number}.md").write_text(
            f"---\neip: {number}\ntitle: {title}\ndescription: {description}\nauthor: A, B\n"
            f"requires: {requires}\n---\n\n## Abstract\n\n{abstract}\n\n## Motivation\n\nIt is needed.\n"
        )
    return tmp_path


def test_a_proposal_is_read() -> None:
    proposal = parse_proposal(
        "eip-7.md",
        "---\neip: 7\ntitle: A title: with a colon\nrequires: 1, EIP-2\n---\n"
        "# A title\n\n## Abstract\n\nText\n\n"
        "## Specification\n\n```\n## not a heading\n```\n### Deeper\n\nMore\n## Empty\n",
    )
    assert proposal is not None
    assert (proposal.key, proposal.title, proposal.requires) == ("7", "A title: with a colon", ("1", "2"))
    assert [section.heading for section in proposal.sections] == ["Abstract", "Specification"]
    assert proposal.abstract == "Text"
    assert "A title" not in "".join(proposal.messages())
    assert parse_proposal("readme.md", "# no front matter") is None


def test_long_sections_are_split_without_loss() -> None:
    text = "\n\n".join(f"paragraph {number} " + "word " * (number * 9) for number in range(80)) + "x" * 5_000
    parts = list(split_paragraphs(text, MESSAGE_CHARACTERS))
    assert max(map(len, parts)) <= MESSAGE_CHARACTERS
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_metrics() -> None:
    assert reciprocal_rank([5, 3, 9], frozenset({9, 3})) == 0.5
    assert reciprocal_rank([5], frozenset({1})) == 0
    assert ndcg([1, 2], frozenset({1, 2})) == 1
    assert ndcg([5, 1], frozenset({1})) == pytest.approx(0.6309, abs=1e-4)
    assert without_references("see [EIP-20](./eip-20.md) and ERC 721, keep 4844 gas") == "see   and  , keep 4844 gas"


def test_a_whole_run(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "minilm_folder", lambda: None)
    report = run(corpus)
    assert report["all"]["proposals"] == 5
    assert report["eip_only"]["proposals"] == 4
    figures = report["all"]["wordllama"]
    assert figures["title"]["hybrid"]["recall_at_10"] == 1
    assert figures["description"]["questions"] == 5
    assert figures["citations"]["questions"] == 3
    assert figures["suggestions"]["drafts"] == 3
    assert 0 <= figures["suggestions"]["with_votes"]["ndcg_at_10"] <= 1
    assert run(corpus) == report, "nothing is random"


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no Markdown proposals"):
        run(tmp_path)


@pytest.mark.skipif(not EIPS.is_dir(), reason="the EIPs are not beside this checkout")
def test_the_real_corpus_is_read() -> None:
    proposals = read_corpus(EIPS)
    assert len(proposals) > 1_000
    assert sum(bool(proposal.requires) for proposal in proposals) > 700
