"""`choir watch`: what happens in threads and to an account, as it happens."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from choir.cli.context import AsReader, InContext
from choir.cli.errors import UsageError

if TYPE_CHECKING:
    from choir.client.live import Live
    from choir.client.live_models import AnyUpdate, Connection, News
    from choir.client.models import Message

_NEWEST = 5


async def watch(
    *threads: str,
    account: Annotated[bool, Parameter(help="Also what happens to your account; needs --as.", negative=())] = False,
    as_: AsReader = None,
    context: InContext,
) -> None:
    """Show what happens in threads as it happens, until Ctrl-C. Comes back by itself after a lost connection.

    Parameters
    ----------
    threads
        The threads' ids.
    """
    if account and as_ is None:
        raise UsageError("--account needs --as NAME: whose account?")
    if not threads and not account:
        raise UsageError("name a thread to watch, or give --account")
    key = None if as_ is None else context.keyring.key(as_)
    async with context.reading_client(as_) as client, client.live(key) as live:
        live.subscribe(*threads)
        if account:
            live.subscribe_account()
        await _show_all(context, live, len(set(threads)) + account)


async def _show_all(context: InContext, live: "Live", followed: int) -> None:
    from choir.client.live_models import StreamEnded

    async for update in live:
        context.output.show_one_of_many(update, *_describe(update))
        if isinstance(update, StreamEnded):
            followed -= 1
            if not followed:
                raise update.error.as_error()


def _describe(update: "AnyUpdate") -> Iterator[str]:
    from choir.cli.output import choir
    from choir.client.live_models import AccountSync, Connection, StreamEnded, ThreadSync

    if isinstance(update, Connection):
        yield _describe_connection(update)
    elif isinstance(update, StreamEnded):
        yield f"{update.thread_id or 'account'}: ended ({update.error.name}): {update.error.message}"
    elif isinstance(update, AccountSync):
        account = update.account
        yield f"account {account.address}: {choir(account.balance)}, {len(account.awaiting)} specs await your vote"
    elif isinstance(update, ThreadSync):
        thread = update.thread
        counts = f"{thread.message_count} messages, {thread.open_spec_count} open specs, {choir(thread.balance)}"
        yield f"{thread.thread_id}: {thread.title or '(untitled)'} ({counts})"
        for message in thread.messages.items[-_NEWEST:]:
            yield _describe_message(message)
    else:
        yield from _describe_news(update)


def _describe_connection(connection: "Connection") -> str:
    if connection.state != "reconnecting":
        return f"– {connection.state}"
    return f"– reconnecting in {connection.retry_in_seconds or 0:.0f} s: {connection.reason}"


def _describe_news(news: "News") -> Iterator[str]:
    from choir.cli.output import choir, first_line, moment
    from choir.client.live_models import AccountUpdate, ApprovalRequest, NewApproval, NewMessage, Settled

    event, where = news.event, news.thread_id or "account"
    when = moment(event.get("time_ms", 0))
    if isinstance(news, NewMessage):
        yield f"{where}: new message"
        yield _describe_message(news.message)
    elif isinstance(news, ApprovalRequest):
        spec = news.spec
        yield f"{where}: {when}  spec {spec.spec_id} by {spec.author}, stake {choir(spec.stake)}"
        yield f"  {first_line(spec.text or spec.summary) or '(not readable)'}"
    elif isinstance(news, NewApproval):
        vote = "for" if event["approve"] else "against"
        yield f"{where}: {when}  {event['voter']} voted {vote} {event['spec_id']}, {event['votes_missing']} missing"
    elif isinstance(news, Settled):
        yield f"{where}: {when}  spec {event['spec_id']} {event['outcome']}"
    else:
        balance = f", balance {choir(news.balance)}" if isinstance(news, AccountUpdate) and news.balance else ""
        yield f"{where}: {when}  {str(event.get('type', '')).replace('_', ' ')}{balance}"


def _describe_message(message: "Message") -> str:
    from choir.cli.output import describe_content, first_line, moment

    text = first_line(describe_content(message), width=160)
    return f"  {moment(message.created_at_ms)}  {message.author}  {text}"
