"""Everything that can be wrong with a request: each has its own error, and changes nothing.

What is refused before a block changes nothing at all. What a block refuses uses its sender's nonce and nothing else.
"""

import json
import time
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NamedTuple

import base58
import msgspec
import pytest

from choir.ledger.errors import Code
from choir.ledger.genesis import DEVELOPMENT_PARAMS
from choir.ledger.transactions import (
    AnyBody,
    CreateThread,
    Divest,
    ProcessApproval,
    SetPrivacy,
    SubscribePremium,
    Transfer,
    WithdrawSpec,
)
from choir.primitives.addresses import encode_address
from tests.support.chain import digest, sign
from tests.support.node import CHAIN_ID, Caller, NodeProcess, Reply, Wallet, calling, prepare_data_dir, running_node
from tests.support.patience import PATIENCE_SECONDS

CHOIR = 1_000_000
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493


class World(NamedTuple):
    """A small settled world: alice's thread with one message, bob's open spec in it, carol a stranger."""

    caller: Caller
    alice: Wallet
    bob: Wallet
    carol: Wallet
    thread_id: str
    message: str
    spec: str
    expired: str


@pytest.fixture(scope="module")
def bad_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A chain on which a spec is open for a few seconds only: long enough for a vote, however slow the machine."""
    data_dir = tmp_path_factory.mktemp("bad") / "node"
    params = msgspec.structs.replace(DEVELOPMENT_PARAMS, spec_window_seconds=5)
    with running_node(data_dir, genesis_file=str(prepare_data_dir(data_dir, params))) as node:
        yield node
        assert "unexpected error" not in node.stderr()


_settled: dict[str, str] = {}


@pytest.fixture
async def world(bad_node: NodeProcess) -> AsyncIterator[World]:
    async with calling(bad_node.url) as caller:
        alice, bob, carol = (Wallet(caller, name) for name in ("alice", "bob", "carol"))
        for wallet in (alice, bob, carol):
            wallet.nonce = (await caller.get(f"/account/{wallet.address}")).data["nonce"]
        thread_id = digest("world")[:32]
        message, spec = alice.post(thread_id, "the message"), bob.spec(thread_id, "the spec")
        expired = bob.spec(thread_id, "the late spec")
        if bad_node.url not in _settled:
            for wallet in (alice, bob, carol):
                await wallet.fund()
            assert (await alice.send(CreateThread(thread_id=thread_id, privacy="public"))).status == 200
            assert (await bob.send(expired, "the late spec")).status == 200
            assert (await alice.send(message, "the message")).status == 200
            assert (await bob.send(spec, "the spec")).status == 200
            vote = ProcessApproval(spec_id=spec.content_hash, approve=False)
            assert (await alice.send(vote)).status == 200
            await wait_until_expired(caller, expired.content_hash)
            _settled[bad_node.url] = thread_id
        yield World(caller, alice, bob, carol, thread_id, message.content_hash, spec.content_hash, expired.content_hash)


async def wait_until_expired(caller: Caller, spec_id: str) -> None:
    """The node settles it by itself, without a transaction."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while (await caller.get(f"/message/{spec_id}")).data["status"] != "expired":
        assert time.monotonic() < give_up, "the spec never expired"


async def snapshot(world: World) -> dict[str, Any]:
    """What must not change: the state's hash and height, and all that is shown of the people and the thread."""
    network = (await world.caller.get("/network")).data
    accounts = [(await world.caller.get(f"/account/{w.address}")).data for w in (world.alice, world.bob, world.carol)]
    thread = (await world.caller.get(f"/thread/{world.thread_id}")).data | {"messages": None}  # indexing adds to them
    return {"head": (network["height"], network["app_hash"]), "accounts": accounts, "thread": thread}


def assert_error(reply: Reply, code: Code) -> None:
    assert (reply.status, reply.error["name"], reply.error["code"]) == (code.http_status, code.name, code.number), reply
    assert reply.error["message"].startswith(code.sentence)
    assert set(reply.error) <= {"code", "name", "message", "field", "retry_after"}
    if code.http_status in (429, 503):
        assert reply.headers["Retry-After"] == str(reply.error["retry_after"])


# Refused before a block


def transfer(world: World, **changes: Any) -> dict[str, Any]:
    """A good transfer from alice as a plain object, with changes made after signing."""
    raw = sign(world.alice.key, Transfer(to=world.bob.address, amount="5"), world.alice.nonce, CHAIN_ID).raw
    return {**json.loads(raw), **changes}


