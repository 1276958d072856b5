"""`choir message`: posting, reading, proving, hiding and erasing."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from choir.cli.choices import Privacy
from choir.cli.context import As, InContext, Prior, TextArg, read_text

if TYPE_CHECKING:
    from choir.client.models import Message

app = App(name="message", help="Post, read, prove, hide and erase messages.")


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
async def show(message: str, /, *, context: InContext) -> None:
    """Show a message.

    Parameters
    ----------
    message
        Its content hash.
    """
    async with context.client() as client:
        found = await client.message(message)
    context.output.show(found, *_describe(found))


@app.command
async def proof(
    message: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"), help="File to write the proof to.")] = None,
    context: InContext,
) -> None:
    """Fetch a message's inclusion proof, which `choir verify` checks offline.

    Parameters
    ----------
    message
        Its content hash.
    """
    async with context.client() as client:
        found = await client.message_proof(message)
    context.output.save(found, output, f"proof of {message}")


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
    from choir.cli.output import moment

    lines = [
        f"{found.kind} {found.content_hash} ({found.status}, {found.privacy})",
        f"in thread {found.thread_id} by {found.author}, {moment(found.created_at_ms)}",
        *(f"cites {prior}" for prior in found.priors),
        "",
    ]
    if found.is_erased:
        lines.append("(erased)")
    else:
        lines.append(found.text if found.text is not None else "(not readable)")
    return lines
