"""Putting keyword scores, similarities and threads together (memory.md, Search)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from choir.memory.vector_index import ScoredId, Scores, ranked

SUPPORTERS: Final = 2
SUPPORT: Final = 0.1

_Numbers = NDArray[np.int64]


def fuse(keyword: Scores, similarity: Scores, keyword_weight: float) -> Scores:
    """Convex combination of keyword scores, divided by their best, and similarities as they are; message by message.

    Scores lie in 0…1. Negative similarities count as 0, as resonance does. A message without a word of the query has
    the keyword score 0. The best is the best among what the viewer may read, so the scale tells nothing of the rest.
    Similarities keep their size (decision 0020): where nothing is like the query, they say little.
    """
    keyword_best = keyword.max(initial=0.0) or 1.0
    return keyword_weight * (keyword / keyword_best) + (1 - keyword_weight) * similarity.clip(0.0, 1.0)


def supported(point_ids: _Numbers, scores: Scores, threads: _Numbers) -> Scores:
    """The scores, where the best message of a thread has gained a tenth of the scores of each of its thread's next two
    (decision 0021). Divided by the most that one can have: 0…1.

    ``threads`` says with a number which messages share a thread. Of equal messages the one with the lower id is best.
    """
    order = np.lexsort((point_ids, -scores, threads))
    thread, score = threads[order], scores[order]
    best = np.flatnonzero(np.concatenate([[True], thread[1:] != thread[:-1]])[: len(thread)])
    total = score.copy()
    for place in range(1, SUPPORTERS + 1):
        led = best[best + place < len(thread)]
        led = led[thread[led + place] == thread[led]]
        total[led] += SUPPORT * score[led + place]
    found = np.empty_like(total)
    found[order] = total / (1 + SUPPORTERS * SUPPORT)
    return found


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
