"""`choir bench retrieval`: does search find the right proposal, do suggestions find what a draft should cite?

Runs the product's own search over a folder of Markdown proposals. Nothing here is fitted to a corpus:
fusion weights belong to the embedders and were settled in memory.md; the halves for suggestions are drawn
by a hash of the file name.
"""

import asyncio
import hashlib
import math
import re
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choir.bench.corpus import Proposal, read_corpus
from choir.memory.embedders.minilm import load_minilm, minilm_folder
from choir.memory.embedders.wordllama import load_wordllama
from choir.memory.embedding import Embedder
from choir.memory.fusion import best_per_group
from choir.memory.indexes.exact import ExactIndex
from choir.memory.keyword import KeywordEntry, KeywordIndex
from choir.memory.keyword_changes import KeywordChanges
from choir.memory.keyword_search import KeywordSearch
from choir.memory.search import HybridSearch
from choir.memory.suggest import rank_priors
from choir.memory.vector_index import Point, ScoredId, SearchFilter

DEPTH = 100  # messages asked of the search; proposals rank by their best message
CUTOFF = 10
RANKERS = ("keyword", "vectors", "hybrid")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
Ranking = list[int]


@dataclass(frozen=True)
class Question:
    """`text` asks; `targets` answer (proposals, by position); `source` is the proposal it was taken from."""

    text: str
    targets: frozenset[int]
    source: int


def run(directory: Path) -> dict[str, Any]:
    """Figures per corpus part and embedder. MiniLM is measured where its weights are installed."""
    return asyncio.run(_run(directory))


async def _run(directory: Path) -> dict[str, Any]:
    proposals = read_corpus(directory)
    if not proposals:
        raise ValueError(f"no Markdown proposals with front matter in {directory}")
    parts = {"all": proposals}
    core = [proposal for proposal in proposals if proposal.file_name.startswith("eip-")]
    if core and len(core) < len(proposals):
        parts["eip_only"] = core
    embedders = [load_wordllama(), *([load_minilm()] if minilm_folder() else [])]
    report: dict[str, Any] = {"directory": str(directory)}
    for part, chosen in parts.items():
        report[part] = {"proposals": len(chosen)}
        for embedder in embedders:
            collection = await _Collection.build(chosen, embedder)
            report[part]["messages"] = len(collection.proposal_of)
            report[part][embedder.name] = await _measure(collection)
            await collection.close()
    for embedder in embedders:
        await embedder.aclose()
    return report


class _Collection:
    """The messages of some proposals, indexed as the product indexes them; one thread per proposal."""

    def __init__(self, proposals: Sequence[Proposal], embedder: Embedder) -> None:
        self.proposals = proposals
        self.embedder = embedder
        self.proposal_of: dict[int, int] = {}
        self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        term_key, changes = secrets.token_bytes(32), KeywordChanges()
        self._words = KeywordIndex(self._connection, term_key, changes)
        self._words.create_tables()
        self._keywords = KeywordSearch(self._connection, term_key, changes)
        self._vectors = ExactIndex(embedder.dimensions)
        self._search = HybridSearch(embedder, self._vectors, self._keywords)

    @classmethod
    async def build(cls, proposals: Sequence[Proposal], embedder: Embedder) -> "_Collection":
        collection = cls(proposals, embedder)
        for number, proposal in enumerate(proposals):
            await collection._add(number, list(proposal.messages()))
        return collection

    async def _add(self, number: int, texts: Sequence[str]) -> None:
        first = len(self.proposal_of)
        ids = range(first, first + len(texts))
        vectors = await self.embedder.embed(texts)
        thread = str(number)
        self._words.add(
            KeywordEntry(point_id, text, thread, "", 0, "public") for point_id, text in zip(ids, texts, strict=True)
        )
        await self._vectors.upsert(
            [Point(point_id, vector, thread, "", 0, "public") for point_id, vector in zip(ids, vectors, strict=True)]
        )
        self.proposal_of.update(dict.fromkeys(ids, number))

    async def ranked_proposals(self, text: str) -> dict[str, list[ScoredId]]:
        """Proposals by their best message, per ranker; the question's own source may be among them."""
        keyword = self._keywords.search(text, SearchFilter(), DEPTH)
        vector = (await self.embedder.embed([text]))[0]
        similar = await self._vectors.search(vector, SearchFilter(), DEPTH)
        return {
            "keyword": best_per_group(keyword, self.proposal_of),
            "vectors": best_per_group(similar, self.proposal_of),
            "hybrid": await self.alike(text),
        }

    async def alike(self, text: str) -> list[ScoredId]:
        """Proposals by their best message in hybrid search."""
        result = await self._search.search(text, SearchFilter(), DEPTH)
        return best_per_group([(hit.point_id, hit.score) for hit in result.hits], self.proposal_of)

    async def close(self) -> None:
        self._search.close()
        await self._vectors.aclose()
        self._connection.close()


