"""The whole story over HTTP: what two people and the public see of a thread's life."""

import itertools
from typing import Any

import msgspec
import pytest

from choir.ledger.genesis import Genesis, genesis_hash
from choir.ledger.proofs import Proof, ProofError, verify_proof
from choir.ledger.transactions import (
    CreateThread,
    Divest,
    Erase,
    PostMessage,
    ProcessApproval,
    SetPrivacy,
    SubscribePremium,
    Transfer,
    WithdrawSpec,
)
from tests.support.chain import digest
from tests.support.node import Caller, NodeProcess, Wallet, calling

CHOIR = 1_000_000
_names = itertools.count()


@pytest.fixture
async def wallets(caller: Caller) -> tuple[Wallet, Wallet]:
    """Two funded keys that no other test uses."""
    alice, bob = Wallet(caller, f"alice-{next(_names)}"), Wallet(caller, f"bob-{next(_names)}")
    await alice.fund()
    await bob.fund()
    return alice, bob


async def new_thread(wallet: Wallet, privacy: Any = "public") -> str:
    thread_id = digest(f"{wallet.address}-{wallet.nonce}")[:32]
    assert (await wallet.send(CreateThread(thread_id=thread_id, privacy=privacy))).status == 200
    return thread_id


async def balance(caller: Caller, address: str) -> int:
    return int((await caller.get(f"/account/{address}")).data["balance"])


