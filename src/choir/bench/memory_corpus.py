"""What the memory's figures are measured on: a directory of Markdown files as signed messages in a ledger.

As many records as wanted are made from the files' paragraphs, every one another. Every tenth thread is private, another
one in twenty premium. Everything follows from the files and the numbers, so every run does the same.
"""

import asyncio
import itertools
import re
from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from choir.bench.corpus import MESSAGE_CHARACTERS, read_corpus, split_paragraphs
from choir.engine.embedded.engine import EmbeddedEngine
from choir.ledger.envelope import CheckedTransaction, parse_transaction
from choir.ledger.genesis import DEVELOPMENT_PARAMS, Genesis
from choir.ledger.transactions import (
    AnyBody,
    CreateThread,
    PostMessage,
    PrivacyLevel,
    Transaction,
    canonical_bytes,
    signing_bytes,
)
from choir.memory.memory import Memory
from choir.memory.records import NewContent
from choir.memory.text import content_hash, normalise_text
from choir.primitives.signatures import SigningKey

CHAIN_ID: Final = "choir-bench"
_AUTHORS: Final = 200
_IN_FLIGHT: Final = 2000
_SHORTEST: Final = 40
_QUERIES: Final = 500
_HEADING = re.compile(r"^#{1,3}\s+(.+?)\s*#*\s*$", re.MULTILINE)


class Corpus(NamedTuple):
    """``messages`` as an import makes them, and what people would look for in them."""

    messages: list[str]
    queries: list[str]
    documents: int


class Signed(NamedTuple):
    """A transaction of one of the writers, by their number, with the content that comes with it."""

    writer: int
    transaction: CheckedTransaction
    content: NewContent | None = None


def load_corpus(directory: Path) -> Corpus:
    """The Markdown files below ``directory``. Proposals with front matter ask by their titles and descriptions, other
    files by their headings. Raises ``ValueError`` without any."""
    proposals = read_corpus(directory)
    if proposals:
        texts = [text for proposal in proposals for text in proposal.messages()]
        queries = [words for proposal in proposals for words in (proposal.title, proposal.description) if words]
        documents = len(proposals)
    else:
        files = [file.read_text("utf-8", errors="replace") for file in sorted(directory.rglob("*.md"))]
        texts = [text for file in files for text in split_paragraphs(file, MESSAGE_CHARACTERS)]
        queries = [heading for file in files for heading in _HEADING.findall(file)]
        documents = len(files)
    if not texts or not queries:
        raise ValueError(f"no Markdown with text and headings in {directory}")
    spread = sorted(set(queries), key=lambda query: sha256(query.encode()).digest())
    return Corpus(texts, spread[:_QUERIES], documents)


def make_texts(messages: Sequence[str], count: int) -> Iterator[str]:
    """``count`` different texts: the corpus's paragraphs, then pairs of them."""
    split = (part.strip() for message in messages for part in re.split(r"\n\s*\n", message))
    parts = list(dict.fromkeys(part for part in split if len(part) >= _SHORTEST)) or list(messages)
    for number in range(count):
        first, turn = parts[number % len(parts)], number // len(parts)
        if turn == 0:
            yield first
            continue
        other = parts[int.from_bytes(sha256(str(number).encode()).digest()[:6]) % len(parts)]
        yield f"{first}\n\n{other}\n\n({number})"


class Writers:
    """The accounts that write: each owns every 200th thread."""

    def __init__(self, threads: int, time_ms: int) -> None:
        self.keys = [SigningKey(_digest("writer", number)) for number in range(min(_AUTHORS, threads))]
        self._nonces = [0] * len(self.keys)
        self._time_ms = time_ms
        self._threads = threads
        self.genesis = Genesis(
            chain_id=CHAIN_ID,
            time_ms=time_ms,
            validators=(self.keys[0].address,),
            allocations={},
            params=DEVELOPMENT_PARAMS,
        )

    def threads(self) -> Iterator[Signed]:
        """What opens the threads."""
        for number in range(self._threads):
            body = CreateThread(thread_id=_thread_id(number), privacy=_level(number))
            yield self._sign(number % len(self.keys), body)

    def messages(self, texts: Iterator[str]) -> Iterator[Signed]:
        """One message a text, round all threads; every third cites the one before it in its thread."""
        hashes: list[str] = []
        for number, text in enumerate(texts):
            thread = number % self._threads
            new = self._content(number, thread, normalise_text(text))
            has_prior = number % 3 == 0 and number >= self._threads
            priors = (hashes[number - self._threads],) if has_prior else ()
            hashes.append(new.content_hash)
            body = PostMessage(thread_id=new.thread_id, content_hash=new.content_hash, priors=priors)
            yield self._sign(thread % len(self.keys), body, new)

    def private_threads_of_the_first(self) -> frozenset[str]:
        """The private threads of account 0."""
        own = range(0, self._threads, len(self.keys))
        return frozenset(_thread_id(number) for number in own if _level(number) == "thread")

    def _content(self, number: int, thread: int, text: str) -> NewContent:
        author, salt = self.keys[thread % len(self.keys)].address, _digest("salt", number).hex()[:32]
        thread_id = _thread_id(thread)
        hashed = content_hash(author, salt, text, thread_id)
        return NewContent(hashed, thread_id, author, salt, text, _level(thread), self._time_ms)

    def _sign(self, writer: int, body: AnyBody, content: NewContent | None = None) -> Signed:
        key = self.keys[writer]
        unsigned = Transaction(body=body, chain_id=CHAIN_ID, nonce=self._nonces[writer], sender=key.address)
        self._nonces[writer] += 1
        signed = msgspec.structs.replace(unsigned, signature=key.sign(signing_bytes(unsigned)))
        return Signed(writer, parse_transaction(canonical_bytes(signed)), content)


async def write_all(engine: EmbeddedEngine, memory: Memory, writers: Writers, texts: Iterator[str]) -> int:
    """Send everything the way the API does, content first; returns the number of messages."""
    room = asyncio.Semaphore(_IN_FLIGHT)
    turns = [asyncio.Lock() for _ in writers.keys]  # what one account sends keeps the order of its nonces

    async def write(signed: Signed) -> None:
        try:
            async with turns[signed.writer]:
                admission = await engine.submit(signed.transaction, partial(_store, memory, signed.content))
            receipt = await admission.receipt
            if receipt.code:
                raise RuntimeError(f"the workload was refused: {receipt}")
        finally:
            room.release()

    count = 0
    async with asyncio.TaskGroup() as group:
        for signed in itertools.chain(writers.threads(), writers.messages(texts)):
            await room.acquire()
            group.create_task(write(signed))
            count += signed.content is not None
    return count


async def _store(memory: Memory, content: NewContent | None) -> None:
    if content is not None:
        await memory.records.store_pending(content)


def _level(thread: int) -> PrivacyLevel:
    if thread % 10 == 0:
        return "thread"
    return "premium" if thread % 20 == 1 else "public"


def _thread_id(number: int) -> str:
    return _digest("thread", number).hex()[:32]


def _digest(*parts: object) -> bytes:
    return sha256(":".join(str(part) for part in parts).encode()).digest()
