"""The default embedder: wordllama, 256 dimensions, weights inside the wheel, no network (components.md).

The package is only located, never imported: its vectors are means of rows of one table. Its own loader imports half a
second of other libraries, and holds the interpreter lock while it reads the vocabulary.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from choir.memory.courtesy import courteous
from choir.memory.embedders.sentencepiece_bpe import Tokenizer
from choir.memory.embedding import EmbeddingError, LocalEmbedder, Vectors, split_pieces

NAME: Final = "wordllama"
DIMENSIONS: Final = 256
KEYWORD_WEIGHT: Final = 0.7  # memory.md, Search
_IN_PLACE_CHARACTERS: Final = 500  # embedding so few takes less than the way to a thread and back
_WEIGHTS: Final = Path("weights", "l2_supercat_256.safetensors")
_VOCABULARY: Final = Path("tokenizers", "l2_supercat_tokenizer_config.json")
_SPECIAL: Final = ("<unk>", "<s>", "</s>")
_LENGTH_BYTES: Final = 8
_DTYPES: Final = {"F16": "<f2", "F32": "<f4"}
_LINES_A_PART: Final = 4_000
_ROWS_A_PART: Final = 256


class _Model(msgspec.Struct):
    vocab: msgspec.Raw
    merges: msgspec.Raw


class _TokenizerFile(msgspec.Struct):
    model: _Model


class _Tensor(msgspec.Struct):
    """As a safetensors file describes it; the offsets begin behind the header."""

    dtype: Literal["F16", "F32"]
    shape: tuple[int, int]
    data_offsets: tuple[int, int]


def load_wordllama() -> LocalEmbedder:
    """Load the weights (a tenth of a second). Raises EmbeddingError if the installed package does not carry them."""
    spec = importlib.util.find_spec(NAME)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddingError("the wordllama package is not installed")
    folder = Path(spec.submodule_search_locations[0])
    try:
        table = _read_table(folder / _WEIGHTS)
        tokenizer = _read_tokenizer(folder / _VOCABULARY)
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise EmbeddingError(f"the wordllama package carries no weights: {error}") from error
    version = importlib.metadata.version(NAME)
    return LocalEmbedder(NAME, version, DIMENSIONS, KEYWORD_WEIGHT, _encoder(table, tokenizer), _IN_PLACE_CHARACTERS)


def _read_table(path: Path) -> NDArray[np.floating[Any]]:
    """The one tensor of a safetensors file. Its own library copies it with the interpreter lock held."""
    with path.open("rb", buffering=0) as file:
        header_bytes = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        (tensor,) = msgspec.json.decode(file.read(header_bytes), type=dict[str, _Tensor]).values()
        table = np.empty(tensor.shape, _DTYPES[tensor.dtype])
        file.seek(_LENGTH_BYTES + header_bytes + tensor.data_offsets[0])
        if file.readinto(table.data.cast("B")) != table.nbytes:
            raise ValueError(f"{path} is cut off")
    return table


def _read_tokenizer(path: Path) -> Tokenizer:
    model = msgspec.json.decode(path.read_bytes(), type=_TokenizerFile).model
    vocabulary: dict[str, int] = {}
    for part in _parts(model.vocab):
        vocabulary |= msgspec.json.decode(part, type=dict[str, int])
    merges: list[str] = []
    for part in _parts(model.merges):
        merges += msgspec.json.decode(part, type=list[str])
    return Tokenizer(vocabulary, merges, _SPECIAL)


def _parts(members: msgspec.Raw) -> Iterator[bytes]:
    """A JSON array or object whose members have lines of their own, as some smaller ones: decoding all at once would
    hold the interpreter lock for ten milliseconds."""
    text = bytes(members).strip()
    lines = text[1:-1].split(b",\n")  # a line break never stands inside a string
    for start in range(0, len(lines), _LINES_A_PART):
        yield text[:1] + b",".join(lines[start : start + _LINES_A_PART]) + text[-1:]


def _encoder(table: NDArray[np.floating[Any]], tokenizer: Tokenizer) -> Callable[[list[str]], Vectors]:
    """Mean of the token vectors, as wordllama itself pools, but without padding to a batch's longest text."""

    def encode(texts: list[str]) -> Vectors:
        means = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(courteous(texts)):
            token_ids = [token_id for piece in split_pieces(text) for token_id in tokenizer.encode(piece)]
            means[row] = _mean(table, token_ids)
        return means

    return encode


def _mean(table: NDArray[np.floating[Any]], rows: list[int]) -> Vectors:
    """In parts: over a long text at once it would hold the interpreter lock for ten milliseconds."""
    total = np.zeros(table.shape[1], dtype=np.float32)
    for start in range(0, len(rows), _ROWS_A_PART):
        total += table[rows[start : start + _ROWS_A_PART]].sum(axis=0, dtype=np.float32)
    return total / np.float32(len(rows))
