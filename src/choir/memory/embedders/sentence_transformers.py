"""Any sentence-transformers model, where that library is installed (components.md: by configuration)."""

import importlib.metadata

import numpy as np

from choir.memory.embedding import EmbeddingError, LocalEmbedder, Vectors, split_pieces

KEYWORD_WEIGHT = 0.4  # as measured for MiniLM (memory.md, Search); stronger models deserve less
MAXIMUM_PIECES = 8


def load_sentence_transformer(model: str, *, keyword_weight: float = KEYWORD_WEIGHT) -> LocalEmbedder:
    """`model` is a folder or a name the library can resolve. Raises EmbeddingError, saying what to install."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EmbeddingError(
            "the sentence-transformers library is not installed: pip install sentence-transformers"
        ) from error
    try:
        transformer = SentenceTransformer(model, device="cpu")
    except (OSError, ValueError) as error:
        raise EmbeddingError(f"sentence-transformers cannot load {model!r}: {error}") from error
    dimensions = transformer.get_embedding_dimension()
    if dimensions is None:
        raise EmbeddingError(f"{model!r} does not say how many dimensions it has")

    def encode(texts: list[str]) -> Vectors:
        pieces = [split_pieces(text)[:MAXIMUM_PIECES] for text in texts]
        flat = transformer.encode([piece for group in pieces for piece in group], show_progress_bar=False)
        ends = np.cumsum([len(group) for group in pieces])
        return np.stack([part.mean(axis=0) for part in np.split(np.asarray(flat), ends[:-1])])

    version = importlib.metadata.version("sentence-transformers")
    return LocalEmbedder(model, version, dimensions, keyword_weight, encode)
