"""Embedding a batch of which one text may be refused for good: the others must not wait for it."""

from collections.abc import Sequence
from typing import Final

from choir.memory.embedding import Embedder, EmbeddingError
from choir.memory.vector_index import Vector

# What every endpoint embeds that embeds anything at all.
_PROBE: Final = "Does this text have a vector?"


async def embed_all(embedder: Embedder, texts: Sequence[str]) -> list[Vector | None]:
    """One vector for each text; None for those that the embedder refuses, while it embeds others. Raises
    ``EmbeddingError`` where trying later may help: it is away, or refuses every text, as with a wrong key."""
    if not texts:
        return []
    try:
        return list(await embedder.embed(texts))
    except EmbeddingError as error:
        if error.retryable:
            raise
    await probe(embedder)
    vectors = [await _embed_one(embedder, text) for text in texts]
    await probe(embedder)  # it has not begun meanwhile to refuse everything
    return vectors


async def probe(embedder: Embedder) -> None:
    """Embed one text. Raises ``EmbeddingError`` where that fails."""
    await embedder.embed([_PROBE])


async def _embed_one(embedder: Embedder, text: str) -> Vector | None:
    try:
        vector: Vector = (await embedder.embed([text]))[0]
        return vector
    except EmbeddingError as error:
        if error.retryable:
            raise
        return None
