"""`choir runs`: the questions that you asked, their answers, and what becomes of them."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from choir.cli.choices import Privacy
from choir.cli.context import As, AsOwner, InContext, parse_amount
from choir.cli.errors import UsageError

if TYPE_CHECKING:
    from choir.client import Client
    from choir.client.keeping import Composed

app = App(name="runs", help="List, keep and delete what you asked the chorus.")


@app.command(name="list")
async def list_runs(
    *,
    limit: Annotated[int, Parameter(help="How many runs.")] = 50,
    cursor: Annotated[str | None, Parameter(help="Where to go on, as printed under the last page.")] = None,
    as_: AsOwner = None,
    context: InContext,
) -> None:
    """List your runs, newest first."""
    from choir.cli.output import first_line, moment

    async with context.reading_client(context.owner(as_)) as client:
        page = await client.chorus.runs(limit=limit, cursor=cursor)
    rows = [(run.run_id, run.status, moment(run.created_at_ms), first_line(run.prompt)) for run in page.items]
    context.output.show_table(page, ("Run", "Status", "Asked", "Question"), rows, "No runs.")
    context.output.note_cursor(page.next_cursor)


@app.command
async def show(run: str, /, *, as_: AsOwner = None, context: InContext) -> None:
    """Show a run: its question, what it found, its answer.

    Parameters
    ----------
    run
        Its id.
    """
    from choir.cli.run_text import describe_priors, describe_run
    from choir.client.chorus_models import RunStarted

    async with context.reading_client(context.owner(as_)) as client:
        found = await client.chorus.run(run)
    is_extractive = any(isinstance(event, RunStarted) and event.is_extractive for event in found.events)
    lines = [f"Question: {found.prompt}", "", *describe_priors(found.priors), "", *describe_run(found, is_extractive)]
    context.output.show(found, *lines)


@app.command
async def cancel(run: str, /, *, as_: AsOwner = None, context: InContext) -> None:
    """End a run that is under way.

    Parameters
    ----------
    run
        Its id.
    """
    async with context.reading_client(context.owner(as_)) as client:
        ended = await client.chorus.cancel(run)
    context.output.show(ended, f"{run} is {ended.status}")


@app.command
async def delete(run: str, /, *, as_: AsOwner = None, context: InContext) -> None:
    """Delete a run for good.

    Parameters
    ----------
    run
        Its id.
    """
    async with context.reading_client(context.owner(as_)) as client:
        await client.chorus.delete(run)
    context.output.show({"run_id": run}, f"deleted {run}")


@app.command
async def post(run: str, thread: str, /, *, as_: As, privacy: Privacy | None = None, context: InContext) -> None:
    """Post a run's answer to a thread of yours, with its citations as priors. Prints the message's hash.

    Parameters
    ----------
    run
        Its id.
    thread
        The thread's id.
    privacy
        Who may read it, when not as the thread says.
    """
    async with context.reading_client(as_) as client:
        kept = await _compose(client, run)
        sent = await context.wallet(as_, client).post_message(thread, kept.text, priors=kept.priors, privacy=privacy)
    document = {"content_hash": sent.content_hash, "thread_id": thread, "run_id": run, "receipt": sent.receipt}
    context.output.show(document, sent.content_hash)


@app.command
async def submit(
    run: str,
    thread: str,
    /,
    *,
    as_: As,
    stake: Annotated[str, Parameter(help="What you stake, in CHOIR.")] = "100",
    privacy: Privacy | None = None,
    context: InContext,
) -> None:
    """Submit a run's answer as a spec to a thread that is not yours, citations as priors. Prints the spec's id.

    Parameters
    ----------
    run
        Its id.
    thread
        The thread's id.
    privacy
        Who may read it, when not as the thread says.
    """
    uchoir = parse_amount(stake)
    async with context.reading_client(as_) as client:
        kept = await _compose(client, run)
        wallet = context.wallet(as_, client)
        sent = await wallet.submit_spec(thread, kept.text, stake=uchoir, priors=kept.priors, privacy=privacy)
    document = {
        "spec_id": sent.content_hash,
        "thread_id": thread,
        "run_id": run,
        "stake": str(uchoir),
        "receipt": sent.receipt,
    }
    context.output.show(document, sent.content_hash)


async def _compose(client: "Client", run_id: str) -> "Composed":
    from choir.client.keeping import NothingToKeep, compose_message

    try:
        return compose_message(await client.chorus.run(run_id))
    except NothingToKeep as error:
        raise UsageError(str(error)) from error