async def _measure(collection: _Collection) -> dict[str, Any]:
    proposals = collection.proposals
    required = required_proposals(proposals)
    titles = [Question(p.title, frozenset({i}), -1) for i, p in enumerate(proposals)]
    descriptions = [Question(p.description, frozenset({i}), -1) for i, p in enumerate(proposals) if p.description]
    citing = [i for i in required if without_references(proposals[i].abstract)]
    citations = [Question(without_references(proposals[i].abstract), required[i], i) for i in citing]
    figures: dict[str, Any] = {"keyword_weight": collection.embedder.keyword_weight}
    for task, questions in (("title", titles), ("description", descriptions), ("citations", citations)):
        figures[task] = await _search_figures(collection, questions)
    figures["suggestions"] = await _suggestion_figures(collection, required)
    return figures


async def _search_figures(collection: _Collection, questions: Sequence[Question]) -> dict[str, Any]:
    answers = [await collection.ranked_proposals(question.text) for question in questions]
    figures: dict[str, Any] = {"questions": len(questions)}
    for ranker in RANKERS:
        rankings = [
            [number for number, _ in answer[ranker] if number != question.source][:CUTOFF]
            for question, answer in zip(questions, answers, strict=True)
        ]
        figures[ranker] = _figures(rankings, [question.targets for question in questions])
    return figures


async def _suggestion_figures(collection: _Collection, required: Mapping[int, frozenset[int]]) -> dict[str, Any]:
    """Priors for whole proposals as drafts, their references removed.

    Only the other half's citations are known.
    """
    proposals = collection.proposals
    figures: dict[str, Any] = {}
    pooled: list[tuple[Ranking, Ranking, frozenset[int]]] = []
    for known_half in (0, 1):
        known = {i: sorted(targets) for i, targets in required.items() if half_of(proposals[i]) == known_half}
        held_back = [i for i in required if half_of(proposals[i]) != known_half and _draft(proposals[i])]
        for i in held_back:
            alike = await collection.alike(_draft(proposals[i]))
            likeness = [(number, score) for number, score in alike if number != i]
            suggested = [s.point_id for s in rank_priors(likeness, known, CUTOFF + 1) if s.point_id != i]
            pooled.append(([number for number, _ in likeness[:CUTOFF]], suggested[:CUTOFF], required[i]))
        first = len(pooled) - len(held_back)
        figures[f"ndcg_at_10_known_half_{known_half}"] = _figures(
            [suggested for _, suggested, _ in pooled[first:]], [targets for _, _, targets in pooled[first:]]
        )["ndcg_at_10"]
    targets = [targets for _, _, targets in pooled]
    figures["drafts"] = len(pooled)
    figures["likeness_only"] = _figures([liked for liked, _, _ in pooled], targets)
    figures["with_votes"] = _figures([suggested for _, suggested, _ in pooled], targets)
    return figures


def required_proposals(proposals: Sequence[Proposal]) -> dict[int, frozenset[int]]:
    """Positions of the proposals that each requires, as far as the corpus holds them."""
    position = {proposal.key: number for number, proposal in enumerate(proposals)}
    found = {
        number: frozenset(position[key] for key in proposal.requires if key in position) - {number}
        for number, proposal in enumerate(proposals)
    }
    return {number: targets for number, targets in found.items() if targets}


def without_references(text: str) -> str:
    """The text with links reduced to their words, and "EIP-1559", "ERC 20" and the like taken out."""
    return re.sub(r"\b[A-Z]{2,6}s?[-\s#]{0,2}\d+\b", " ", _LINK.sub(r"\1", text)).strip()


def _draft(proposal: Proposal) -> str:
    return without_references("\n\n".join(section.text for section in proposal.sections))


def half_of(proposal: Proposal) -> int:
    return hashlib.sha256(proposal.file_name.encode()).digest()[0] & 1


def _figures(rankings: Sequence[Ranking], targets: Sequence[frozenset[int]]) -> dict[str, float]:
    pairs = list(zip(rankings, targets, strict=True))
    return {
        "recall_at_10": _mean(len(wanted & set(ranking)) / len(wanted) for ranking, wanted in pairs),
        "mrr_at_10": _mean(reciprocal_rank(ranking, wanted) for ranking, wanted in pairs),
        "ndcg_at_10": _mean(ndcg(ranking, wanted) for ranking, wanted in pairs),
    }


def reciprocal_rank(ranking: Ranking, wanted: frozenset[int]) -> float:
    """1 / rank of the first right answer; 0 where there is none."""
    return next((1 / rank for rank, number in enumerate(ranking, 1) if number in wanted), 0.0)


def ndcg(ranking: Ranking, wanted: frozenset[int]) -> float:
    """Discounted gain over the best possible; every right answer counts the same."""
    gain = sum(1 / math.log2(rank + 1) for rank, number in enumerate(ranking, 1) if number in wanted)
    return gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(CUTOFF, len(wanted)) + 1))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return round(sum(listed) / len(listed), 4) if listed else 0.0
