"""The embedders that a node can be configured with."""

import os

from choir.memory.embedding import Embedder, EmbeddingError


def load_embedder(name: str) -> Embedder:
    """``wordllama`` (default), ``minilm``, ``sentence-transformers:MODEL``, or the URL of an OpenAI-compatible endpoint as
    ``URL#MODEL``; its key is read from CHOIR_EMBEDDER_API_KEY. Raises ``EmbeddingError``."""
    if name == "wordllama":
        from choir.memory.embedders.wordllama import load_wordllama

        return load_wordllama()
    if name == "minilm":
        from choir.memory.embedders.minilm import load_minilm

        return load_minilm()
    if name.startswith("sentence-transformers:"):
        from choir.memory.embedders.sentence_transformers import load_sentence_transformer

        return load_sentence_transformer(name.partition(":")[2])
    if name.startswith(("http://", "https://")):
        from choir.memory.embedders.openai_compatible import OpenAICompatibleEmbedder

        url, _, model = name.partition("#")
        return OpenAICompatibleEmbedder(url, model, api_key=os.environ.get("CHOIR_EMBEDDER_API_KEY"))
    raise EmbeddingError(
        f"unknown embedder {name!r}: choose wordllama, minilm, sentence-transformers:MODEL or URL#MODEL"
    )
