"""`choir thread`: creating threads and reading them."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from choir.cli.choices import Privacy
from choir.cli.context import As, AsReader, InContext, TextArg, read_text

if TYPE_CHECKING:
    from choir.client.models import Thread

app = App(name="thread", help="Create threads and read them.")


@app.command
async def create(text: TextArg | None = None, /, *, as_: As, privacy: Privacy = "public", context: InContext) -> None:
    """Create a thread; you are its only co-author. Prints its id.

    Parameters
    ----------
    text
        The first message, if you want to post it at once; - reads standard input.
    privacy
        Who may read what is posted: public, premium, thread or encrypted.
    """
    first_text = None if text is None else read_text(text)
    async with context.client() as client:
        wallet = context.wallet(as_, client)
        thread_id = await wallet.create_thread(privacy=privacy)
        sent = None if first_text is None else await wallet.post_message(thread_id, first_text)
    document = {"thread_id": thread_id, "content_hash": sent and sent.content_hash, "privacy": privacy}
    context.output.show(document, thread_id)


@app.command
async def show(
    thread_id: str,
    /,
    *,
    limit: Annotated[int, Parameter(help="How many messages.")] = 50,
    cursor: Annotated[str | None, Parameter(help="Where to go on, as printed under the last page.")] = None,
    as_: AsReader = None,
    context: InContext,
) -> None:
    """Show a thread: co-authors, balance, messages, open specs.

    Parameters
    ----------
    thread_id
        The thread's id.
    """
    async with context.reading_client(as_) as client:
        found = await client.thread(thread_id, limit=limit, cursor=cursor)
    context.output.show(found, *_describe(found))


@app.command
async def audit(
    thread_id: str,
    /,
    *,
    as_: As,
    limit: Annotated[int, Parameter(help="How many entries.")] = 50,
    cursor: Annotated[str | None, Parameter(help="Where to go on, as printed under the last page.")] = None,
    context: InContext,
) -> None:
    """Show who read or tried to read what is not public in a thread of yours, newest first.

    Parameters
    ----------
    thread_id
        The thread's id.
    """
    from choir.cli.output import moment

    async with context.reading_client(as_) as client:
        page = await client.audit(thread_id, limit=limit, cursor=cursor)
    rows = [
        (
            moment(entry.last_at_ms),
            entry.viewer or "(signed out)",
            entry.right,
            "allowed" if entry.is_allowed else "refused",
            str(entry.times),
            entry.content_hash,
        )
        for entry in page.items
    ]
    columns = ("Last", "Who", "Right", "Outcome", "Times", "Message")
    context.output.show_page(page, columns, rows, "Nobody has looked yet.")


@app.command(name="list")
async def list_threads(
    *,
    co_author: Annotated[str | None, Parameter(help="Only threads of this name or address.")] = None,
    limit: Annotated[int, Parameter(help="How many threads.")] = 50,
    cursor: Annotated[str | None, Parameter(help="Where to go on, as printed under the last page.")] = None,
    context: InContext,
) -> None:
    """List threads, newest first."""
    from choir.cli.output import choir, first_line

    address = None if co_author is None else context.resolve_address(co_author)
    async with context.client() as client:
        page = await client.threads(co_author=address, limit=limit, cursor=cursor)
    rows = [
        (
            item.thread_id,
            first_line(item.title),
            str(len(item.co_authors)),
            str(item.message_count),
            choir(item.balance),
        )
        for item in page.items
    ]
    columns = ("Thread", "Title", "Co-authors", "Messages", "Balance")
    context.output.show_page(page, columns, rows, "There are no threads yet.")


def _describe(found: "Thread") -> list[str]:
    from choir.cli.output import choir, describe_content, moment

    lines = [
        f"thread {found.thread_id} ({found.privacy}), balance {choir(found.balance)}, "
        f"{found.message_count} messages, {found.open_spec_count} open specs",
        *(f"co-author {address}" for address in found.co_authors),
    ]
    for message in found.messages.items:
        lines += ["", f"{message.content_hash}  {message.author}  {moment(message.created_at_ms)}"]
        lines += [f"cites {prior}" for prior in message.priors]
        lines.append(describe_content(message))
    for spec in found.open_specs:
        lines += [
            "",
            f"open spec {spec.spec_id} by {spec.author}, stake {choir(spec.stake)}, "
            f"{len(spec.approvals)} of {len(spec.voters)} approved, until {moment(spec.expires_at_ms)}",
        ]
    if found.messages.next_cursor:
        lines += ["", f"more: --cursor {found.messages.next_cursor}"]
    return lines
