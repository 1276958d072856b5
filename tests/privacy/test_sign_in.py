"""Sign-in, limits and the audit log over HTTP, as an attacker tries them."""

from pathlib import Path
from typing import Any

import pytest

from choir.api.sessions import CHALLENGE_MS, SESSION_MS, format_challenge
from choir.ledger.transactions import SetPrivacy, SubscribePremium
from choir.memory.audit import COALESCE_MS
from tests.privacy.world import AsgiCaller, MovingClock, Person, World, running_world, sign_in
from tests.support.chain import digest, key

ANN, BEN = key("ann"), key("ben")


async def challenge(world: World, address: str = ANN.address) -> dict[str, Any]:
    found: dict[str, Any] = (await world.stranger.post("/auth/challenge", {"address": address})).data
    return found


async def login(world: World, address: str, nonce: str, signature: str) -> tuple[int, str]:
    body = {"address": address, "nonce": nonce, "signature": signature}
    reply = await world.stranger.post("/auth/login", body)
    return reply.status, reply.body["error"]["name"] if reply.body["error"] else "Ok"


async def test_a_challenge_works_once_and_only_for_its_owner(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node") as world:
        given = await challenge(world)
        signature = ANN.sign(given["message"].encode())
        assert await login(world, BEN.address, given["nonce"], signature) == (401, "SignInFailed")
        assert await login(world, BEN.address, given["nonce"], BEN.sign(given["message"].encode())) == (
            401,
            "SignInFailed",
        )
        assert await login(world, ANN.address, given["nonce"], signature) == (200, "Ok")
        assert await login(world, ANN.address, given["nonce"], signature) == (401, "SignInFailed")  # replayed
        foreign = await challenge(world)
        assert await login(world, ANN.address, foreign["nonce"], BEN.sign(foreign["message"].encode())) == (
            401,
            "SignInFailed",
        )
        # A wrong try uses the challenge up.
        right = ANN.sign(foreign["message"].encode())
        assert await login(world, ANN.address, foreign["nonce"], right) == (401, "SignInFailed")


async def test_a_signature_for_another_chain_or_site_is_refused(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node", domain="choir.example") as world:
        for domain, chain in (
            ("choir.example", "other-chain"),
            ("evil.example", "choir-dev"),
            ("choir.example:1", "choir-dev"),
        ):
            given = await challenge(world)
            issued_ms = given["expires_at_ms"] - CHALLENGE_MS
            assert given["message"] == format_challenge(
                "choir.example", "choir-dev", ANN.address, given["nonce"], issued_ms
            )
            other = format_challenge(domain, chain, ANN.address, given["nonce"], issued_ms)
            assert await login(world, ANN.address, given["nonce"], ANN.sign(other.encode())) == (401, "SignInFailed")


async def test_a_token_of_another_node_opens_nothing(tmp_path: Path) -> None:
    async with running_world(tmp_path / "one") as one, running_world(tmp_path / "two") as two:
        token = await sign_in(one.stranger, ANN)
        assert (await AsgiCaller(one.client, token).get("/threads")).status == 200
        assert (await AsgiCaller(two.client, token).get("/threads")).status == 401
        given = await challenge(one)
        assert await login(two, ANN.address, given["nonce"], ANN.sign(given["message"].encode())) == (
            401,
            "SignInFailed",
        )


async def test_challenges_and_sessions_end_with_their_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = MovingClock()
    monkeypatch.setattr("choir.node.node.wall_clock_ms", clock)
    async with running_world(tmp_path / "node", clock=clock) as world:
        given = await challenge(world)
        clock.skipped_ms += CHALLENGE_MS
        assert await login(world, ANN.address, given["nonce"], ANN.sign(given["message"].encode())) == (
            401,
            "SignInFailed",
        )
        asks = AsgiCaller(world.client, await sign_in(world.stranger, ANN))
        assert (await asks.get("/threads")).status == 200
        clock.skipped_ms += SESSION_MS
        assert (await asks.get("/threads")).error["name"] == "NotSignedIn"


async def test_signing_out_ends_the_session_everywhere(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node") as world:
        ann = await world.person("ann")
        thread_id = await world.new_thread(ann, "thread")
        message = ann.post(thread_id, "quiet words")
        await ann.must(message, "quiet words")
        other = AsgiCaller(world.client, await sign_in(world.stranger, ann.key))
        assert "quiet words" in (await ann.asks.get(f"/message/{message.content_hash}")).raw
        assert (await ann.asks.post("/auth/logout", {})).data == {"was_signed_in": True}
        for path in (
            f"/message/{message.content_hash}",
            f"/thread/{thread_id}",
            "/threads",
            "/specs",
            "/search?q=quiet",
        ):
            reply = await ann.asks.get(path)
            assert (reply.status, reply.error["name"]) == (401, "NotSignedIn"), path
            assert "quiet words" not in reply.raw
        assert (await ann.asks.post("/auth/logout", {})).data == {"was_signed_in": False}
        assert (await other.get(f"/thread/{thread_id}/audit")).status == 200  # her other session goes on


MALFORMED = [
    "",
    "Bearer",
    "Bearer ",
    "Basic YW5uOmFubg==",
    "Bearer x",
    "Bearer null",
    "Bearer " + "A" * 43,
    "Bearer " + "A" * 5_000,
    "Bearer é",
    "Bearer \u0000",
    "Bearer ' OR 1=1 --",
    "Bearer a b",
    "Token " + "A" * 43,
]


async def test_a_malformed_header_is_refused_not_ignored(tmp_path: Path) -> None:
    """Refused, since who sends one believes to be signed in; and never a failure of the node's own."""
    async with running_world(tmp_path / "node") as world:
        for header in MALFORMED:
            raw: Any = {"Authorization": header.encode()}
            for path in ("/threads", "/specs", "/search?q=x", f"/thread/{digest('t')[:32]}/audit"):
                reply = await world.stranger.get(path, headers=raw)
                assert (reply.status, reply.error["name"]) == (401, "NotSignedIn"), (path, header)
            reply = await world.stranger.post("/auth/logout", {}, headers=raw)
            assert reply.status == 401 or reply.data == {"was_signed_in": False}


async def test_searches_are_limited_by_account_and_by_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = MovingClock()
    monkeypatch.setattr("choir.node.node.wall_clock_ms", clock)
    async with running_world(tmp_path / "node", searches_per_hour=3, clock=clock) as world:
        ann, ben = await world.person("ann"), await world.person("ben")
        for asks in (ann.asks, ben.asks, world.stranger):
            statuses = [(await asks.get("/search", q="word")).status for _ in range(2)]
            statuses.append((await asks.post("/priors/suggest", {"text": "word"})).status)  # one limit for both
            assert statuses == [200, 200, 200]
            refused = await asks.get("/search", q="word")
            assert (refused.status, refused.error["name"]) == (429, "TooManyRequests")
            assert 1 <= int(refused.headers["Retry-After"]) <= 1_200
            assert refused.error["retry_after"] == int(refused.headers["Retry-After"])
        # Another session is no other account, and a cached answer is a search as well.
        again = AsgiCaller(world.client, await sign_in(world.stranger, ann.key))
        assert (await again.get("/search", q="word")).status == 429
        clock.skipped_ms += 1_200_000
        assert (await ann.asks.get("/search", q="word")).status == 200
        assert (await ann.asks.get("/search", q="word")).status == 429


async def test_what_is_refused_uses_no_search_up(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node", searches_per_hour=1) as world:
        refused = [
            {"q": " "},
            {"q": "\u2800"},
            {"q": "word", "k": 0},
            {"q": "word", "k": "x"},
            {"q": "word", "author": "x"},
        ]
        refused += [
            {"q": "word", "privacy": "encrypted"},
            {"q": "word", "thread_id": "x"},
            {"q": "word", "since": 1},
            {},
        ]
        for query in refused:
            assert (await world.stranger.get("/search", **query)).status == 400, query
        for body in ({"text": ""}, {"text": "\ufe0f"}, {"text": "word", "k": 0}, {"text": "鱼" * 65_536}):
            assert (await world.stranger.post("/priors/suggest", body)).status == 400, body
        assert (await world.stranger.get("/search", q="word")).status == 200
        assert (await world.stranger.get("/search", q="word")).status == 429


async def test_a_draft_is_as_long_as_a_text_may_be(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node") as world:
        for text in ("x" * 65_536, "鱼" * 21_845):
            assert (await world.stranger.post("/priors/suggest", {"text": text})).status == 200
        for text in ("鱼" * 21_846, "鱼" * 65_536):
            refused = await world.stranger.post("/priors/suggest", {"text": text})
            assert (refused.error["name"], refused.error["field"]) == ("TextTooLong", "text")
            assert f"{3 * len(text)} bytes" in refused.error["message"]


@pytest.fixture
def within_an_hour(monkeypatch: pytest.MonkeyPatch) -> MovingClock:
    """It begins with a new hour: the log has equal looks together by the hour."""
    clock = MovingClock()
    clock.skipped_ms = -clock() % COALESCE_MS
    monkeypatch.setattr("choir.node.node.wall_clock_ms", clock)
    return clock


async def audit(asks: AsgiCaller, thread_id: str) -> set[tuple[str | None, bool, int]]:
    items = (await asks.get(f"/thread/{thread_id}/audit")).data["items"]
    return {(item["viewer"], item["is_allowed"], item["times"]) for item in items}


async def begin_audit(world: World) -> tuple[Person, Person, str, str]:
    ann, sam = await world.person("ann"), await world.person("sam")
    thread_id = await world.new_thread(ann, "thread")
    message = ann.post(thread_id, "quiet words")
    await ann.must(message, "quiet words")
    await world.indexed()
    return ann, sam, thread_id, message.content_hash


async def test_every_look_at_private_content_is_in_the_log(tmp_path: Path, within_an_hour: MovingClock) -> None:
    async with running_world(tmp_path / "node", clock=within_an_hour) as world:
        ann, sam, thread_id, content_hash = await begin_audit(world)
        for rest in (f"/message/{content_hash}", f"/message/{content_hash}/proof", f"/thread/{thread_id}"):
            for asks in (world.stranger, sam.asks, ann.asks):
                assert (await asks.get(rest)).status == 200
        assert (await ann.asks.get("/search", q="quiet words")).data["hits"]
        assert not (await sam.asks.get("/search", q="quiet words")).data["hits"]
        assert await audit(ann.asks, thread_id) == {(None, False, 3), (sam.address, False, 3), (ann.address, True, 4)}
        assert (await world.stranger.get(f"/message/{content_hash}/citations")).status == 200
        assert (None, False, 4) in await audit(ann.asks, thread_id)


async def test_premium_reads_are_in_the_log(tmp_path: Path, within_an_hour: MovingClock) -> None:
    async with running_world(tmp_path / "node", clock=within_an_hour) as world:
        ann, sam, thread_id, content_hash = await begin_audit(world)
        await ann.must(SetPrivacy(message_hash=content_hash, level="premium"))
        await sam.must(SubscribePremium(periods=1))
        assert (await sam.asks.get(f"/message/{content_hash}")).data["text"] == "quiet words"
        assert await audit(ann.asks, thread_id) == {(sam.address, True, 1)}


async def test_only_co_authors_read_the_log(tmp_path: Path) -> None:
    async with running_world(tmp_path / "node") as world:
        _, sam, thread_id, content_hash = await begin_audit(world)
        await sam.asks.get(f"/message/{content_hash}")
        await sam.must(SubscribePremium(periods=1))
        nowhere = digest("nowhere")[:32]
        for query in ("", "?limit=5", "?cursor=1", "?cursor=no"):
            real = await sam.asks.get(f"/thread/{thread_id}/audit{query}")
            unknown = await sam.asks.get(f"/thread/{nowhere}/audit{query}")
            assert real.shape == unknown.shape
            assert (real.status, real.error["name"]) == (404, "NotFound")
        assert (await world.stranger.get(f"/thread/{thread_id}/audit")).status == 401