def tx(value: Any) -> bytes:
    return b'{"tx":' + json.dumps(value).encode() + b"}"


def edited(old: bytes, new: bytes) -> Callable[[World], bytes]:
    """A good request with some bytes replaced."""

    def make(world: World) -> bytes:
        good = tx(transfer(world))
        assert old in good
        return good.replace(old, new, 1)

    return make


def malleated(world: World) -> bytes:
    """The other scalar that a lax verifier accepts: S + L."""
    good = transfer(world)
    signature = base58.b58decode(good["signature"])
    scalar = int.from_bytes(signature[32:], "little") + GROUP_ORDER
    assert scalar < 2**256
    return tx({**good, "signature": base58.b58encode(signature[:32] + scalar.to_bytes(32, "little")).decode()})


def signed_body(
    body: AnyBody, *, by: str = "alice", nonce: int = 0, chain_id: str = CHAIN_ID
) -> Callable[[World], bytes]:
    """A well-signed request; ``nonce`` is counted from the account's next."""

    def make(world: World) -> bytes:
        wallet: Wallet = getattr(world, by)
        raw = sign(wallet.key, body, max(0, wallet.nonce + nonce), chain_id).raw
        return b'{"tx":' + raw + b"}"

    return make


def with_text(text: str) -> Callable[[World], bytes]:
    """A message whose hash is that of its text, whatever the text."""

    def make(world: World) -> bytes:
        return world.alice.submission(world.alice.post(world.thread_id, text), text)

    return make


def with_content(content: bytes) -> Callable[[World], bytes]:
    """A good message, with other bytes for its content."""

    def make(world: World) -> bytes:
        body = world.alice.post(world.thread_id, "some text")
        raw = sign(world.alice.key, body, world.alice.nonce, CHAIN_ID).raw
        return b'{"tx":' + raw + b',"content":' + content + b"}"

    return make


SMALL_ORDER = encode_address(bytes([1] + [0] * 31))
NOBODY = Transfer(to="4ZtjjeA324MhtpRbGH7kbxEQjtevffV5nSWrANvLNuTP", amount="5")
SALT = b'"00000000000000000000000000000000"'

