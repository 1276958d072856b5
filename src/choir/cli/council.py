"""`choir council`: what the council's members propose and endorse."""

from typing import TYPE_CHECKING

from cyclopts import App

from choir.cli.context import As, InContext, parse_amount

if TYPE_CHECKING:
    from choir.ledger.transactions import CouncilAction

app = App(name="council", help="Propose and endorse what the council decides.")
propose_app = App(name="propose", help="Open a proposal; it is your endorsement too. Prints its id.")
app.command(propose_app)


@propose_app.command
async def transfer(to: str, amount: str, /, *, as_: As, context: InContext) -> None:
    """Propose to pay from the treasury.

    Parameters
    ----------
    to
        A name in the keyring, or an address.
    amount
        In CHOIR, like 12.5.
    """
    from choir.ledger.transactions import TreasuryTransfer

    action = TreasuryTransfer(to=context.resolve_address(to), amount=str(parse_amount(amount)))
    await _propose(action, as_, context)


@propose_app.command
async def parameter(name: str, value: int, /, *, as_: As, context: InContext) -> None:
    """Propose to set a parameter of the ledger.

    Parameters
    ----------
    name
        As `choir network status --json` lists them.
    value
        In the parameter's own unit (uchoir for amounts).
    """
    from choir.ledger.transactions import SetParameter

    await _propose(SetParameter(name=name, value=value), as_, context)


@propose_app.command
async def pause(*, as_: As, context: InContext) -> None:
    """Propose to pause the ledger: only proposals and endorsements are accepted then."""
    from choir.ledger.transactions import Pause

    await _propose(Pause(), as_, context)


@propose_app.command
async def resume(*, as_: As, context: InContext) -> None:
    """Propose to end a pause."""
    from choir.ledger.transactions import Resume

    await _propose(Resume(), as_, context)


@app.command
async def endorse(proposal: str, /, *, as_: As, context: InContext) -> None:
    """Endorse a proposal. It runs with the last endorsement that it needs.

    Parameters
    ----------
    proposal
        Its id.
    """
    async with context.client() as client:
        receipt = await context.wallet(as_, client).endorse(proposal)
    context.output.show({"proposal_id": proposal, "receipt": receipt}, f"endorsed {proposal}")


async def _propose(action: "CouncilAction", name: str, context: InContext) -> None:
    async with context.client() as client:
        receipt = await context.wallet(name, client).propose(action)
    context.output.show({"proposal_id": receipt.tx_hash, "receipt": receipt}, receipt.tx_hash)
