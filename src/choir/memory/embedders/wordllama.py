"""The default embedder: wordllama, 256 dimensions, its weights inside the wheel, no network (components.md)."""

import importlib.metadata
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from choir.memory.embedding import EmbeddingError, LocalEmbedder, Vectors, split_pieces

NAME = "wordllama"
DIMENSIONS = 256
KEYWORD_WEIGHT = 0.7  # memory.md, Search


def load_wordllama() -> LocalEmbedder:
    """Load the weights (0.8 s). Raises EmbeddingError if the installed package does not carry them."""
    version = importlib.metadata.version(NAME)
    return LocalEmbedder(NAME, version, DIMENSIONS, KEYWORD_WEIGHT, _encoder(_load_model()))


def _load_model() -> Any:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    import wordllama  # it configures the root logger when imported; that is the application's business

    root.handlers[:] = handlers
    root.setLevel(level)
    folder = Path(wordllama.__file__).parent
    try:
        model = wordllama.WordLlama.load(dim=DIMENSIONS, cache_dir=folder, disable_download=True)
    except FileNotFoundError as error:
        raise EmbeddingError(f"the wordllama package carries no weights: {error}") from error
    model.tokenizer.no_padding()
    return model


def _encoder(model: Any) -> Callable[[list[str]], Vectors]:
    """Mean of the token vectors, as wordllama itself pools, but without padding a batch to its longest text."""
    table, tokenizer = model.embedding, model.tokenizer

    def encode(texts: list[str]) -> Vectors:
        means = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            encodings = tokenizer.encode_batch(split_pieces(text), add_special_tokens=False)
            token_ids = np.concatenate([np.asarray(encoding.ids, dtype=np.int64) for encoding in encodings])
            means[row] = table[token_ids].mean(axis=0)
        return means

    return encode