BEFORE_A_BLOCK: dict[str, tuple[Code, Callable[[World], bytes]]] = {
    "empty body": (Code.MalformedJson, lambda w: b""),
    "not JSON": (Code.MalformedJson, lambda w: b"hello"),
    "cut off": (Code.MalformedJson, lambda w: tx(transfer(w))[:-9]),
    "trailing bytes": (Code.MalformedJson, lambda w: tx(transfer(w)) + b"}"),
    "byte order mark": (Code.MalformedJson, lambda w: b"\xef\xbb\xbf" + tx(transfer(w))),
    "100,000 brackets": (Code.MalformedJson, lambda w: b"[" * 100_000),
    "100,000 brackets in tx": (Code.MalformedJson, lambda w: b'{"tx":' + b"[" * 100_000),
    "100,000 closed brackets": (Code.MalformedJson, lambda w: b'{"tx":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "100,000 objects": (Code.MalformedJson, lambda w: b'{"tx":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001),
    "an array": (Code.InvalidField, lambda w: b"[]"),
    "a string as tx": (Code.InvalidField, lambda w: b'{"tx":"hello"}'),
    "no tx": (Code.InvalidField, lambda w: b"{}"),
    "no body": (Code.InvalidField, lambda w: tx({k: v for k, v in transfer(w).items() if k != "body"})),
    "no nonce": (Code.InvalidField, lambda w: tx({k: v for k, v in transfer(w).items() if k != "nonce"})),
    "unknown type": (Code.InvalidField, lambda w: tx(transfer(w, body={"type": "print_money"}))),
    "unknown field beside tx": (Code.UnknownField, lambda w: tx(transfer(w))[:-1] + b',"extra":1}'),
    "unknown field in tx": (Code.UnknownField, lambda w: tx(transfer(w, extra=1))),
    "unknown field in body": (Code.UnknownField, edited(b'"amount": "5"', b'"amount": "5", "extra": 1')),
    "unknown field in content": (
        Code.UnknownField,
        with_content(b'{"salt":' + SALT + b',"text":"some text","extra":1}'),
    ),
    "a float": (Code.FloatNotAllowed, lambda w: tx(transfer(w, nonce=0.5))),
    "a whole float": (Code.FloatNotAllowed, edited(b'"nonce": ', b'"nonce": 1.0, "x": ')),
    "an exponent": (Code.FloatNotAllowed, edited(b'"nonce": ', b'"nonce": 1e2, "x": ')),
    "NaN": (Code.FloatNotAllowed, edited(b'"nonce": ', b'"nonce": NaN, "x": ')),
    "a nonce past 2^53": (Code.NumberOutOfRange, lambda w: tx(transfer(w, nonce=2**53))),
    "a nonce of 5,000 digits": (Code.NumberOutOfRange, edited(b'"nonce": ', b'"nonce": 1' + b"0" * 5000 + b', "x": ')),
    "a negative nonce": (Code.NumberOutOfRange, lambda w: tx(transfer(w, nonce=-1))),
    "no periods of premium": (
        Code.NumberOutOfRange,
        lambda w: tx(transfer(w, body={"type": "subscribe_premium", "periods": 0})),
    ),
    "an amount as number": (Code.InvalidField, edited(b'"amount": "5"', b'"amount": 5')),
    "an amount of 41 digits": (Code.InvalidField, edited(b'"amount": "5"', b'"amount": "1' + b"0" * 40 + b'"')),
    "an amount with a leading zero": (Code.InvalidField, edited(b'"amount": "5"', b'"amount": "05"')),
    "an amount with decimals": (Code.InvalidField, edited(b'"amount": "5"', b'"amount": "5.0"')),
    "Arabic digits": (Code.InvalidField, edited(b'"amount": "5"', '"amount": "٥"'.encode())),
    "a line end after the digits": (Code.InvalidField, edited(b'"amount": "5"', b'"amount": "5\\n"')),
    "null signature": (Code.NotCanonical, lambda w: tx(transfer(w, signature=None))),
    "null depends_on": (Code.NotCanonical, lambda w: tx(transfer(w, depends_on=None))),
    "null nonce": (Code.InvalidField, lambda w: tx(transfer(w, nonce=None))),
    "null tx": (Code.InvalidField, lambda w: b'{"tx":null}'),
    "a key twice in tx": (Code.NotCanonical, edited(b'"nonce": ', b'"nonce": 7, "nonce": ')),
    "a key twice in body": (Code.NotCanonical, edited(b'"amount": "5"', b'"amount": "4", "amount": "5"')),
    "tx twice": (Code.NotCanonical, lambda w: b'{"tx":{},' + tx(transfer(w))[1:]),
    "tx twice, once escaped": (Code.NotCanonical, lambda w: b'{"\\u0074x":{},' + tx(transfer(w))[1:]),
    "text twice": (Code.NotCanonical, with_content(b'{"salt":' + SALT + b',"text":"a","text":"some text"}')),
    "bytes that are no UTF-8": (Code.InvalidUnicode, lambda w: b'{"tx":"\xff"}'),
    "no UTF-8 inside tx": (Code.InvalidUnicode, edited(b'"amount": "5"', b'"amount": "\xff"')),
    "no UTF-8 in the text": (Code.InvalidUnicode, with_content(b'{"salt":' + SALT + b',"text":"\xc3\x28"}')),
    "an encoded surrogate": (Code.InvalidUnicode, with_content(b'{"salt":' + SALT + b',"text":"\xed\xa0\x80"}')),
    "half a surrogate pair in the text": (
        Code.InvalidUnicode,
        with_content(b'{"salt":' + SALT + b',"text":"\\ud800"}'),
    ),
    "half a surrogate pair in tx": (Code.InvalidUnicode, edited(b'"amount": "5"', b'"amount": "\\udc00"')),
    "half a surrogate pair as chain": (Code.InvalidUnicode, lambda w: tx(transfer(w, chain_id="\ud800"))),
    "another chain": (Code.WrongChain, signed_body(NOBODY, chain_id="choir-main")),
    "a skipped nonce": (Code.NonceMismatch, signed_body(NOBODY, nonce=1)),
    "a replayed nonce": (Code.NonceMismatch, signed_body(NOBODY, nonce=-1)),
    "no signature": (Code.BadSignature, lambda w: tx({k: v for k, v in transfer(w).items() if k != "signature"})),
    "a forged signature": (Code.BadSignature, lambda w: tx(transfer(w, sender=w.bob.address, nonce=w.bob.nonce))),
    "changed after signing": (Code.BadSignature, edited(b'"amount": "5"', b'"amount": "6"')),
    "a malleable signature": (Code.BadSignature, malleated),
    "a signature that is no base58": (Code.BadSignature, lambda w: tx(transfer(w, signature="0" * 88))),
    "a short signature": (Code.InvalidField, lambda w: tx(transfer(w, signature="1"))),
    "a small-order sender": (Code.SmallOrderKey, lambda w: tx(transfer(w, sender=SMALL_ORDER))),
    "a sender that is no key": (Code.InvalidAddress, lambda w: tx(transfer(w, sender="1" * 44))),
    "a hash in capitals": (Code.InvalidField, lambda w: tx(transfer(w, depends_on="AB" * 32))),
    "text of another hash": (Code.ContentMismatch, with_content(b'{"salt":' + SALT + b',"text":"other text"}')),
    "a message without content": (Code.ContentMissing, with_content(b"null")),
    "content without a message": (
        Code.ContentUnexpected,
        lambda w: tx(transfer(w))[:-1] + b',"content":{"salt":' + SALT + b',"text":"t"}}',
    ),
    "content as text": (Code.InvalidField, with_content(b'"some text"')),
    "content without salt": (Code.InvalidField, with_content(b'{"text":"some text"}')),
    "a salt that is no salt": (Code.InvalidField, with_content(b'{"salt":"salt","text":"some text"}')),
    "a text that is a number": (Code.InvalidField, with_content(b'{"salt":' + SALT + b',"text":5}')),
    "empty text": (Code.TextEmpty, with_text("")),
    "white space": (Code.TextEmpty, with_text(" \n\t \u3000")),
    "zero-width text": (Code.TextEmpty, with_text("\u200b\u200d\ufeff")),
    "text over 64 KiB": (Code.TextTooLong, with_text("a" * 65_537)),
    "text over 64 KiB in UTF-8": (Code.TextTooLong, with_text("é" * 32_769)),
    "text that is not NFC": (Code.TextInvalid, with_text(unicodedata.normalize("NFD", "é"))),
    "a control character": (Code.TextInvalid, with_text("a\x00b")),
    "a carriage return": (Code.TextInvalid, with_text("a\r\nb")),
}


@pytest.mark.parametrize("name", BEFORE_A_BLOCK)
async def test_refused_before_a_block(world: World, name: str) -> None:
    code, make = BEFORE_A_BLOCK[name]
    before = await snapshot(world)
    reply = await world.caller.post("/tx", make(world), wait="final")
    assert_error(reply, code)
    assert reply.body["data"] is None
    assert await snapshot(world) == before


@pytest.mark.parametrize("depth", [10, 100, 300, 900, 990, 1000, 1500, 5000, 50_000])
@pytest.mark.parametrize("around", [b'{"tx":%s}', b'{"tx":{"body":%s}}', b'{"tx":{},"content":%s}', b"%s"])
async def test_any_depth_is_refused(world: World, depth: int, around: bytes) -> None:
    body = around.replace(b"%s", b"[" * depth + b"]" * depth)
    assert (await world.caller.post("/tx", body)).status == 400
    assert (await world.caller.post("/faucet", body)).status == 400


async def test_a_body_beyond_a_mebibyte(world: World) -> None:
    before = await snapshot(world)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(33):
            yield b" " * 32_768

    for path in ("/tx", "/faucet"):
        declared = {"Content-Length": str(33 << 15)}
        assert_error(await world.caller.post(path, chunks(), headers=declared), Code.BodyTooLarge)
        assert_error(await world.caller.post(path, chunks()), Code.BodyTooLarge)
    assert await snapshot(world) == before


async def test_a_body_of_a_mebibyte_is_read(world: World) -> None:
    padding = b" " * ((1 << 20) - len(tx(transfer(world))) - 64)
    reply = await world.caller.post("/tx", padding + signed_body(NOBODY, nonce=3)(world))
    assert_error(reply, Code.NonceMismatch)


async def test_many_keys_cost_little(world: World) -> None:
    """A hundred thousand keys, the last one twice: found in time in proportion to the body, not to its square."""
    keys = b",".join(b'"%x":1' % number for number in range(90_000))
    twice = b',"%x":2' % 89_999
    started = time.monotonic()
    assert_error(await world.caller.post("/tx", b'{"tx":{' + keys + twice + b"}}"), Code.NotCanonical)
    assert_error(await world.caller.post("/tx", b"{" + keys + twice + b"}"), Code.NotCanonical)
    assert time.monotonic() - started < 60  # the square takes minutes


# Refused in a block: the nonce is used, nothing else


def message_in(world: World, thread_id: str, text: str, **fields: Any) -> tuple[AnyBody, str]:
    return world.alice.post(thread_id, text, **fields), text


def spec_of(wallet: Wallet, world: World, text: str, stake: int) -> tuple[AnyBody, str]:
    return wallet.spec(world.thread_id, text, stake), text


Refusal = tuple[Code, str, Callable[[World], tuple[AnyBody, str | None]]]
NOWHERE = digest("nowhere")[:32]

IN_A_BLOCK: dict[str, Refusal] = {
    "an unknown prior": (
        Code.PriorUnknown,
        "alice",
        lambda w: message_in(w, w.thread_id, "cites nothing", priors=(digest("nothing"),)),
    ),
    "a prior that was denied": (
        Code.PriorUnknown,
        "alice",
        lambda w: message_in(w, w.thread_id, "cites the denied", priors=(w.spec,)),
    ),
    "a prior twice": (
        Code.PriorLimit,
        "alice",
        lambda w: message_in(w, w.thread_id, "cites twice", priors=(w.message, w.message)),
    ),
    "17 priors": (
        Code.PriorLimit,
        "alice",
        lambda w: message_in(w, w.thread_id, "cites all", priors=tuple(digest(str(n)) for n in range(17))),
    ),
    "a thread id that is taken": (
        Code.ThreadExists,
        "bob",
        lambda w: (CreateThread(thread_id=w.thread_id, privacy="public"), None),
    ),
    "a message in a thread that is not": (Code.ThreadUnknown, "alice", lambda w: message_in(w, NOWHERE, "lost")),
    "a message by a stranger": (
        Code.NotCoAuthor,
        "carol",
        lambda w: (w.carol.post(w.thread_id, "intruding"), "intruding"),
    ),
    "a message a second time": (
        Code.MessageExists,
        "alice",
        lambda w: message_in(w, w.thread_id, "the message"),
    ),
    "a spec on one's own thread": (Code.AlreadyCoAuthor, "alice", lambda w: spec_of(w.alice, w, "mine", 100 * CHOIR)),
    "a stake below the minimum": (Code.InsufficientStake, "carol", lambda w: spec_of(w.carol, w, "cheap", 1)),
    "a stake of zero": (Code.AmountNotPositive, "carol", lambda w: spec_of(w.carol, w, "free", 0)),
    "a negative stake": (Code.AmountNotPositive, "carol", lambda w: spec_of(w.carol, w, "less", -100 * CHOIR)),
    "a stake over the balance": (
        Code.InsufficientFunds,
        "carol",
        lambda w: spec_of(w.carol, w, "too much", 20_000 * CHOIR),
    ),
    "a vote on a spec that is not": (
        Code.SpecUnknown,
        "alice",
        lambda w: (ProcessApproval(spec_id=digest("none"), approve=True), None),
    ),
    "a vote after the deadline": (
        Code.SpecExpired,
        "alice",
        lambda w: (ProcessApproval(spec_id=w.expired, approve=True), None),
    ),
    "a vote on what was decided": (
        Code.SpecClosed,
        "alice",
        lambda w: (ProcessApproval(spec_id=w.spec, approve=True), None),
    ),
    "withdrawing what was decided": (Code.SpecClosed, "bob", lambda w: (WithdrawSpec(spec_id=w.spec), None)),
    "an amount of zero": (Code.AmountNotPositive, "alice", lambda w: (Transfer(to=w.bob.address, amount="0"), None)),
    "a negative amount": (Code.AmountNotPositive, "alice", lambda w: (Transfer(to=w.bob.address, amount="-5"), None)),
    "an amount over the balance": (
        Code.InsufficientFunds,
        "alice",
        lambda w: (Transfer(to=w.bob.address, amount=str(10**15)), None),
    ),
    "an amount over the supply": (
        Code.NumberOutOfRange,
        "alice",
        lambda w: (Transfer(to=w.bob.address, amount="9" * 40), None),
    ),
    "a transfer to a small-order key": (
        Code.SmallOrderKey,
        "alice",
        lambda w: (Transfer(to=SMALL_ORDER, amount="5"), None),
    ),
    "a transfer to no key": (Code.InvalidAddress, "alice", lambda w: (Transfer(to="l" * 44, amount="5"), None)),
    "premium over the balance": (Code.InsufficientFunds, "poor", lambda w: (SubscribePremium(periods=120), None)),
    "divesting zero": (Code.AmountNotPositive, "alice", lambda w: (Divest(thread_id=w.thread_id, amount="0"), None)),
    "divesting more than the share": (
        Code.BelowMinimumBalance,
        "alice",
        lambda w: (Divest(thread_id=w.thread_id, amount=str(91 * CHOIR)), None),
    ),
    "divesting from another's thread": (
        Code.NotCoAuthor,
        "bob",
        lambda w: (Divest(thread_id=w.thread_id, amount="1"), None),
    ),
    "privacy of a stranger's message": (
        Code.NotCoAuthor,
        "carol",
        lambda w: (SetPrivacy(message_hash=w.message, level="thread"), None),
    ),
}


@pytest.mark.parametrize("name", IN_A_BLOCK)
async def test_refused_in_a_block(world: World, name: str) -> None:
    code, who, make = IN_A_BLOCK[name]
    sender: Wallet = Wallet(world.caller, "poor") if who == "poor" else getattr(world, who)
    body, text = make(world)
    before = await snapshot(world)
    reply = await sender.send(body, text)
    assert_error(reply, code)
    receipt = reply.body["data"]
    assert (receipt["name"], receipt["code"]) == (code.name, code.number)
    committed = (await world.caller.get(f"/tx/{receipt['tx_hash']}")).data
    assert committed["receipt"] == receipt
    after = await snapshot(world)
    account = (await world.caller.get(f"/account/{sender.address}")).data
    assert account["nonce"] == sender.nonce
    for told in (before, after):
        for shown in told["accounts"]:
            del shown["nonce"]
    assert (after["accounts"], after["thread"]) == (before["accounts"], before["thread"])


async def test_a_message_that_was_refused_is_not_shown(world: World) -> None:
    body = world.carol.post(world.thread_id, "not for this thread")
    assert_error(await world.carol.send(body, "not for this thread"), Code.NotCoAuthor)
    assert_error(await world.caller.get(f"/message/{body.content_hash}"), Code.NotFound)


# Votes


async def test_votes_by_strangers_twice_and_late(caller: Caller) -> None:
    alice, bob, carol = (Wallet(caller, f"{name}-voting") for name in ("alice", "bob", "carol"))
    for wallet in (alice, bob, carol):
        await wallet.fund()
    thread_id = digest("voting")[:32]
    assert (await alice.send(CreateThread(thread_id=thread_id, privacy="public"))).status == 200
    first = bob.spec(thread_id, "bob joins")
    assert (await bob.send(first, "bob joins")).status == 200
    assert (await alice.send(ProcessApproval(spec_id=first.content_hash, approve=True))).status == 200
    second = carol.spec(thread_id, "carol joins")
    assert (await carol.send(second, "carol joins")).status == 200
    vote = ProcessApproval(spec_id=second.content_hash, approve=True)
    before = (await caller.get("/specs", thread_id=thread_id, status="open")).data
    assert_error(await carol.send(vote), Code.NotCoAuthor)
    assert (await caller.get("/specs", thread_id=thread_id, status="open")).data == before
    assert (await alice.send(vote)).status == 200
    once = (await caller.get("/specs", thread_id=thread_id, status="open")).data
    assert once["items"][0]["approvals"] == [alice.address]
    assert_error(await alice.send(vote), Code.AlreadyVoted)
    denial = ProcessApproval(spec_id=second.content_hash, approve=False)
    assert_error(await alice.send(denial), Code.AlreadyVoted)
    assert (await caller.get("/specs", thread_id=thread_id, status="open")).data == once
    assert_error(await carol.send(WithdrawSpec(spec_id=second.content_hash)), Code.VotingBegun)


async def test_a_rate_limit_says_when_to_come_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    data_dir = tmp_path_factory.mktemp("limited") / "node"
    params = msgspec.structs.replace(DEVELOPMENT_PARAMS, threads_per_hour=1)
    with running_node(data_dir, genesis_file=str(prepare_data_dir(data_dir, params))) as node:
        async with calling(node.url) as caller:
            alice = Wallet(caller, "alice")
            assert (await alice.send(CreateThread(thread_id="0" * 32, privacy="public"))).status == 200
            refused = await alice.send(CreateThread(thread_id="1" * 32, privacy="public"))
            assert_error(refused, Code.RateLimited)
            assert 0 < refused.error["retry_after"] <= 3600


# Queries
