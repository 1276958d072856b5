"""The embedder port, and the one place where text going in and vectors coming out are checked.

Sources: memory.md (The record, Search), components.md (embeddings).
"""

import asyncio
import unicodedata
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

# One tokenizer call never sees more than this: a long unbroken string costs gigabytes (components.md).
PIECE_CHARACTERS = 2_000
BATCH_PIECES = 32
_SAFE_SQUARE = 1e-200  # far from where 64-bit numbers end, at either side


class EmbeddingError(Exception):
    """No trustworthy vector could be made. `retryable` tells whether trying later may help."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class Embedder(Protocol):
    """Turns texts into unit vectors. `name` and `version` go into every record it embeds.

    `keyword_weight` (0…1) is what keyword scores weigh against this embedder's similarities in hybrid search.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def dimensions(self) -> int: ...
    @property
    def keyword_weight(self) -> float: ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """One row per text, shape (n, dimensions), each of length 1.

        Raises EmbeddingError, never half an answer.
        """
        ...

    async def aclose(self) -> None: ...


def identity(embedder: Embedder) -> str:
    """What names an embedder in the records and indexes that hold its vectors."""
    return f"{embedder.name}@{embedder.version}"


def prepared_texts(texts: Sequence[str]) -> list[str]:
    """The texts in Unicode NFC without outer whitespace. Raises EmbeddingError for one with nothing in it."""
    prepared = [unicodedata.normalize("NFC", text).strip() for text in texts]
    for position, text in enumerate(prepared):
        if not text:
            raise EmbeddingError(f"text {position} is empty, there is nothing to embed")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise EmbeddingError(f"text {position} is not valid Unicode") from error
    return prepared


def unit_vectors(raw: Any, count: int, dimensions: int) -> Vectors:
    """`raw` as (count, dimensions) float32 rows of length 1.

    Raises EmbeddingError on any other shape, NaN, ∞ or zero.
    """
    try:
        vectors = np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EmbeddingError("the embedder did not return a matrix of numbers") from error
    if count == 0 and vectors.size == 0:
        return np.empty((0, dimensions), dtype=np.float32)
    if vectors.shape != (count, dimensions):
        raise EmbeddingError(f"expected {count} vectors of {dimensions} numbers, got shape {vectors.shape}")
    with np.errstate(all="ignore"):
        squares = np.vecdot(vectors, vectors)
    if not ((squares > _SAFE_SQUARE) & (squares < 1 / _SAFE_SQUARE)).all():
        vectors = _scaled(vectors)
        squares = np.vecdot(vectors, vectors)
    unit: Vectors = (vectors / np.sqrt(squares)[:, np.newaxis]).astype(np.float32)
    return unit


def _scaled(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """By the largest number of each, so that squares neither overflow nor vanish. Raises EmbeddingError."""
    if not np.isfinite(vectors).all():
        raise EmbeddingError("the embedder returned NaN or infinite numbers")
    largest = np.abs(vectors).max(axis=1, keepdims=True)
    if not (largest > 0).all():
        raise EmbeddingError("the embedder returned a zero vector")
    scaled: NDArray[np.float64] = vectors / largest
    return scaled


def split_pieces(text: str, characters: int = PIECE_CHARACTERS) -> list[str]:
    """`text` cut into pieces of at most `characters`, at whitespace if a piece's last half has some."""
    pieces = []
    while len(text) > characters:
        cut = max(text.rfind(space, characters // 2, characters) for space in (" ", "\n", "\t"))
        cut = characters if cut < 0 else cut
        pieces.append(text[:cut])
        text = text[cut:].lstrip()
    return [*pieces, text] if text else pieces


@dataclass(frozen=True)
class LocalEmbedder:
    """An embedder whose model runs in this process, on a thread of its own.

    `encode` maps a few texts to raw vectors. A single text of at most `in_place_characters` is embedded where it is
    asked for; where that is 0, `encode` is never called from two threads at once.
    """

    name: str
    version: str
    dimensions: int
    keyword_weight: float
    encode: Callable[[list[str]], Any]
    in_place_characters: int = 0
    _thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="embedder"), repr=False
    )

    async def embed(self, texts: Sequence[str]) -> Vectors:
        loop = asyncio.get_running_loop()
        prepared = prepared_texts(texts)
        if len(prepared) == 1 and len(prepared[0]) <= self.in_place_characters:
            return self._embed_batch(prepared)
        batches = [prepared[start : start + BATCH_PIECES] for start in range(0, len(prepared), BATCH_PIECES)]
        parts = [await loop.run_in_executor(self._thread, self._embed_batch, batch) for batch in batches]
        return np.concatenate(parts) if parts else unit_vectors([], 0, self.dimensions)

    def _embed_batch(self, batch: list[str]) -> Vectors:
        return unit_vectors(self.encode(batch), len(batch), self.dimensions)

    async def aclose(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
