"""`choir search` and `choir suggest`: finding messages by words and meaning, and priors for a draft."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from choir.cli.context import AsReader, InContext, TextArg, read_text
from choir.cli.errors import UsageError

if TYPE_CHECKING:
    from choir.client.memory_models import Hit, SearchAnswer, Suggestion
    from choir.client.models import Message

_FIRST_WORDS = 160
Found = Annotated[int, Parameter(name="-k", help="How many at most, 1 to 100.")]


async def search(
    query: TextArg,
    /,
    *,
    thread: Annotated[str | None, Parameter(help="Only in this thread.")] = None,
    author: Annotated[str | None, Parameter(help="Only by this name or address.")] = None,
    since: Annotated[str | None, Parameter(help="From this time on: 2026-01-31 or 2026-01-31T12:00, UTC.")] = None,
    until: Annotated[str | None, Parameter(help="Before this time, in the same form.")] = None,
    privacy: Annotated[
        Literal["public", "premium", "thread"] | None, Parameter(help="Only messages of this level.")
    ] = None,
    k: Found = 10,
    as_: AsReader = None,
    context: InContext,
) -> None:
    """Find messages by words and by meaning, best first, among those that you may find.

    Parameters
    ----------
    query
        What to look for; - reads standard input.
    """
    wanted = read_text(query)
    since_ms, until_ms = _parse_time(since, "--since"), _parse_time(until, "--until")
    address = None if author is None else context.resolve_address(author)
    async with context.reading_client(as_) as client:
        answer = await client.search(
            wanted,
            k=k,
            thread_id=thread,
            author=address,
            since_ms=since_ms,
            until_ms=until_ms,
            privacy=privacy,
        )
    context.output.show(answer, *_describe_answer(answer))


async def suggest(text: TextArg, /, *, k: Found = 10, as_: AsReader = None, context: InContext) -> None:
    """Suggest priors for a draft: messages that it might cite.

    Parameters
    ----------
    text
        The draft; - reads standard input.
    """
    draft = read_text(text)
    async with context.reading_client(as_) as client:
        suggestions = await client.suggest_priors(draft, k=k)
    lines = [line for suggestion in suggestions for line in _describe_suggestion(suggestion)]
    context.output.show(suggestions, *(lines or ["Nothing to cite was found."]))


def _describe_answer(answer: "SearchAnswer") -> Iterator[str]:
    if not answer.hits:
        yield "Nothing was found."
    for hit in answer.hits:
        yield from _describe_hit(hit)
    if not answer.vectors_used:
        yield "Only words were compared: the node's embeddings were not available."
    if answer.query_cut:
        yield "The query was too long; only its beginning was used."


def _describe_hit(hit: "Hit") -> Iterator[str]:
    similarity = "–" if hit.similarity is None else f"{hit.similarity:.2f}"
    resonance = "–" if hit.resonance is None else f"{hit.resonance:.2f}"
    yield from _describe_message(hit.title, hit.message)
    yield f"  score {hit.score:.2f}, similarity {similarity}, resonance {resonance}, by {hit.message.author}"
    yield f"  prove: choir message proof {hit.message.content_hash}"
    yield ""


def _describe_suggestion(suggestion: "Suggestion") -> Iterator[str]:
    yield from _describe_message(suggestion.title, suggestion.message)
    yield f"  score {suggestion.score:.2f}, likeness {suggestion.likeness:.2f}, votes {suggestion.votes:.2f}"
    yield f"  cite: --prior {suggestion.message.content_hash}"
    yield ""


def _describe_message(title: str | None, message: "Message") -> Iterator[str]:
    words = " ".join((message.text or "").split())
    yield title or "(untitled)"
    yield f"  {words if len(words) <= _FIRST_WORDS else words[: _FIRST_WORDS - 1] + '…'}"
    yield f"  thread {message.thread_id}"


def _parse_time(text: str | None, option: str) -> int | None:
    """A time in ISO 8601 as milliseconds; without a zone it is UTC."""
    if text is None:
        return None
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is not a time: write it like 2026-01-31 or 2026-01-31T12:00") from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    milliseconds = int(moment.timestamp() * 1000)
    if milliseconds < 0:
        raise UsageError(f"{option} {text!r} is before 1970")
    return milliseconds