async def test_a_spec_from_stake_to_co_author(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, bob = wallets
    thread_id = digest(alice.address)[:32]
    created = await alice.send(CreateThread(thread_id=thread_id, privacy="public"), path="/thread/create")
    assert (created.status, created.data["name"], created.data["code"]) == (200, "Ok", 0)
    opening = alice.post(thread_id, "# A first thought\n\nIt begins here.")
    assert (await alice.send(opening, "# A first thought\n\nIt begins here.", path="/message/submit")).status == 200

    spec = bob.spec(thread_id, "A second thought.", 250 * CHOIR)
    assert (await bob.send(spec, "A second thought.", path="/message/submit")).status == 200
    assert await balance(caller, bob.address) == 9_750 * CHOIR
    (waiting,) = (await caller.get("/specs", voter=alice.address, status="open")).data["items"]
    assert waiting["spec_id"] == spec.content_hash
    assert (waiting["stake"], waiting["author"]) == (str(250 * CHOIR), bob.address)
    assert (waiting["voters"], waiting["approvals"], waiting["denials"]) == ([alice.address], [], [])
    thread = (await caller.get(f"/thread/{thread_id}")).data
    assert (thread["open_spec_count"], len(thread["open_specs"])) == (1, 1)
    assert thread["co_authors"] == [alice.address]

    vote = ProcessApproval(spec_id=spec.content_hash, approve=True)
    assert (await alice.send(vote, path="/spec/approve")).status == 200
    thread = (await caller.get(f"/thread/{thread_id}")).data
    assert thread["title"] == "A first thought"
    assert thread["co_authors"] == [alice.address, bob.address]
    assert (thread["open_specs"], thread["open_spec_count"], thread["balance"]) == ([], 0, "0")
    assert [message["text"] for message in thread["messages"]["items"]] == [
        "# A first thought\n\nIt begins here.",
        "A second thought.",
    ]
    assert [message["kind"] for message in thread["messages"]["items"]] == ["message", "spec"]
    assert await balance(caller, alice.address) == 10_250 * CHOIR
    (submitted,) = (await caller.get("/specs", author=bob.address)).data["items"]
    assert (submitted["status"], submitted["approvals"]) == ("approved", [alice.address])


async def test_a_denied_spec_fills_the_thread_which_is_divested(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, bob = wallets
    thread_id = await new_thread(alice)
    spec = bob.spec(thread_id, "This does not fit.")
    assert (await bob.send(spec, "This does not fit.")).status == 200
    assert (await alice.send(ProcessApproval(spec_id=spec.content_hash, approve=False))).status == 200
    assert (await caller.get(f"/thread/{thread_id}")).data["balance"] == str(100 * CHOIR)
    (own,) = (await caller.get(f"/account/{alice.address}")).data["threads"]
    assert (own["thread_id"], own["share"], own["divest_ready_at_ms"]) == (thread_id, str(90 * CHOIR), 0)

    taken = await alice.send(Divest(thread_id=thread_id, amount=str(40 * CHOIR)), path="/token/divest")
    assert taken.status == 200
    account = (await caller.get(f"/account/{alice.address}")).data
    assert account["balance"] == str(10_040 * CHOIR)
    assert account["threads"][0]["divest_ready_at_ms"] > taken.data["time_ms"]
    again = await alice.send(Divest(thread_id=thread_id, amount="1"), path="/token/divest")
    assert (again.status, again.error["name"]) == (409, "CooldownActive")
    assert again.body["data"]["name"] == "CooldownActive"  # the receipt of the refusal comes with it


async def test_citing_and_proving(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, bob = wallets
    source, other = await new_thread(alice), await new_thread(bob)
    cited = alice.post(source, "What others build on.")
    assert (await alice.send(cited, "What others build on.")).status == 200
    citing = bob.post(other, "As was said.", (cited.content_hash,))
    sent = await bob.send(citing, "As was said.")
    message = (await caller.get(f"/message/{citing.content_hash}")).data
    assert (message["priors"], message["status"]) == ([cited.content_hash], "approved")

    genesis = msgspec.convert((await caller.get("/genesis")).data, Genesis)
    assert genesis_hash(genesis) == (await caller.get("/network")).data["genesis_hash"]
    raw = (await caller.get(f"/message/{citing.content_hash}/proof")).data
    proof = msgspec.convert(raw, Proof)
    assert proof.content is not None
    assert proof.content.text == "As was said."
    verify_proof(proof, genesis.validators)
    bare = msgspec.convert((await caller.get(f"/proof/{sent.data['tx_hash']}")).data, Proof)
    assert bare.content is None
    verify_proof(bare, genesis.validators)
    forged = msgspec.structs.replace(proof, content=msgspec.structs.replace(proof.content, text="As was not said."))
    with pytest.raises(ProofError):
        verify_proof(forged, genesis.validators)

    committed = (await caller.get(f"/tx/{sent.data['tx_hash']}")).data
    assert committed["receipt"] == sent.data
    assert committed["transaction"]["body"]["content_hash"] == citing.content_hash
    block = (await caller.get(f"/block/{sent.data['height']}")).data
    assert sent.data["tx_hash"] in block["tx_hashes"]


async def all_text(caller: Caller, thread_id: str, content_hash: str, *addresses: str) -> str:
    """Everything that the node tells a stranger of a thread, as one text."""
    threads = [thread for thread in await caller.items("/threads", 100) if thread["thread_id"] == thread_id]
    told = [
        threads,
        (await caller.get(f"/thread/{thread_id}")).body,
        (await caller.get(f"/message/{content_hash}")).body,
        (await caller.get(f"/message/{content_hash}/proof")).body,
        (await caller.get("/specs", thread_id=thread_id)).body,
    ]
    message = (await caller.get(f"/message/{content_hash}")).data
    told.append((await caller.get(f"/tx/{message['tx_hash']}")).body)
    told.append((await caller.get(f"/proof/{message['tx_hash']}")).body)
    told += [(await caller.get(f"/account/{address}")).body for address in addresses]
    return msgspec.json.encode(told).decode()


@pytest.mark.parametrize("level", ["premium", "thread", "encrypted"])
async def test_a_stranger_reads_nothing_of_private_text(
    caller: Caller, wallets: tuple[Wallet, Wallet], level: Any
) -> None:
    alice, bob = wallets
    thread_id = await new_thread(alice)
    message = alice.post(thread_id, "whispered words")
    spec = bob.spec(thread_id, "whispered words too")
    assert (await alice.send(message, "whispered words")).status == 200
    assert (await bob.send(spec, "whispered words too")).status == 200
    assert "whispered" in await all_text(caller, thread_id, message.content_hash)
    assert (await alice.send(SetPrivacy(message_hash=message.content_hash, level=level))).status == 200
    assert (await bob.send(SetPrivacy(message_hash=spec.content_hash, level=level))).status == 200
    for content_hash in (message.content_hash, spec.content_hash):
        told = await all_text(caller, thread_id, content_hash, alice.address, bob.address)
        assert "whispered" not in told
        shown = (await caller.get(f"/message/{content_hash}")).data
        assert (shown["privacy"], shown["text"], shown["salt"]) == (level, None, None)
    assert (await caller.get(f"/thread/{thread_id}")).data["title"] is None
    # The author may take it back to public: nothing was lost.
    assert (await alice.send(SetPrivacy(message_hash=message.content_hash, level="public"))).status == 200
    assert (await caller.get(f"/message/{message.content_hash}")).data["text"] == "whispered words"


async def test_private_from_the_start(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, _ = wallets
    thread_id = await new_thread(alice, "thread")
    message = alice.post(thread_id, "never public")
    assert (await alice.send(message, "never public")).status == 200
    assert "never public" not in await all_text(caller, thread_id, message.content_hash, alice.address)


async def test_erasing_leaves_a_tombstone(
    shared_node: NodeProcess, caller: Caller, wallets: tuple[Wallet, Wallet]
) -> None:
    alice, _ = wallets
    thread_id = await new_thread(alice)
    text = f"words of {alice.address} to forget"
    message = alice.post(thread_id, text)
    submission = alice.submission(message, text)
    assert (await alice.send(message, text)).status == 200
    assert (await alice.send(Erase(message_hash=message.content_hash))).status == 200
    shown = (await caller.get(f"/message/{message.content_hash}")).data
    assert (shown["is_erased"], shown["text"], shown["salt"]) == (True, None, None)
    assert (await caller.get(f"/thread/{thread_id}")).data["title"] is None
    # Posting the same again brings nothing back.
    assert (await caller.post("/tx", submission, wait="final")).status == 200
    assert text not in await all_text(caller, thread_id, message.content_hash, alice.address)
    proof = msgspec.convert((await caller.get(f"/message/{message.content_hash}/proof")).data, Proof)
    assert proof.content is None


async def test_premium_transfer_and_history(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, bob = wallets
    assert (await alice.send(SubscribePremium(periods=2))).status == 200
    sent = await alice.send(Transfer(to=bob.address, amount=str(5 * CHOIR)), path="/token/transfer")
    account = (await caller.get(f"/account/{alice.address}")).data
    assert account["balance"] == str((10_000 - 40 - 5) * CHOIR)
    assert account["nonce"] == 2
    assert account["sponsorship"] == str(40 * CHOIR)
    history = account["history"]["items"]
    assert account["premium_until_ms"] == history[1]["time_ms"] + 2 * 2_592_000_000
    assert [item["type"] for item in history] == ["transferred", "premium_extended", "transferred"]
    assert history[0]["tx_hash"] == sent.data["tx_hash"]
    assert (history[0]["to"], history[0]["amount"]) == (bob.address, str(5 * CHOIR))
    assert (await caller.get(f"/account/{bob.address}")).data["history"]["items"][0] == history[0]


async def test_withdrawing_a_spec(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, bob = wallets
    thread_id = await new_thread(alice)
    spec = bob.spec(thread_id, "On second thoughts")
    assert (await bob.send(spec, "On second thoughts")).status == 200
    assert (await bob.send(WithdrawSpec(spec_id=spec.content_hash))).status == 200
    assert await balance(caller, bob.address) == 10_000 * CHOIR
    (shown,) = (await caller.get("/specs", author=bob.address)).data["items"]
    assert shown["status"] == "withdrawn"
    settled = (await caller.get(f"/account/{bob.address}")).data["history"]["items"][0]
    assert (settled["type"], settled["to_author"]) == ("spec_settled", str(100 * CHOIR))


async def test_every_list_pages_without_gap_or_repeat(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, bob = wallets
    threads = [await new_thread(alice) for _ in range(7)]
    texts = [f"message {number}" for number in range(7)]
    for text in texts:
        assert (await alice.send(alice.post(threads[0], text), text)).status == 200
    specs = []
    for number in range(5):
        text = f"spec {number}"
        specs.append(bob.spec(threads[number], text))
        assert (await bob.send(specs[-1], text)).status == 200
    for limit in (1, 3, 7):
        found = await caller.items("/threads", limit, co_author=alice.address)
        assert [thread["thread_id"] for thread in found] == threads[::-1]
        messages = await caller.items(f"/thread/{threads[0]}", limit)
        assert [message["text"] for message in messages] == texts
        for query in ({"voter": alice.address}, {"author": bob.address}):
            listed = await caller.items("/specs", limit, **query)
            assert [spec["spec_id"] for spec in listed] == [spec.content_hash for spec in specs[::-1]]
        history = await caller.items(f"/account/{alice.address}", limit)
        assert len({item["seq"] for item in history}) == len(history) == 1 + 7 + 7
    every = await caller.items("/threads", 3)
    assert len({thread["thread_id"] for thread in every}) == len(every)


async def test_a_thread_is_read_from_anywhere(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    """From its end, around a message, and from there in both directions, without gap or repeat."""
    alice, _ = wallets
    thread_id = await new_thread(alice)
    texts = [f"place {number}" for number in range(9)]
    for text in texts:
        assert (await alice.send(alice.post(thread_id, text), text)).status == 200

    async def page(**query: Any) -> tuple[list[str], int, str | None, str | None]:
        found = (await caller.get(f"/thread/{thread_id}", **query)).data["messages"]
        shown = [message["text"] for message in found["items"]]
        assert shown == texts[found["position"] : found["position"] + len(shown)]
        return shown, found["position"], found["previous_cursor"], found["next_cursor"]

    shown, position, previous, following = await page(before="end", limit=4)
    assert (shown, position, following) == (texts[5:], 5, None)
    assert (await page(cursor=previous, limit=4))[:3] == (texts[5:], 5, previous)
    shown, position, earlier, following = await page(before=previous, limit=4)
    assert (shown, position, following) == (texts[1:5], 1, previous)
    shown, position, previous, following = await page(before=earlier, limit=4)
    assert (shown, position, previous, following) == (texts[:1], 0, None, earlier)
    for at, text in enumerate(texts):
        for limit in (1, 2, 5, 20):
            shown, _, previous, following = await page(around=alice.hash(thread_id, text), limit=limit)
            assert text in shown
            assert len(shown) <= limit
            assert (previous is None) == (shown[0] == texts[0]), (at, limit)
            assert following is not None or shown[-1] == texts[-1], (at, limit)
    assert (await page(limit=3))[:3] == (texts[:3], 0, None)
    last = (await page(before="end", limit=1))[2]
    assert (await page(cursor=last, limit=3))[:2] == (texts[8:], 8)


async def test_a_place_that_is_none_of_the_threads_is_refused(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, bob = wallets
    thread_id, other_id = await new_thread(alice), await new_thread(bob)
    assert (await bob.send(bob.post(other_id, "elsewhere"), "elsewhere")).status == 200
    assert (await bob.send(bob.spec(thread_id, "undecided"), "undecided")).status == 200
    for text, thread in (("elsewhere", other_id), ("undecided", thread_id)):
        reply = await caller.get(f"/thread/{thread_id}", around=bob.hash(thread, text))
        assert (reply.status, reply.error["name"]) == (404, "NotFound")
    odd: tuple[dict[str, str], ...] = ({"before": "x"}, {"before": ""}, {"cursor": "1", "before": "end"})
    for query in odd:
        reply = await caller.get(f"/thread/{thread_id}", **query)
        assert (reply.status, reply.error["name"]) == (400, "InvalidRequest"), query


async def test_latest_is_an_alias(shared_node: NodeProcess, caller: Caller) -> None:
    async with calling(shared_node.url, "/latest") as latest:
        for path in ("/network", "/genesis", "/threads", "/specs"):
            assert (await latest.get(path)).data == (await caller.get(path)).data


async def test_posting_again_answers_the_first_receipt(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, bob = wallets
    submission = alice.submission(Transfer(to=bob.address, amount="7"))
    first = await caller.post("/tx", submission, wait="final")
    again = await caller.post("/tx", submission, wait="final")
    assert first.data == again.data
    admitted = await caller.post("/tx", submission)
    assert (admitted.status, admitted.data) == (202, {"tx_hash": first.data["tx_hash"]})
    assert await balance(caller, bob.address) == 10_000 * CHOIR + 7


async def test_a_refused_transaction_is_answered_the_same_again(caller: Caller, wallets: tuple[Wallet, Wallet]) -> None:
    alice, _ = wallets
    submission = alice.submission(Divest(thread_id=digest("nowhere")[:32], amount="1"))
    first = await caller.post("/tx", submission, wait="final")
    again = await caller.post("/tx", submission, wait="final")
    assert (first.status, first.error["name"]) == (404, "ThreadUnknown")
    assert (again.status, again.error, again.body["data"]) == (first.status, first.error, first.body["data"])


async def test_admitted_answers_before_the_block_and_final_after_it(
    caller: Caller, wallets: tuple[Wallet, Wallet]
) -> None:
    alice, bob = wallets
    admitted = await alice.send(Transfer(to=bob.address, amount="1"), wait="admitted")
    assert (admitted.status, set(admitted.data)) == (202, {"tx_hash"})
    final = await alice.send(Transfer(to=bob.address, amount="2"), wait="final")
    assert (final.status, final.data["code"]) == (200, 0)
    # The second was final only after the first.
    assert (await caller.get(f"/tx/{admitted.data['tx_hash']}")).data["receipt"]["code"] == 0
    # What is final is in every projection.
    amounts = [item["amount"] for item in (await caller.get(f"/account/{bob.address}")).data["history"]["items"]]
    assert amounts[:2] == ["2", "1"]


BODIES = {
    "create_thread": CreateThread(thread_id=digest("routes")[:32], privacy="public"),
    "process_approval": ProcessApproval(spec_id=digest("routes"), approve=True),
    "divest": Divest(thread_id=digest("routes")[:32], amount="1"),
    "transfer": Transfer(to="4ZtjjeA324MhtpRbGH7kbxEQjtevffV5nSWrANvLNuTP", amount="1"),
    "post_message": PostMessage(thread_id=digest("routes")[:32], content_hash=digest("routes"), priors=()),
    "set_privacy": SetPrivacy(message_hash=digest("routes"), level="thread"),
}
ROUTES = {
    "/thread/create": {"create_thread"},
    "/message/submit": {"post_message"},
    "/spec/approve": {"process_approval"},
    "/token/divest": {"divest"},
    "/token/transfer": {"transfer"},
}


@pytest.mark.parametrize(
    ("path", "kind"), [(path, kind) for path in ROUTES for kind in BODIES if kind not in ROUTES[path]]
)
async def test_named_routes_take_their_own_type_only(caller: Caller, path: str, kind: str) -> None:
    reply = await Wallet(caller, "router").send(BODIES[kind], path=path)
    assert (reply.status, reply.error["name"], reply.error["field"]) == (400, "WrongType", "tx.body.type")


async def test_what_does_not_exist(caller: Caller) -> None:
    for path in (
        f"/thread/{digest('x')[:32]}",
        f"/message/{digest('x')}",
        f"/message/{digest('x')}/proof",
        f"/tx/{digest('x')}",
        f"/proof/{digest('x')}",
        "/block/999999999",
        "/nothing",
    ):
        reply = await caller.get(path)
        assert (reply.status, reply.error["name"]) == (404, "NotFound"), path
    empty = (await caller.get(f"/account/{Wallet(caller, 'unseen').address}")).data
    assert (empty["balance"], empty["nonce"], empty["threads"], empty["history"]["items"]) == ("0", 0, [], [])


async def test_the_faucet_tops_up_once(caller: Caller) -> None:
    wallet = Wallet(caller, "thirsty")
    await wallet.fund()
    again = await caller.post("/faucet", {"address": wallet.address})
    assert (again.status, again.error["name"]) == (409, "FaucetRefused")
    # What the faucet gave is in the history by the time it answers.
    assert (await caller.get(f"/account/{wallet.address}")).data["history"]["items"][0]["type"] == "transferred"


async def test_probes_and_documents(shared_node: NodeProcess) -> None:
    async with calling(shared_node.url, "") as root:
        assert (await root.get("/health/live")).body == {"status": "live"}
        assert (await root.get("/health/ready")).body == {"status": "ready"}
        metrics = (await root.get("/metrics")).body.decode()
        assert "choir_http_requests_total" in metrics
        assert "/v1/network" in metrics or "choir_http_request_seconds" in metrics
        docs = await root.get("/docs")
        assert b"/v1/thread/create" in docs.body
        assert b"<script" not in docs.body


async def test_the_request_id_is_kept_when_it_is_plain(shared_node: NodeProcess, caller: Caller) -> None:
    async with calling(shared_node.url) as other:
        kept = await other._session.get("/v1/network", headers={"X-Request-Id": "trace-12345678"})
        assert kept.headers["X-Request-ID"] == "trace-12345678"
        assert (await kept.json())["metadata"]["request_id"] == "trace-12345678"
        replaced = await other._session.get("/v1/network", headers={"X-Request-Id": 'no"quotes<here>'})
        assert replaced.headers["X-Request-ID"] != 'no"quotes<here>'
