"""Putting keyword scores and similarities together (memory.md, Search)."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from choir.memory.vector_index import ScoredId, ranked


def fuse(keyword: Mapping[int, float], similarity: Mapping[int, float], keyword_weight: float) -> list[ScoredId]:
    """Convex combination of keyword scores, divided by their best, and similarities as they are; every id, best first,
    equal ones by id.

    Scores lie in 0…1. Negative similarities count as 0, as resonance does. An id without a keyword score
    holds no word of the query: 0. The best is the best among what the viewer may read, so the scale tells
    nothing of the rest. Similarities keep their size (decision 0020): where nothing is like the query, they say little.
    """
    keyword_best = max(keyword.values(), default=0.0) or 1.0
    ids = list(keyword.keys() | similarity.keys())
    words = np.array([keyword.get(point_id, 0.0) for point_id in ids])
    meaning = np.array([similarity.get(point_id, 0.0) for point_id in ids]).clip(0.0, 1.0)
    fused = keyword_weight * words / keyword_best + (1 - keyword_weight) * meaning
    return ranked(ids, fused, len(ids))


def best_per_group(scored: Iterable[ScoredId], group_of: Mapping[int, int]) -> list[ScoredId]:
    """Groups (threads, documents) ranked by their best message."""
    best: dict[int, float] = {}
    for point_id, score in scored:
        group = group_of[point_id]
        best[group] = max(score, best.get(group, score))
    return ranked(list(best), list(best.values()), len(best))


def share_of_best(scored: Sequence[ScoredId]) -> dict[int, float]:
    """Scores divided by the best; nothing where the best is not above 0."""
    best = max((score for _, score in scored), default=0.0)
    return {point_id: score / best for point_id, score in scored} if best > 0 else {}
