"""`choir spec`: staked messages to other people's threads, and the votes on them."""

from typing import Annotated

from cyclopts import App, Parameter

from choir.cli.choices import Privacy, SpecStatus
from choir.cli.context import As, AsReader, InContext, Prior, TextArg, parse_amount, read_text

app = App(name="spec", help="Submit staked messages to other people's threads, and vote on them.")


@app.command
async def submit(
    thread: str,
    text: TextArg,
    /,
    *,
    as_: As,
    stake: Annotated[str, Parameter(help="What you stake, in CHOIR.")] = "100",
    prior: Prior = None,
    privacy: Privacy | None = None,
    context: InContext,
) -> None:
    """Submit a message to a thread that is not yours, with a stake. Prints the spec's id.

    When all co-authors approve, you become one of them and they share the stake.

    Parameters
    ----------
    thread
        The thread's id.
    text
        The message; - reads standard input.
    privacy
        Who may read it, when not as the thread says.
    """
    uchoir = parse_amount(stake)
    written = read_text(text)
    async with context.client() as client:
        wallet = context.wallet(as_, client)
        sent = await wallet.submit_spec(thread, written, stake=uchoir, priors=prior or (), privacy=privacy)
    document = {
        "spec_id": sent.content_hash,
        "thread_id": thread,
        "stake": str(uchoir),
        "receipt": sent.receipt,
    }
    context.output.show(document, sent.content_hash)


@app.command
async def approve(spec: str, /, *, as_: As, context: InContext) -> None:
    """Vote for a spec.

    Parameters
    ----------
    spec
        Its id.
    """
    await _vote(spec, as_, context, approve=True)


@app.command
async def deny(spec: str, /, *, as_: As, context: InContext) -> None:
    """Vote against a spec.

    Parameters
    ----------
    spec
        Its id.
    """
    await _vote(spec, as_, context, approve=False)


async def _vote(spec: str, name: str, context: InContext, *, approve: bool) -> None:
    async with context.client() as client:
        receipt = await context.wallet(name, client).vote(spec, approve=approve)
        status = (await client.message(spec)).status
    document = {"spec_id": spec, "approve": approve, "status": status, "receipt": receipt}
    context.output.show(document, f"{'approved' if approve else 'denied'}; the spec is {status}")


@app.command
async def withdraw(spec: str, /, *, as_: As, context: InContext) -> None:
    """Take back a spec of yours that nobody has voted on, with its stake.

    Parameters
    ----------
    spec
        Its id.
    """
    async with context.client() as client:
        receipt = await context.wallet(as_, client).withdraw_spec(spec)
    context.output.show({"spec_id": spec, "status": "withdrawn", "receipt": receipt}, f"withdrew {spec}")


@app.command(name="list")
async def list_specs(
    *,
    voter: Annotated[str | None, Parameter(help="Only those that this name or address may vote on.")] = None,
    author: Annotated[str | None, Parameter(help="Only those of this name or address.")] = None,
    thread: Annotated[str | None, Parameter(help="Only those to this thread.")] = None,
    status: Annotated[SpecStatus | None, Parameter(help="Only those that stand like this.")] = None,
    limit: Annotated[int, Parameter(help="How many specs.")] = 50,
    cursor: Annotated[str | None, Parameter(help="Where to go on, as printed under the last page.")] = None,
    as_: AsReader = None,
    context: InContext,
) -> None:
    """List specs: what awaits a vote, what somebody submitted, what a thread got."""
    from choir.cli.output import choir, first_line, moment

    async with context.reading_client(as_) as client:
        page = await client.specs(
            voter=None if voter is None else context.resolve_address(voter),
            author=None if author is None else context.resolve_address(author),
            thread_id=thread,
            status=status,
            limit=limit,
            cursor=cursor,
        )
    rows = [
        (
            spec.spec_id,
            spec.status,
            choir(spec.stake),
            f"{len(spec.approvals)}/{len(spec.voters)}",
            moment(spec.expires_at_ms),
            first_line(spec.text or spec.summary, 40),
        )
        for spec in page.items
    ]
    context.output.show_page(page, ("Spec", "Status", "Stake", "Approved", "Until", "Text"), rows, "No specs.")
