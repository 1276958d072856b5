"""The embedder port: one contract over all adapters, and the scripted endpoint's misbehaviour."""

import asyncio
import importlib.util
import json
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save_file

from choir.memory.embedders import load_embedder, wordllama
from choir.memory.embedders.minilm import load_minilm, minilm_folder
from choir.memory.embedders.openai_compatible import EndpointSettings, OpenAICompatibleEmbedder
from choir.memory.embedders.sentence_transformers import load_sentence_transformer
from choir.memory.embedders.wordllama import load_wordllama
from choir.memory.embedding import Embedder, EmbeddingError, LocalEmbedder, split_pieces, unit_vectors

needs_minilm = pytest.mark.skipif(minilm_folder() is None, reason="the MiniLM weights are not installed")
needs_library = pytest.mark.skipif(
    minilm_folder() is None or importlib.util.find_spec("sentence_transformers") is None,
    reason="sentence-transformers is not installed",
)


def calls_of(endpoint: str) -> dict[str, int]:
    with urllib.request.urlopen(endpoint) as response:
        return json.load(response)


def settings(url: str, model: str, **changes: float) -> EndpointSettings:
    quick = {"first_pause_seconds": 0.01, "attempt_seconds": 5.0, "total_seconds": 10.0, **changes}
    return EndpointSettings(url, f"{model}/{uuid.uuid4().hex}", 8, **quick)


@pytest.fixture(
    params=[
        "wordllama",
        pytest.param("minilm", marks=needs_minilm),
        pytest.param("sentence-transformers", marks=[needs_library, pytest.mark.slow]),
        "endpoint",
    ]
)
async def embedder(request: pytest.FixtureRequest, endpoint: str) -> AsyncIterator[Embedder]:
    if request.param == "endpoint":
        opened: Embedder = await OpenAICompatibleEmbedder.open(settings(endpoint, "good"))
    elif request.param == "wordllama":
        opened = load_wordllama()
    elif request.param == "minilm":
        opened = load_minilm()
    else:
        opened = load_sentence_transformer(str(minilm_folder()))
    yield opened
    await opened.aclose()


async def test_contract(embedder: Embedder) -> None:
    texts = [
        "a fee market for blobs",
        "ein Gebührenmarkt",
        "سوق الرسوم",
        "e\u0301",
        "x" * 30_000,
        "0x" + "ab" * 40,
        "!",
    ]
    vectors = await embedder.embed(texts)
    assert vectors.shape == (len(texts), embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    again = await embedder.embed([texts[1], texts[0]])
    assert again == pytest.approx(vectors[[1, 0]], abs=1e-4), "a text's vector does not depend on its neighbours"
    assert (await embedder.embed(["\u00e9"]))[0] == pytest.approx(vectors[3], abs=1e-6), "NFC"
    assert (await embedder.embed([])).shape == (0, embedder.dimensions)
    assert embedder.name
    assert embedder.version
    assert 0 < embedder.keyword_weight < 1


@pytest.mark.parametrize("text", ["", "   \n\t", "\ud800"])
async def test_nothing_to_embed_is_an_error(embedder: Embedder, text: str) -> None:
    with pytest.raises(EmbeddingError):
        await embedder.embed(["fine", text])


@pytest.mark.parametrize("load", [load_wordllama, pytest.param(load_minilm, marks=needs_minilm)])
async def test_meaning(load) -> None:
    embedder: LocalEmbedder = load()
    a, b, c = await embedder.embed(["how to cook pasta", "boiling spaghetti in a kitchen", "stock market crash"])
    assert a @ b > a @ c
    await embedder.aclose()


async def test_models_run_off_the_event_loop_in_small_batches() -> None:
    seen: list[tuple[int, int]] = []

    def encode(texts: list[str]) -> list[list[float]]:
        seen.append((threading.get_ident(), len(texts)))
        return [[1.0, 2.0]] * len(texts)

    embedder = LocalEmbedder("test", "1", 2, 0.5, encode)
    assert (await embedder.embed(["text"] * 100)).shape == (100, 2)
    assert threading.get_ident() not in {thread for thread, _ in seen}
    assert len({thread for thread, _ in seen}) == 1
    assert max(size for _, size in seen) <= 32
    await embedder.aclose()


@needs_library
@pytest.mark.slow
async def test_minilm_equals_the_reference_implementation() -> None:
    texts = ["a fee market", "Hello, world!", "ünïcode and 中文", "word " * 150]
    ours, reference = load_minilm(), load_sentence_transformer(str(minilm_folder()))
    assert await ours.embed(texts) == pytest.approx(await reference.embed(texts), abs=1e-5)


def test_missing_packages_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbeddingError, match="pip install"):
        load_minilm()
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EmbeddingError, match="pip install"):
        load_sentence_transformer("some-model")


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("wrong-dimension", "shape"),
        ("nan", "not understood"),
        ("null", "NaN"),
        ("huge", "not understood|infinite"),
        ("zero", "zero vector"),
        ("few", "vectors for"),
        ("garbage", "not understood"),
        ("400", "400"),
        ("429", "429"),
        ("500", "500"),
    ],
)
async def test_endpoint_misbehaves(endpoint: str, script: str, message: str) -> None:
    config = settings(endpoint, script)
    embedder = await OpenAICompatibleEmbedder.open(config)
    with pytest.raises(EmbeddingError, match=message):
        await embedder.embed(["one", "two"])
    await embedder.aclose()
    calls = (await asyncio.to_thread(calls_of, endpoint))[config.model]
    assert calls == (config.attempts if script in {"429", "500"} else 1)


