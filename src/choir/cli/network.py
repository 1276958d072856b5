"""`choir network`, `choir tx` and `choir genesis`: what the chain is, what it holds, and how far its memory agrees."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from choir.cli.context import InContext
from choir.cli.errors import ProofInvalid

app = App(name="network", help="See the state of the network.")


@app.command
async def status(*, context: InContext) -> None:
    """Show the chain, its height, the epoch, coherence, the treasury and the node's version."""
    from choir.cli.output import choir, millionths, moment

    async with context.client() as client:
        found = await client.network()
    fields = [
        ("chain", found.chain_id + (" (development)" if found.is_development else "")),
        ("genesis", found.genesis_hash),
        ("height", str(found.height)),
        ("time", moment(found.time_ms)),
        ("app hash", found.app_hash),
        ("engine", found.engine),
        ("node", f"{found.node}, version {found.version}"),
        ("validators", ", ".join(found.validators)),
        ("epoch", str(found.epoch.number)),
        ("coherence Ĉ", _measured(found.coherence_millionths, found.measured_epoch)),
        ("attunement λ", millionths(found.attunement_millionths)),
        ("treasury", choir(found.treasury.balance)),
        ("new-message pool", choir(found.treasury.new_message_pool)),
        ("prior pool", choir(found.treasury.prior_pool)),
        ("paused", "yes" if found.is_paused else "no"),
    ]
    context.output.show_fields(found, fields)


@app.command
async def validators(*, context: InContext) -> None:
    """List the validators with their scores, as the node has measured them."""
    from choir.cli.output import millionths

    async with context.client() as client:
        found = await client.validators()
    rows = [
        (
            validator.address,
            "yes" if validator.is_this_node else "no",
            millionths(validator.psi_millionths),
            _measured(validator.agreement_millionths, validator.measured_epoch),
        )
        for validator in found
    ]
    context.output.show_table(found, ("validator", "this node", "score Ψ", "agreement A"), rows, "no validators")


@app.command
async def epochs(
    *,
    cursor: Annotated[str | None, Parameter(help="Where to go on, as printed under the last page.")] = None,
    limit: Annotated[int | None, Parameter(help="At most this many, 1 to 200.")] = None,
    context: InContext,
) -> None:
    """List the epochs that the node has measured, newest first: coherence, attunement, and what was wrong."""
    from choir.cli.output import millionths, moment

    async with context.client() as client:
        page = await client.epochs(cursor=cursor, limit=limit)
    rows = [
        (
            str(epoch.number),
            moment(epoch.measured_at_ms),
            millionths(epoch.coherence_millionths),
            millionths(epoch.attunement_millionths),
            f"{epoch.checked.records_held} of {epoch.checked.records}",
            f"{epoch.checked.challenges_met} of {epoch.checked.challenges}",
            f"{epoch.checked.answers_given} of {epoch.checked.answers}",
            ", ".join(f"{count} × {kind}" for kind, count in epoch.checked.problems.items()) or "nothing",
        )
        for epoch in page.items
    ]
    columns = ("epoch", "measured", "Ĉ", "λ", "held", "texts right", "answers right", "wrong")
    context.output.show_page(page, columns, rows, "no epoch was measured yet")


def _measured(value: int | None, epoch: int | None) -> str:
    from choir.cli.output import millionths

    return millionths(value) if epoch is None else f"{millionths(value)}, measured in epoch {epoch}"


async def tx(tx_hash: str, /, *, context: InContext) -> None:
    """Show a transaction and what became of it.

    Parameters
    ----------
    tx_hash
        Its hash.
    """
    from choir.cli.output import moment

    async with context.client() as client:
        found = await client.transaction(tx_hash)
    receipt = found.receipt
    fields = [("transaction", receipt.tx_hash)]
    if found.transaction is not None:
        fields += [
            ("type", str(type(found.transaction.body).__struct_config__.tag)),
            ("sender", found.transaction.sender),
            ("nonce", str(found.transaction.nonce)),
        ]
    fields += [
        ("block", f"{receipt.height}, at place {receipt.index}, {moment(receipt.time_ms)}"),
        ("result", receipt.name if receipt.code == 0 else f"refused ({receipt.name}) {receipt.detail}".rstrip()),
    ]
    context.output.show_fields(found, fields)


async def genesis(
    *,
    output: Annotated[Path | None, Parameter(name=("--output", "-o"), help="File to write it to.")] = None,
    context: InContext,
) -> None:
    """Save the chain's genesis, which names the validators that `choir verify --genesis` trusts.

    Compare the printed hash with one from a source you trust: what is saved is what this node says.
    """
    from choir.ledger.genesis import genesis_hash

    async with context.client() as client:
        found = await client.genesis()
        claimed = (await client.network()).genesis_hash
    computed = genesis_hash(found)
    if computed != claimed:
        raise ProofInvalid(f"the node's genesis hashes to {computed}, not to {claimed} as it claims: do not trust it")
    context.output.save(found, output, f"genesis of {found.chain_id}, hash {computed}")
