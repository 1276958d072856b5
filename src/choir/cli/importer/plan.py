"""What an import will send: a pure function of the documents, the authors' addresses and the chain.

Thread ids and salts are derived, so that the same import always means the same messages: whatever the node has already
is recognised by its hash, and nothing is ever sent twice.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from choir.cli.importer.documents import Document, Problem
from choir.cli.importer.order import order_documents
from choir.cli.importer.sections import TEXT_LIMIT_BYTES, split_text
from choir.client.signing import SALT_BYTES, THREAD_ID_BYTES
from choir.ledger.proofs import Content, content_hash_of
from choir.primitives.canonical import canonical_json
from choir.primitives.hashing import sha256_bytes

_DOMAIN: Final = "choir-import-v1"


class Limits(Struct, frozen=True, kw_only=True):
    """What the chain allows, from the parameters of the node's network status."""

    co_authors: int = 64
    priors: int = 16
    text_bytes: int = TEXT_LIMIT_BYTES


class PlannedMessage(Struct, frozen=True, kw_only=True):
    """One message. An author's first section in someone else's thread is a spec."""

    content: Content
    content_hash: str
    is_spec: bool
    priors: tuple[str, ...] = ()


class PlannedThread(Struct, frozen=True, kw_only=True):
    """One proposal: its messages in their order, the first by the thread's creator. ``abstract_hash`` is the message
    that other proposals cite."""

    source: str
    thread_id: str
    messages: tuple[PlannedMessage, ...]
    abstract_hash: str


class Plan(Struct, frozen=True, kw_only=True):
    threads: tuple[PlannedThread, ...]
    problems: tuple[Problem, ...]


def select_documents(documents: Sequence[Document], limit: int | None) -> list[Document]:
    """The first ``limit`` documents, counted in an order in which none comes before what it requires.

    Returned as given, so that circles among them are broken in the same place whatever the limit.
    """
    chosen = {document.source for document in order_documents(documents)[0][:limit]}
    return [document for document in documents if document.source in chosen]


def needed_key_names(documents: Sequence[Document]) -> list[str]:
    """The authors' keys, each once, in their order."""
    return list(dict.fromkeys(author.key_name for document in documents for author in document.authors))


def make_plan(
    documents: Sequence[Document], addresses: Mapping[str, str], chain_id: str, limits: Limits | None = None
) -> Plan:
    """The whole import. ``addresses`` has one for each of ``needed_key_names``."""
    limits = limits or Limits()
    ordered, cites, problems = order_documents(documents)
    threads: dict[str, PlannedThread] = {}
    for document in ordered:
        priors = list(dict.fromkeys(threads[cited.source].abstract_hash for cited in cites[document.source]))
        if len(priors) > limits.priors:
            problems.append(_problem(document, f"requires {len(priors)} proposals: cites the first {limits.priors}"))
        thread, notes = _plan_thread(document, addresses, chain_id, limits, tuple(priors[: limits.priors]))
        threads[document.source] = thread
        problems += notes
    return Plan(threads=tuple(threads.values()), problems=tuple(problems))


def _plan_thread(
    document: Document,
    addresses: Mapping[str, str],
    chain_id: str,
    limits: Limits,
    priors: tuple[str, ...],
) -> tuple[PlannedThread, list[Problem]]:
    texts, abstract_index = _split_sections(document, limits)
    names, notes = _choose_co_authors(document, len(texts), limits)
    creator = addresses[names[0]]
    thread_id = _derive(THREAD_ID_BYTES, "thread", chain_id, document.source, creator)
    messages: list[PlannedMessage] = []
    for index, text in enumerate(texts):
        address = addresses[names[index % len(names)]]
        salt = _derive(SALT_BYTES, "salt", chain_id, document.source, index, address)
        content = Content(author=address, salt=salt, text=text, thread_id=thread_id)
        messages.append(
            PlannedMessage(
                content=content,
                content_hash=content_hash_of(content),
                is_spec=0 < index < len(names),
                priors=priors if index == 0 else (),
            )
        )
    thread = PlannedThread(
        source=document.source,
        thread_id=thread_id,
        messages=tuple(messages),
        abstract_hash=messages[abstract_index].content_hash,
    )
    return thread, notes


def _split_sections(document: Document, limits: Limits) -> tuple[list[str], int]:
    """The sections' texts, each within the text limit, and where among them the abstract begins."""
    texts: list[str] = []
    starts: list[int] = []
    for section in document.sections:
        starts.append(len(texts))
        texts += split_text(section.text, limits.text_bytes)
    return texts, starts[document.abstract_index]


def _choose_co_authors(document: Document, section_count: int, limits: Limits) -> tuple[list[str], list[Problem]]:
    """Those who join the thread: each needs a section of their own to submit, and the chain limits their number."""
    names = [author.key_name for author in document.authors]
    room = min(section_count, limits.co_authors)
    if len(names) <= room:
        return names, []
    reason = "sections" if section_count < limits.co_authors else "places for co-authors"
    left_out = ", ".join(author.name for author in document.authors[room:])
    return names[:room], [
        _problem(document, f"{len(names)} authors and {room} {reason}: not co-authors on the ledger: {left_out}")
    ]


def _problem(document: Document, message: str) -> Problem:
    return Problem(source=document.source, message=message)


def _derive(size_bytes: int, *parts: str | int) -> str:
    """Hex of a hash over the parts, unambiguous and stable for all time."""
    return sha256_bytes(canonical_json([_DOMAIN, *parts]))[:size_bytes].hex()


def limits_of(params: Mapping[str, object]) -> Limits:
    """The limits among a network's parameters."""
    return msgspec.convert({"co_authors": params["co_author_limit"], "priors": params["prior_limit"]}, Limits)