async def test_endpoint_recovers(endpoint: str) -> None:
    embedder = await OpenAICompatibleEmbedder.open(settings(endpoint, "flaky"))
    assert (await embedder.embed(["one"])).shape == (1, 8)
    await embedder.aclose()


async def test_the_identity_of_an_endpoint() -> None:
    """Whatever makes vectors that do not go together is part of it; what is secret is not."""

    async def version(name: str) -> str:
        embedder = await load_embedder(name)
        await embedder.aclose()
        return f"{embedder.name}@{embedder.version}"

    base = await version("http://127.0.0.1:9/v1#mA#32")
    assert base.startswith("openai-compatible@mA#32#")
    assert await version("http://user:hunter2@127.0.0.1:9/v1/?key=hunter2#mA#32") == base
    others = [await version(f"http://127.0.0.1:9/{rest}") for rest in ("v1#mA#64", "v1#mB#32", "v2#mA#32")]
    assert len({base, *others}) == 4
    with pytest.raises(EmbeddingError, match="URL#MODEL#DIMENSIONS"):
        await version("http://[#mA#32")


async def test_endpoint_hangs_or_is_down(endpoint: str) -> None:
    config = settings(endpoint, "hang", attempt_seconds=0.2, total_seconds=0.5)
    embedder = await OpenAICompatibleEmbedder.open(config)
    started = time.monotonic()
    with pytest.raises(EmbeddingError) as caught:
        await embedder.embed(["one"])
    assert caught.value.retryable
    assert time.monotonic() - started < 10
    await embedder.aclose()
    down = await OpenAICompatibleEmbedder.open(settings("http://127.0.0.1:9", "good"))
    with pytest.raises(EmbeddingError, match="failed"):
        await down.embed(["one"])
    await down.aclose()


@pytest.mark.parametrize("dimensions", ["0", "00", "65537", "99999999999", "9" * 5_000])
async def test_an_endpoint_has_a_bounded_number_of_dimensions(endpoint: str, dimensions: str) -> None:
    with pytest.raises(EmbeddingError, match="an embedding has 1 to 65536 dimensions, not ") as caught:
        await load_embedder(f"{endpoint}#good#{dimensions}")
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("name", ["#good", "#good#", "#good#-1", "#good#x", "##8"])
async def test_an_endpoint_is_written_with_its_model_and_dimensions(endpoint: str, name: str) -> None:
    with pytest.raises(EmbeddingError, match="URL#MODEL#DIMENSIONS"):
        await load_embedder(endpoint + name)


async def test_an_endpoint_is_opened_by_its_name(endpoint: str) -> None:
    opened = await load_embedder(f"{endpoint}#good/{uuid.uuid4().hex}#8")
    assert opened.dimensions == 8
    assert (await opened.embed(["one"])).shape == (1, 8)


@pytest.mark.parametrize("raw", [[[0.0, 0.0]], [[float("nan"), 1.0]], [[1.0]], [["a", "b"]], [[1.0, 2.0], [1.0, 2.0]]])
def test_vectors_are_checked_in_one_place(raw: list) -> None:
    with pytest.raises(EmbeddingError):
        unit_vectors(raw, 1, 2)


def test_tiny_and_huge_vectors_are_normalised() -> None:
    assert unit_vectors([[3e-300, 4e-300], [3e300, 4e300]], 2, 2) == pytest.approx(np.array([[0.6, 0.8]] * 2))


def test_pieces_keep_every_word() -> None:
    text = "lorem ipsum " * 1_000
    pieces = split_pieces(text)
    assert max(map(len, pieces)) <= 2_000
    assert " ".join(pieces).split() == text.split()
    assert "".join(split_pieces("x" * 4_500)) == "x" * 4_500


def test_the_table_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    table = np.arange(15, dtype=np.float16).reshape(5, 3)
    save_file({"embedding.weight": table}, tmp_path / "table")
    assert np.array_equal(wordllama._read_table(tmp_path / "table"), table)
    (tmp_path / "cut").write_bytes((tmp_path / "table").read_bytes()[:-1])
    with pytest.raises(ValueError, match="cut off"):
        wordllama._read_table(tmp_path / "cut")


@pytest.mark.parametrize("indent", [None, 2])
def test_a_vocabulary_is_read_in_parts(monkeypatch: pytest.MonkeyPatch, indent: int | None) -> None:
    monkeypatch.setattr(wordllama, "_LINES_A_PART", 3)
    members = {f'token ", {number}': number for number in range(10)}
    parts = list(wordllama._parts(msgspec.Raw(json.dumps(members, indent=indent).encode())))
    assert len(parts) == (1 if indent is None else 4)
    assert {key: value for part in parts for key, value in json.loads(part).items()} == members
