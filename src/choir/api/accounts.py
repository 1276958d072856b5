"""Accounts: balance, threads and what can be divested from them, history; and the development faucet."""

import asyncio
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from msgspec import Struct

from choir.api.answers import Answer, AnyRequest, Page, answer, not_found
from choir.api.bodies import decode_body, read_body
from choir.api.cursors import before_cursor, next_cursor
from choir.api.parameters import Cursor, Limit, validate_address
from choir.api.services import Services, get_services
from choir.api.views import event_view
from choir.ledger.entities import ACCOUNTS, DIVESTMENTS, THREADS, Account
from choir.ledger.state import State
from choir.ledger.tokens import compute_share

_THREADS_SHOWN = 1000


class OwnThread(Struct, frozen=True, kw_only=True):
    """A thread of the account's. ``share`` may be divested from ``divest_ready_at_ms`` on."""

    thread_id: str
    balance: str
    share: str
    divest_ready_at_ms: int


class AccountView(Struct, frozen=True, kw_only=True):
    """``sponsorship`` is what the account has paid to the treasury and not yet directed to others as rewards."""

    address: str
    balance: str
    nonce: int
    sponsorship: str
    premium_until_ms: int
    threads: list[OwnThread]
    history: Page[dict[str, Any]]


class FaucetBody(Struct, frozen=True, forbid_unknown_fields=True):
    address: str


_faucet_decoder = msgspec.json.Decoder(FaucetBody)


class FaucetView(Struct, frozen=True, kw_only=True):
    tx_hash: str
    amount: str


@get("/account/{address:str}")
async def get_account(
    request: AnyRequest, address: str, cursor: Cursor = None, limit: Limit = 50
) -> Response[Answer[AccountView]]:
    """An account, its threads, and a page of its history, newest first. An unseen address is empty, not unknown."""
    validate_address(address)
    return answer(request, await load_account(get_services(request.app), address, before_cursor(cursor), limit))


async def load_account(services: Services, address: str, before_seq: int, limit: int) -> AccountView:
    """An account with the ``limit`` items of its history before an event."""
    own, history = await asyncio.to_thread(_load, services, address, before_seq, limit)
    with services.engine.read() as state:
        account: Account = state.get(ACCOUNTS, address) or Account()
        threads = [_own_thread(state, thread_id, address) for thread_id in own]
    page = Page(
        items=[event_view(item) for item in history],
        next_cursor=next_cursor([item["seq"] for item in history], limit),
    )
    return AccountView(
        address=address,
        balance=str(account.balance),
        nonce=account.nonce,
        sponsorship=str(account.sponsorship),
        premium_until_ms=account.premium_until_ms,
        threads=threads,
        history=page,
    )


@post("/faucet", status_code=200)
async def ask_faucet(request: AnyRequest) -> Response[Answer[FaucetView]]:
    """Development chains only: top a wallet up to 10,000 CHOIR."""
    address = (await read_body(request, lambda raw: decode_body(raw, _faucet_decoder))).address
    validate_address(address)
    services = get_services(request.app)
    if services.faucet is None:
        raise not_found()
    tx_hash, amount = await services.faucet.give(address)
    await services.follower.caught_up()
    return answer(request, FaucetView(tx_hash=tx_hash, amount=str(amount)))


def _load(services: Services, address: str, before_seq: int, limit: int) -> tuple[list[str], list[dict[str, Any]]]:
    rows = services.projection.threads(before_seq=before_cursor(None), limit=_THREADS_SHOWN, co_author=address)
    history = services.projection.activity(address, before_seq=before_seq, limit=limit)
    return [thread_id for thread_id, _ in rows], history


def _own_thread(state: State, thread_id: str, address: str) -> OwnThread:
    thread = state.get(THREADS, thread_id)
    last = state.get(DIVESTMENTS, f"{thread_id}/{address}")
    cooldown_ms = state.params.divest_cooldown_seconds * 1000
    return OwnThread(
        thread_id=thread_id,
        balance=str(thread.balance),
        share=str(compute_share(thread, state.params)),
        divest_ready_at_ms=0 if last is None else last.at_ms + cooldown_ms,
    )


router = Router("/", route_handlers=[get_account, ask_faucet], tags=["accounts"])
