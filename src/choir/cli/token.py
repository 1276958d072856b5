"""`choir token` and `choir faucet`: moving CHOIR."""

from cyclopts import App

from choir.cli.context import As, InContext, parse_amount
from choir.cli.errors import CliError

app = App(name="token", help="Move CHOIR: transfer, divest, premium.")


@app.command
async def transfer(to: str, amount: str, /, *, as_: As, context: InContext) -> None:
    """Send CHOIR to another wallet.

    Parameters
    ----------
    to
        A name in the keyring, or an address.
    amount
        In CHOIR, like 12.5.
    """
    from choir.cli.output import choir

    uchoir = parse_amount(amount)
    address = context.resolve_address(to)
    async with context.client() as client:
        receipt = await context.wallet(as_, client).transfer(address, uchoir)
    document = {"to": address, "amount": str(uchoir), "receipt": receipt}
    context.output.show(document, f"sent {choir(uchoir)} to {address}")


@app.command
async def divest(thread: str, amount: str, /, *, as_: As, context: InContext) -> None:
    """Take CHOIR out of a thread of yours, up to your share.

    Parameters
    ----------
    thread
        The thread's id.
    amount
        In CHOIR, like 12.5.
    """
    from choir.cli.output import choir

    uchoir = parse_amount(amount)
    async with context.client() as client:
        receipt = await context.wallet(as_, client).divest(thread, uchoir)
    document = {"thread_id": thread, "amount": str(uchoir), "receipt": receipt}
    context.output.show(document, f"divested {choir(uchoir)} from {thread}")


@app.command
async def premium(periods: int, /, *, as_: As, context: InContext) -> None:
    """Subscribe to premium, or extend it.

    Parameters
    ----------
    periods
        How many periods to pay for (a period is a parameter of the network, 30 days at first).
    """
    from choir.cli.output import moment

    async with context.client() as client:
        wallet = context.wallet(as_, client)
        receipt = await wallet.subscribe_premium(periods)
        until_ms = (await client.account(wallet.address, limit=1)).premium_until_ms
    document = {"periods": periods, "premium_until_ms": until_ms, "receipt": receipt}
    context.output.show(document, f"premium until {moment(until_ms)}")


async def faucet(name_or_address: str, /, *, context: InContext) -> None:
    """Fill a wallet with development CHOIR. Only development chains have a faucet.

    Parameters
    ----------
    name_or_address
        A name in the keyring, or an address.
    """
    from choir.cli.output import choir
    from choir.client import ApiError
    from choir.ledger.errors import Code

    address = context.resolve_address(name_or_address)
    async with context.client() as client:
        try:
            grant = await client.faucet(address)
        except ApiError as error:
            if error.name != Code.NotFound.name:
                raise
            raise CliError("this chain has no faucet, only development chains do: have CHOIR sent to you") from error
    document = {"address": address, "amount": grant.amount, "tx_hash": grant.tx_hash}
    context.output.show(document, f"{choir(grant.amount)} for {address}")
