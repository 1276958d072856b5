"""The default embedder: wordllama, 256 dimensions, weights inside the wheel, no network (components.md).

The package is only located, never imported: its vectors are means of rows of one table. Its own loader imports half a
second of other libraries, and holds the interpreter lock while it reads the vocabulary.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from safetensors.numpy import load_file

from choir.memory.embedders.sentencepiece_bpe import Tokenizer
from choir.memory.embedding import EmbeddingError, LocalEmbedder, Vectors, split_pieces

NAME: Final = "wordllama"
DIMENSIONS: Final = 256
KEYWORD_WEIGHT: Final = 0.7  # memory.md, Search
_IN_PLACE_CHARACTERS: Final = 500  # embedding so few takes less than the way to a thread and back
_WEIGHTS: Final = Path("weights", "l2_supercat_256.safetensors")
_VOCABULARY: Final = Path("tokenizers", "l2_supercat_tokenizer_config.json")
_SPECIAL: Final = ("<unk>", "<s>", "</s>")


class _Model(msgspec.Struct):
    vocab: msgspec.Raw
    merges: msgspec.Raw


class _TokenizerFile(msgspec.Struct):
    model: _Model


def load_wordllama() -> LocalEmbedder:
    """Load the weights (a tenth of a second). Raises EmbeddingError if the installed package does not carry them."""
    spec = importlib.util.find_spec(NAME)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddingError("the wordllama package is not installed")
    folder = Path(spec.submodule_search_locations[0])
    try:
        (table,) = load_file(folder / _WEIGHTS).values()
        tokenizer = _read_tokenizer(folder / _VOCABULARY)
    except (OSError, ValueError) as error:
        raise EmbeddingError(f"the wordllama package carries no weights: {error}") from error
    version = importlib.metadata.version(NAME)
    return LocalEmbedder(NAME, version, DIMENSIONS, KEYWORD_WEIGHT, _encoder(table, tokenizer), _IN_PLACE_CHARACTERS)


def _read_tokenizer(path: Path) -> Tokenizer:
    # In parts: each holds the interpreter lock for some milliseconds.
    model = msgspec.json.decode(path.read_bytes(), type=_TokenizerFile).model
    vocabulary = msgspec.json.decode(model.vocab, type=dict[str, int])
    return Tokenizer(vocabulary, msgspec.json.decode(model.merges, type=list[str]), _SPECIAL)


def _encoder(table: Vectors, tokenizer: Tokenizer) -> Callable[[list[str]], Vectors]:
    """Mean of the token vectors, as wordllama itself pools, but without padding to a batch's longest text."""

    def encode(texts: list[str]) -> Vectors:
        means = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            token_ids = [token_id for piece in split_pieces(text) for token_id in tokenizer.encode(piece)]
            means[row] = table[token_ids].mean(axis=0, dtype=np.float32)
        return means

    return encode
