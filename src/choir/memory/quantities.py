"""The semantic quantities (memory.md, Semantic quantities): pure functions of unit vectors and sets."""

import math
from collections.abc import Collection, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


def resonance(message: Vector, prior: Vector) -> float:
    """Cosine similarity of two embeddings, negative values cut to 0; 0…1."""
    return min(1.0, max(0.0, _cosine(message, prior)))


def phase(message: Vector, prior: Vector, thread_centroid: Vector) -> float:
    """Angle between the two as seen from the thread's centroid; 0 pulls the thread the same way, π the opposite.

    A message at the centroid pulls nowhere: the angle is then undefined and π/2 by convention, neither with nor against.
    """
    pull, other = message.astype(float) - thread_centroid, prior.astype(float) - thread_centroid
    if not pull.any() or not other.any():
        return math.pi / 2
    return math.acos(min(1.0, max(-1.0, _cosine(pull, other))))


def entanglement(message_priors: Collection[Hashable], prior_priors: Collection[Hashable]) -> float:
    """Bibliographic coupling: shared priors over all priors of the two (Jaccard); 0…1, 0 where neither cites."""
    first, second = set(message_priors), set(prior_priors)
    return len(first & second) / len(first | second) if first or second else 0.0


def coherence(message: Vector, priors: Sequence[Vector]) -> float:
    """Mean pairwise resonance among a message's priors, a pair weighted by both resonances with the message; 0…1.

    1 with fewer than two priors. Where no pair resonates with the message, pairs weigh the same.
    """
    if len(priors) < 2:
        return 1.0
    weights = [resonance(message, prior) for prior in priors]
    pairs = [(i, j) for i in range(len(priors)) for j in range(i)]
    pair_weights = [weights[i] * weights[j] for i, j in pairs]
    if sum(pair_weights) <= 0:
        pair_weights = [1.0] * len(pairs)
    weighted = sum(
        weight * resonance(priors[i], priors[j]) for weight, (i, j) in zip(pair_weights, pairs, strict=True)
    )
    return min(1.0, weighted / sum(pair_weights))


def total_resonance(message: Vector, priors: Sequence[Vector]) -> float:
    """1 − Π(1 − resonance) over a message's priors; 0…1, 0 without priors."""
    return 1.0 - math.prod(1.0 - resonance(message, prior) for prior in priors)


def centroid(vectors: NDArray[np.float32]) -> Vector:
    """Mean of a thread's embeddings, shape (dimensions,), not normalised. Raises ValueError without any."""
    if len(vectors) == 0:
        raise ValueError("a thread without messages has no centroid")
    mean: Vector = vectors.mean(axis=0)
    return mean


def _cosine(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Scaled first, so that tiny and huge differences neither vanish nor overflow. Neither may be zero."""
    a, b = first / np.abs(first).max(), second / np.abs(second).max()
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
