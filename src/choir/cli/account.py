"""`choir account`: what an account holds and what it did."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from choir.cli.context import InContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from choir.client.models import Account, AccountThread


async def account(
    name_or_address: str,
    /,
    *,
    limit: Annotated[int, Parameter(help="How many entries of its history.")] = 10,
    context: InContext,
) -> None:
    """Show balance, threads and history of an account.

    Parameters
    ----------
    name_or_address
        A name in the keyring, or an address.
    """
    async with context.client() as client:
        found = await client.account(context.resolve_address(name_or_address), limit=limit)
    context.output.show_fields(found, _fields(found))


def _fields(found: "Account") -> list[tuple[str, str]]:
    from choir.cli.output import choir, moment

    fields = [
        ("address", found.address),
        ("balance", choir(found.balance)),
        ("nonce", str(found.nonce)),
        ("premium until", moment(found.premium_until_ms)),
    ]
    fields += [
        (
            f"thread {thread.thread_id}",
            f"balance {choir(thread.balance)}, share {choir(thread.share)}{describe_wait(thread)}",
        )
        for thread in found.threads
    ]
    fields += [
        (moment(int(event["time_ms"])), f"{describe_event(event, found.address)}, block {event['height']}")
        for event in found.history.items
    ]
    return fields


def describe_wait(thread: "AccountThread") -> str:
    """When the share can be divested, where there is one."""
    from choir.cli.output import moment

    if int(thread.share) == 0:
        return ""
    if thread.divest_ready_at_ms == 0:
        return ", to be divested now"
    return f", to be divested from {moment(thread.divest_ready_at_ms)}"


def describe_event(event: "Mapping[str, Any]", address: str) -> str:
    """One event of an account's history in words; amounts as this account saw them."""
    from choir.cli.output import choir

    match event["type"]:
        case "transferred":
            return f"{'sent' if event['sender'] == address else 'received'} {choir(event['amount'])}"
        case "spec_submitted":
            return f"{'staked' if event['author'] == address else 'a spec came in with'} {choir(event['stake'])}"
        case "approval_cast":
            return f"voted {'for' if event['approve'] else 'against'} {event['spec_id']}"
        case "spec_settled":
            share = event["to_approvers"].get(address)
            return f"spec {event['outcome']}" + (f", received {choir(share)}" if share is not None else "")
        case "divested" | "premium_extended" | "new_message_rewarded":
            return f"{event['type'].replace('_', ' ')}, {choir(event['amount'])}"
        case other:
            return str(other).replace("_", " ")
