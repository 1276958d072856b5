"""Questions and requests that are wrong before any transaction is read."""

from typing import Any

import pytest
from yarl import URL

from choir.ledger.errors import Code
from tests.api.test_bad_input import SMALL_ORDER, assert_error
from tests.support.node import Caller, NodeProcess, calling

QUERIES = [
    ("/threads", {"limit": "0"}, Code.InvalidRequest, "limit"),
    ("/threads", {"limit": "201"}, Code.InvalidRequest, "limit"),
    ("/threads", {"limit": "ten"}, Code.InvalidRequest, "limit"),
    ("/threads", {"limit": "9" * 30}, Code.InvalidRequest, "limit"),
    ("/threads", {"cursor": "x"}, Code.InvalidRequest, "cursor"),
    ("/threads", {"cursor": "-1"}, Code.InvalidRequest, "cursor"),
    ("/threads", {"cursor": "9" * 19}, Code.InvalidRequest, "cursor"),
    ("/threads", {"cursor": "٣"}, Code.InvalidRequest, "cursor"),
    ("/threads", {"co_author": "nobody"}, Code.InvalidAddress, "co_author"),
    ("/threads", {"co_author": "a" * 10_000}, Code.InvalidAddress, "co_author"),
    ("/specs", {"voter": "nobody"}, Code.InvalidAddress, "voter"),
    ("/specs", {"author": "nobody"}, Code.InvalidAddress, "author"),
    ("/specs", {"status": "pending"}, Code.InvalidRequest, "status"),
    ("/specs", {"thread_id": "x" * 10_000}, Code.InvalidRequest, "thread_id"),
    ("/account/nobody", {}, Code.InvalidAddress, "address"),
    (f"/account/{SMALL_ORDER}", {}, Code.SmallOrderKey, "address"),
    ("/search", {"q": "fees", "thread": "ab" * 16}, Code.InvalidRequest, "thread"),
    ("/search", {"q": "fees", "since": "2026-01-01"}, Code.InvalidRequest, "since"),
    ("/threads", {"author": "x"}, Code.InvalidRequest, "author"),
    ("/network", {"limit": "5"}, Code.InvalidRequest, "limit"),
    ("/message/" + "ab" * 32, {"content_hash": "ab" * 32}, Code.InvalidRequest, "content_hash"),
    ("/chorus/runs/" + "ab" * 16 + "/events", {"last_event_id": "3"}, Code.InvalidRequest, "last_event_id"),
    ("/account/nobody", {"request": "x"}, Code.InvalidRequest, "request"),
]


@pytest.mark.parametrize(("path", "query", "code", "field"), QUERIES)
async def test_queries_are_bounded(caller: Caller, path: str, query: dict[str, str], code: Code, field: str) -> None:
    reply = await caller.get(path, **query)
    assert_error(reply, code)
    assert reply.error["field"] == field


async def test_an_unknown_parameter_is_told_which_there_are(shared_node: NodeProcess, caller: Caller) -> None:
    for path in ("/specs", "/chorus/runs"):
        reply = await caller.get(path, limits="5")
        assert reply.error["message"].startswith("The request is not of the documented form.")
        assert "'limits'" in reply.error["message"]
        assert "cursor, limit" in reply.error["message"]
    assert "has none" in (await caller.get("/genesis", limit="5")).error["message"]
    async with calling(shared_node.url, "/latest") as other:
        assert_error(await other.get("/threads", limits="5"), Code.InvalidRequest)
    odd = await caller.get("/threads", **{"\u202e" + "x" * 1000: "1"})
    assert_error(odd, Code.InvalidRequest)
    assert "\u202e" not in odd.error["message"]


ODD = ["%00", "%ff", "%ED%A0%80", "%0d%0aX-Injected:%20yes", "..%2f..%2fetc", "a" * 5000, "'--"]
ODD_PATHS = ("thread", "message", "tx", "proof", "account", "block")
ODD_QUERIES = ("threads?cursor", "threads?co_author", "threads?limit", "specs?thread_id", "specs?status", "tx?wait")


@pytest.mark.parametrize("odd", ODD)
async def test_odd_paths_and_queries(shared_node: NodeProcess, caller: Caller, odd: str) -> None:
    """Never our fault, never a header of the caller's making, whatever stands in the address."""
    async with calling(shared_node.url) as other:
        for path in ODD_PATHS:
            response = await other._session.get(_encoded(shared_node, f"/v1/{path}/{odd}"))
            assert response.status in (400, 404), path
            assert "X-Injected" not in response.headers
        for query in (
            "threads?cursor",
            "threads?co_author",
            "threads?limit",
            "specs?thread_id",
            "specs?status",
            "tx?wait",
        ):
            response = await other._session.get(_encoded(shared_node, f"/v1/{query}={odd}"))
            assert response.status in (200, 400, 404, 405), query


def _encoded(node: NodeProcess, path: str) -> Any:
    return URL(node.url + path, encoded=True)


async def test_other_methods(caller: Caller, shared_node: NodeProcess) -> None:
    reply = await caller.get("/tx")
    assert_error(reply, Code.MethodNotAllowed)
    assert set(reply.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
    assert_error(await caller.post("/threads", b"{}"), Code.MethodNotAllowed)
    assert_error(await caller.post("/tx", b"{}", wait="forever"), Code.InvalidRequest)


FAUCET_BODIES: list[tuple[bytes, Code]] = [
    (b"", Code.MalformedJson),
    (b"hello", Code.MalformedJson),
    (b"{}", Code.InvalidField),
    (b'{"address":5}', Code.InvalidField),
    (b'{"address":null}', Code.InvalidField),
    (b'{"address":"nobody"}', Code.InvalidAddress),
    (b'{"address":"\\ud800"}', Code.InvalidUnicode),
    (b'{"address":"\xff"}', Code.InvalidUnicode),
    (b'{"address":"nobody","extra":1}', Code.UnknownField),
    (b'{"address":"nobody","address":"nobody"}', Code.NotCanonical),
    (b'{"address":"%s"}' % SMALL_ORDER.encode(), Code.SmallOrderKey),
]


@pytest.mark.parametrize(("body", "code"), FAUCET_BODIES)
async def test_asking_the_faucet_badly(caller: Caller, body: bytes, code: Code) -> None:
    assert_error(await caller.post("/faucet", body), code)


def test_every_refusal_has_a_sentence_of_its_own() -> None:
    sentences = [code.sentence for code in Code]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") for sentence in sentences)
