"""Which priors a draft might cite: a ranker of its own (memory.md, Search).

What resembles the draft, and what the messages that resemble it cite. Citations count here only, never in
search.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from choir.memory.fusion import share_of_best
from choir.memory.search import HybridSearch
from choir.memory.vector_index import ScoredId, SearchFilter, ranked

NEIGHBOURS = 20  # messages whose citations count
VOTE_WEIGHT = 0.5  # likeness and votes weigh the same: nothing to tune
CANDIDATES = 100

# The ids that each of the given messages cites; only such as the same filter lets the viewer find.
CitationReader = Callable[[Sequence[int], SearchFilter], Awaitable[Mapping[int, Sequence[int]]]]


class Suggestion(msgspec.Struct, frozen=True):
    """`likeness` and `votes` are shares of the best, 0…1; `score` is their mean."""

    point_id: int
    score: float
    likeness: float
    votes: float


async def suggest_priors(
    search: HybridSearch, citations: CitationReader, draft: str, search_filter: SearchFilter, k: int
) -> list[Suggestion]:
    """At most k priors for `draft`, best first. Raises QueryError for an empty draft."""
    result = await search.search(draft, search_filter, CANDIDATES)
    likeness = [(hit.point_id, hit.score) for hit in result.hits]
    cited = await citations([point_id for point_id, _ in likeness[:NEIGHBOURS]], search_filter)
    return rank_priors(likeness, cited, k)


def rank_priors(likeness: Sequence[ScoredId], citations: Mapping[int, Sequence[int]], k: int) -> list[Suggestion]:
    """`likeness` best first. Each of the NEIGHBOURS votes with its likeness for what it cites."""
    votes: defaultdict[int, float] = defaultdict(float)
    for point_id, score in likeness[:NEIGHBOURS]:
        for cited in set(citations.get(point_id, ())):
            votes[cited] += score
    like, vote = share_of_best(likeness), share_of_best(list(votes.items()))
    scores = {
        point_id: (1 - VOTE_WEIGHT) * like.get(point_id, 0.0) + VOTE_WEIGHT * vote.get(point_id, 0.0)
        for point_id in like.keys() | vote.keys()
    }
    return [
        Suggestion(point_id, score, like.get(point_id, 0.0), vote.get(point_id, 0.0))
        for point_id, score in ranked(list(scores), list(scores.values()), k)
    ]
