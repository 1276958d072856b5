"""`choir message`: posting, reading, proving, hiding and erasing."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from choir.cli.choices import Privacy
from choir.cli.context import As, AsReader, InContext, Prior, TextArg, read_text

if TYPE_CHECKING:
    from choir.client.memory_models import Citation, Citations
    from choir.client.models import Message

app = App(name="message", help="Post, read, prove, cite, hide and erase messages.")


@app.command
async def post(
    thread: str,
    text: TextArg,
    /,
    *,
    as_: As,
    prior: Prior = None,
    privacy: Privacy | None = None,
    context: InContext,
) -> None:
    """Post a message to a thread of yours. Prints its hash.

    Parameters
    ----------
    thread
        The thread's id.
    text
        The message; - reads standard input.
    privacy
        Who may read it, when not as the thread says.
    """
    written = read_text(text)
    async with context.client() as client:
        sent = await context.wallet(as_, client).post_message(thread, written, priors=prior or (), privacy=privacy)
    document = {"content_hash": sent.content_hash, "thread_id": thread, "receipt": sent.receipt}
    context.output.show(document, sent.content_hash)


@app.command
async def show(message: str, /, *, as_: AsReader = None, context: InContext) -> None:
    """Show a message.

    Parameters
    ----------
    message
        Its content hash.
    """
    async with context.reading_client(as_) as client:
        found = await client.message(message)
    context.output.show(found, *_describe(found))


@app.command
async def proof(
    message: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"), help="File to write the proof to.")] = None,
    as_: AsReader = None,
    context: InContext,
) -> None:
    """Fetch a message's inclusion proof, which `choir verify` checks offline.

    Parameters
    ----------
    message
        Its content hash.
    """
    async with context.reading_client(as_) as client:
        found = await client.message_proof(message)
    context.output.save(found, output, f"proof of {message}")


@app.command
async def citations(
    message: str,
    /,
    *,
    limit: Annotated[int, Parameter(help="How many messages that cite it.")] = 50,
    cursor: Annotated[str | None, Parameter(help="Where to go on, as printed under the last page.")] = None,
    as_: AsReader = None,
    context: InContext,
) -> None:
    """Show what a message cites and what cites it, with resonance, phase and entanglement.

    Parameters
    ----------
    message
        Its content hash.
    """
    async with context.reading_client(as_) as client:
        found = await client.citations(message, limit=limit, cursor=cursor)
    context.output.show(found, *_describe_citations(found))
    context.output.note_cursor(found.cited_by.next_cursor)


@app.command(name="set-privacy")
async def set_privacy(message: str, level: Privacy, /, *, as_: As, context: InContext) -> None:
    """Change who may read a message. Its author chooses any level, another co-author only a stricter one.

    Parameters
    ----------
    message
        Its content hash.
    level
        The new level: public, premium, thread or encrypted.
    """
    async with context.client() as client:
        receipt = await context.wallet(as_, client).set_privacy(message, level)
    document = {"content_hash": message, "privacy": level, "receipt": receipt}
    context.output.show(document, f"{message} is {level} now")


@app.command
async def erase(message: str, /, *, as_: As, context: InContext) -> None:
    """Erase a message of yours for good: every node deletes the text, only the hash stays.

    Parameters
    ----------
    message
        Its content hash.
    """
    async with context.client() as client:
        receipt = await context.wallet(as_, client).erase(message)
    context.output.show({"content_hash": message, "receipt": receipt}, f"erased {message}")


def _describe(found: "Message") -> list[str]:
    from choir.cli.output import describe_content, measured, moment

    quantities = measured(resonance=found.resonance, coherence=found.coherence)
    return [
        f"{found.kind} {found.content_hash} ({found.status}, {found.privacy})",
        f"in thread {found.thread_id} by {found.author}, {moment(found.created_at_ms)}",
        *([quantities] if quantities else []),
        *(f"cites {prior}" for prior in found.priors),
        "",
        describe_content(found),
    ]


def _describe_citations(found: "Citations") -> list[str]:
    return [
        *_describe_ends("cites", found.priors),
        *_describe_ends("cited by", found.cited_by.items),
    ] or ["It cites nothing, and nothing cites it."]


def _describe_ends(label: str, ends: "Sequence[Citation]") -> list[str]:
    from choir.cli.output import describe_content, first_line, measured

    lines: list[str] = []
    for end in ends:
        quantities = measured(resonance=end.resonance, phase=end.phase, entanglement=end.entanglement)
        lines.append(f"{label} {end.message.content_hash}  {quantities}".rstrip())
        lines.append(f"  {first_line(describe_content(end.message), 100)}")
    return lines
