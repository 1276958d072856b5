"""Any endpoint that speaks OpenAI's `POST /embeddings` (components.md: by configuration)."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from choir.memory.embedding import EmbeddingError, Vectors, prepared_texts, unit_vectors
from choir.primitives.hashing import sha256_hex

KEYWORD_WEIGHT = 0.4  # as measured for MiniLM (memory.md, Search)
BATCH_TEXTS = 64
MAXIMUM_CHARACTERS = 16_000  # about what 8,192 tokens hold; the rest of a longer text is not embedded
MAXIMUM_ANSWER_BYTES = 64 << 20
RETRIED_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class EndpointSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`url` is the API's base, such as http://127.0.0.1:8080/v1.

    `total_seconds` bounds a call with all its retries.
    """

    url: str
    model: str
    dimensions: int
    api_key: str | None = None
    keyword_weight: float = KEYWORD_WEIGHT
    attempts: int = 4
    first_pause_seconds: float = 0.5
    attempt_seconds: float = 20.0
    total_seconds: float = 60.0


class _Item(msgspec.Struct):
    index: int
    embedding: list[float | None]


class _Answer(msgspec.Struct):
    data: list[_Item]


class OpenAICompatibleEmbedder:
    """`version` is MODEL#DIMENSIONS#ENDPOINT, the last a hash of the URL: vectors of two endpoints, models or lengths
    do not go together. When an endpoint puts another model behind the same name, reembed."""

    def __init__(self, settings: EndpointSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._version = f"{settings.model}#{settings.dimensions}#{_endpoint_id(settings.url)}"
        self._session = session

    @classmethod
    async def open(cls, settings: EndpointSettings) -> "OpenAICompatibleEmbedder":
        headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        return cls(settings, aiohttp.ClientSession(headers=headers))

    @property
    def name(self) -> str:
        return "openai-compatible"

    @property
    def version(self) -> str:
        return self._version

    @property
    def dimensions(self) -> int:
        return self._settings.dimensions

    @property
    def keyword_weight(self) -> float:
        return self._settings.keyword_weight

    async def embed(self, texts: Sequence[str]) -> Vectors:
        prepared = [text[:MAXIMUM_CHARACTERS] for text in prepared_texts(texts)]
        rows: list[list[float | None]] = []
        try:
            async with asyncio.timeout(self._settings.total_seconds):
                for start in range(0, len(prepared), BATCH_TEXTS):
                    rows += await self._embed_batch(prepared[start : start + BATCH_TEXTS])
        except TimeoutError as error:
            message = f"the embedding endpoint took more than {self._settings.total_seconds:g} s"
            raise EmbeddingError(message, retryable=True) from error
        return unit_vectors(rows, len(prepared), self.dimensions)

    async def aclose(self) -> None:
        await self._session.close()

    async def _embed_batch(self, batch: list[str]) -> list[list[float | None]]:
        for attempt in range(self._settings.attempts):
            try:
                return await self._ask(batch)
            except EmbeddingError as error:
                if not error.retryable or attempt + 1 == self._settings.attempts:
                    raise
            pause = self._settings.first_pause_seconds * 2**attempt
            await asyncio.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - spreads retries, no secret
        raise EmbeddingError("the embedding endpoint is configured with no attempts")

    async def _ask(self, batch: list[str]) -> list[list[float | None]]:
        body = {"model": self._settings.model, "input": batch, "encoding_format": "float"}
        url = self._settings.url.rstrip("/") + "/embeddings"
        timeout = aiohttp.ClientTimeout(total=self._settings.attempt_seconds)
        try:
            async with self._session.post(url, json=body, timeout=timeout) as response:
                if response.status != 200:
                    retryable = response.status in RETRIED_STATUS
                    raise EmbeddingError(f"the embedding endpoint said {response.status}", retryable=retryable)
                answer = await response.content.read(MAXIMUM_ANSWER_BYTES + 1)
                while not response.content.at_eof() and len(answer) <= MAXIMUM_ANSWER_BYTES:
                    answer += await response.content.read(MAXIMUM_ANSWER_BYTES + 1 - len(answer))
        except TimeoutError as error:
            raise EmbeddingError("the embedding endpoint did not answer in time", retryable=True) from error
        except aiohttp.ClientError as error:
            raise EmbeddingError(f"the embedding endpoint failed: {type(error).__name__}", retryable=True) from error
        return _rows(answer, len(batch))


def _endpoint_id(url: str) -> str:
    """12 hexadecimal digits, the same whatever the credentials and the query: keys change, and belong nowhere."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    return sha256_hex(f"{parts.scheme}://{host}{parts.path.rstrip('/')}".encode())[:12]


def _rows(answer: bytes, count: int) -> list[list[float | None]]:
    """The vectors in the order of the texts.

    Raises EmbeddingError for anything else; their numbers are checked later.
    """
    if len(answer) > MAXIMUM_ANSWER_BYTES:
        raise EmbeddingError("the embedding endpoint's answer is too long")
    try:
        items: list[Any] = sorted(msgspec.json.decode(answer, type=_Answer).data, key=lambda item: item.index)
    except msgspec.MsgspecError as error:
        raise EmbeddingError(f"the embedding endpoint's answer is not understood: {error}") from error
    if [item.index for item in items] != list(range(count)):
        raise EmbeddingError(f"the embedding endpoint answered {len(items)} vectors for {count} texts")
    return [item.embedding for item in items]
