"""No word of what is sealed or erased stands in any file of the data directory."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from choir.ledger.transactions import CreateThread, Erase, ProcessApproval, SetPrivacy
from choir.memory.records import NewContent
from choir.memory.terms import text_terms
from tests.privacy.world import Person, World, running_world
from tests.support.chain import digest


def secret(name: str) -> tuple[str, list[str]]:
    """A text, and words that stand in no other: with capitals, an ending to be stemmed, in another script."""
    words = [f"Zq{name.capitalize()}Running", f"xw{name}happily", f"тайна{name}слово"]
    return f"The committee met. {words[0]} was {words[1]} said. " * 10 + words[2], words


def traces(words: Iterable[str]) -> set[bytes]:
    """Every form in which a word may stand in a file."""
    forms = {form for word in words for form in (word, word.casefold(), word.upper(), *text_terms(word))}
    return {form.encode(coding) for form in forms for coding in ("utf-8", "utf-16-le")}


def find(directory: Path, words: Iterable[str]) -> list[str]:
    """The files that hold a trace of ``words``."""
    wanted = traces(words)
    return [
        f"{path.name}: {form!r}"
        for path in sorted(directory.rglob("*"))
        if path.is_file()
        for data in [path.read_bytes()]
        for form in wanted
        if form in data
    ]


async def lives(world: World, ann: Person, thread_id: str) -> list[str]:
    """Messages on every way to being sealed or erased; returns their words."""
    gone: list[str] = []
    ways: dict[str, tuple[Any, tuple[Any, ...]]] = {
        "sealedatonce": ("thread", ()),
        "publicthensealed": ("public", ("thread",)),
        "premiumthensealed": ("premium", ("thread",)),
        "encryptedthensealed": ("encrypted", ("thread",)),
        "toandfro": ("thread", ("public", "premium", "thread")),
        "erasedpublic": ("public", ("erase",)),
        "erasedpremium": ("premium", ("erase",)),
        "erasedsealed": ("thread", ("public", "erase")),
        "erasedencrypted": ("public", ("encrypted", "erase")),
    }
    for name, (level, changes) in ways.items():
        text, words = secret(name)
        body = ann.post(thread_id, text, privacy=level)
        await ann.must(body, text)
        await world.indexed()
        await ann.asks.get("/search", q=text)
        for change in changes:
            if change == "erase":
                await ann.must(Erase(message_hash=body.content_hash))
            else:
                await ann.must(SetPrivacy(message_hash=body.content_hash, level=change))
            await world.indexed()
        gone += words
    return gone


async def test_sealed_and_erased_words_are_in_no_file(tmp_path: Path) -> None:
    directory = tmp_path / "node"
    async with running_world(directory) as world:
        ann, ben = await world.person("ann"), await world.person("ben")
        thread_id = await world.new_thread(ann)
        clear, clear_words = secret("clear")
        await ann.must(ann.post(thread_id, clear), clear)
        words = await lives(world, ann, thread_id)
        for name, approve in (("denied", False), ("approved", True)):
            text, more = secret(name)
            spec = ben.spec(thread_id, text, privacy="thread")
            await ben.must(spec, text)
            await ann.must(ProcessApproval(spec_id=spec.content_hash, approve=approve))
            await ann.asks.get(f"/message/{spec.content_hash}")
            words += more
        await world.indexed()
        for asks in (ann.asks, ben.asks, world.stranger):
            for word in words:
                await asks.get("/search", q=word)
        assert find(directory, clear_words)  # the test would see them
        assert find(directory, words) == []
    assert find(directory, words) == []


async def test_a_reader_in_the_way_delays_forgetting_but_does_not_prevent_it(tmp_path: Path) -> None:
    """Whoever reads holds the write-ahead log, with the old pages in it."""
    directory = tmp_path / "node"
    async with running_world(directory) as world:
        ann = await world.person("ann")
        thread_id = await world.new_thread(ann)
        text, words = secret("held")
        body = ann.post(thread_id, text)
        await ann.must(body, text)
        await world.indexed()
        reader = sqlite3.connect(directory / "memory.db", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM record").fetchone()
        await ann.must(Erase(message_hash=body.content_hash))
        await world.indexed()
        reader.execute("COMMIT")
        reader.close()
        text, _ = secret("next")
        await ann.must(ann.post(thread_id, text), text)
        await world.indexed()
        assert find(directory, words) == []


async def test_content_that_comes_again_is_sealed_at_the_level_of_now(tmp_path: Path) -> None:
    """A node that never had the content gets it by a replay of the transaction, after the level has changed."""
    directory = tmp_path / "node"
    text, words = secret("late")
    async with running_world(directory) as world:
        ann = await world.person("ann")
        thread_id = await world.new_thread(ann)
        body = ann.post(thread_id, text)
        submission = ann.submission(body, text)
        await ann.must(body, text)
        await ann.must(SetPrivacy(message_hash=body.content_hash, level="thread"))
        await world.indexed()
        database = sqlite3.connect(directory / "memory.db")
        database.execute("UPDATE record SET sealed = NULL")  # as on a node that followed the ledger without content
        database.commit()
        database.close()
        content = msgspec.json.decode(submission)["content"]
        new = NewContent(body.content_hash, thread_id, ann.address, content["salt"], text, "public", 1)
        await world.services.records.store_pending(new)
        await world.indexed()
        assert (await ann.asks.get(f"/message/{body.content_hash}")).data["text"] == text
        assert find(directory, words) == []


@pytest.mark.parametrize("wait", ["admitted", "final"])
async def test_content_of_a_thread_not_yet_known_is_sealed(tmp_path: Path, wait: str) -> None:
    """Thread and first message sent in one breath: the message may be stored before the thread's level is known."""
    directory = tmp_path / "node"
    text, words = secret("early")
    async with running_world(directory) as world:
        ann = await world.person("ann")
        thread_id = digest("early")[:32]
        await ann.send(CreateThread(thread_id=thread_id, privacy="thread"), wait=wait)
        await ann.must(ann.post(thread_id, text), text)
        await world.indexed()
        assert find(directory, words) == []
