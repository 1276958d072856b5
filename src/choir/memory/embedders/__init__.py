"""The embedders that a node can be configured with."""

import asyncio
import os
from typing import Final

from choir.memory.embedding import Embedder, EmbeddingError

MAXIMUM_DIMENSIONS: Final = 65_536
KEY_VARIABLE: Final = "CHOIR_EMBEDDER_API_KEY"


async def load_embedder(name: str) -> Embedder:
    """``wordllama`` (default), ``minilm``, ``sentence-transformers:MODEL``, or an OpenAI-compatible endpoint as
    ``URL#MODEL#DIMENSIONS``, whose key is read from CHOIR_EMBEDDER_API_KEY. Raises ``EmbeddingError``."""
    if name == "wordllama":
        from choir.memory.embedders.wordllama import load_wordllama

        return await asyncio.to_thread(load_wordllama)
    if name == "minilm":
        from choir.memory.embedders.minilm import load_minilm

        return await asyncio.to_thread(load_minilm)
    if name.startswith("sentence-transformers:"):
        from choir.memory.embedders.sentence_transformers import load_sentence_transformer

        return await asyncio.to_thread(load_sentence_transformer, name.partition(":")[2])
    if name.startswith(("http://", "https://")):
        return await _open_endpoint(name)
    raise EmbeddingError(
        f"unknown embedder {name!r}: choose wordllama, minilm, sentence-transformers:MODEL or URL#MODEL#DIMENSIONS"
    )


async def _open_endpoint(name: str) -> Embedder:
    from choir.memory.embedders.openai_compatible import EndpointSettings, OpenAICompatibleEmbedder

    url, model, dimensions = (*name.split("#"), "", "")[:3]
    if not model or not dimensions.isdecimal():
        raise EmbeddingError("an embedding endpoint is written URL#MODEL#DIMENSIONS")
    # Thousands of digits are not even read.
    count = int(dimensions) if len(dimensions) <= len(str(MAXIMUM_DIMENSIONS)) else 0
    if not 1 <= count <= MAXIMUM_DIMENSIONS:
        raise EmbeddingError(f"an embedding has 1 to {MAXIMUM_DIMENSIONS} dimensions, not {dimensions[:20]}")
    settings = EndpointSettings(url, model, count, api_key=os.environ.get(KEY_VARIABLE))
    try:
        return await OpenAICompatibleEmbedder.open(settings)
    except ValueError as error:
        raise EmbeddingError(f"an embedding endpoint is written URL#MODEL#DIMENSIONS: {error}") from error
