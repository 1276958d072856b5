"""The client: one method per route of the node (design: interfaces, "REST")."""

import base64
from collections.abc import AsyncIterator, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import msgspec

from choir.client.chorus import Chorus
from choir.client.live import Live
from choir.client.memory_models import (
    AuditEntry,
    Challenge,
    Citations,
    SearchAnswer,
    Session,
    SignedOut,
    Suggestion,
    WrappedKey,
)
from choir.client.models import (
    Account,
    Admitted,
    BlockView,
    CommittedTransaction,
    FaucetGrant,
    Message,
    Network,
    Page,
    Spec,
    Status,
    Thread,
    ThreadSummary,
    Validator,
)
from choir.client.signing import sign_challenge
from choir.client.transport import RETRY_DELAYS_SECONDS, Transport, encode_body, path_to
from choir.coherence.records import EpochRecord
from choir.ledger.blocks import Receipt
from choir.ledger.genesis import Genesis
from choir.ledger.proofs import Content, Proof
from choir.ledger.transactions import PrivacyLevel, Transaction
from choir.primitives.queries import cut_query
from choir.primitives.signatures import SigningKey

DEFAULT_URL: Final = "http://127.0.0.1:8420"
LARGEST_PAGE: Final = 200
LIVE_CAPACITY: Final = 1024
A = TypeVar("A")


class Client:
    """A connection to one node, used as ``async with Client(…) as client``.

    Every method raises ``ApiError`` when the node refuses and ``NodeUnreachable`` when no node answers.
    ``retry_delays_seconds`` are the pauses before the second, third, … try of what may safely be asked again;
    an empty sequence turns retrying off.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        timeout_seconds: float = 30.0,
        retry_delays_seconds: Sequence[float] = RETRY_DELAYS_SECONDS,
        connection_limit: int = 100,
    ) -> None:
        self._transport = Transport(
            base_url,
            timeout_seconds=timeout_seconds,
            retry_delays_seconds=retry_delays_seconds,
            connection_limit=connection_limit,
        )
        self.chorus = Chorus(self._transport)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def sign_in(self, key: SigningKey) -> Session:
        """Sign the node's challenge; from here on every request speaks for the key's account, until `sign_out`."""
        body = encode_body({"address": key.address})
        challenge = await self._transport.post(path_to("auth", "challenge"), body, Challenge, is_idempotent=True)
        signature = sign_challenge(key, challenge.message, challenge.nonce, self._transport.base_url)
        login = {"address": key.address, "nonce": challenge.nonce, "signature": signature}
        # A challenge is good for one attempt, so this one is not repeated.
        session = await self._transport.post(path_to("auth", "login"), encode_body(login), Session, is_idempotent=False)
        self._transport.token = session.token
        return session

    def use_session(self, token: str) -> None:
        """Speak for the account of a session that was opened elsewhere."""
        self._transport.token = token

    async def sign_out(self) -> bool:
        """End the session. Whether there still was one."""
        if self._transport.token is None:
            return False
        try:
            answer = await self._transport.post(path_to("auth", "logout"), b"", SignedOut, is_idempotent=True)
        finally:
            self._transport.token = None
        return answer.was_signed_in

    def live(self, key: SigningKey | None = None, *, capacity: int = LIVE_CAPACITY) -> Live:
        """A live connection, used as ``async with client.live() as live``. It speaks for the signed-in account; with
        ``key`` it signs in by itself, also when the session ends meanwhile. ``capacity`` is how many updates wait for
        the reader before the node is asked to send later ones again."""
        return Live(self._transport, None if key is None else partial(self.sign_in, key), capacity=capacity)

    async def search(
        self,
        query: str,
        *,
        k: int | None = None,
        thread_id: str | None = None,
        author: str | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        privacy: PrivacyLevel | None = None,
    ) -> SearchAnswer:
        """The k (1…100, 10 if not given) best messages that the asker may find; ``since_ms`` ≤ time < ``until_ms``.
        A query beyond 8,192 characters is cut before it is sent, and the answer says so."""
        words, is_cut = cut_query(query)
        params = {
            "q": words,
            "k": k,
            "thread_id": thread_id,
            "author": author,
            "since_ms": since_ms,
            "until_ms": until_ms,
            "privacy": privacy,
        }
        found = await self._transport.get(path_to("search"), SearchAnswer, params)
        return msgspec.structs.replace(found, query_cut=found.query_cut or is_cut)

    async def suggest_priors(self, draft: str, *, k: int = 10) -> tuple[Suggestion, ...]:
        """At most k (1…100) messages that a draft might cite, best first."""
        body = encode_body({"text": draft, "k": k})
        path = path_to("priors", "suggest")
        return await self._transport.post(path, body, tuple[Suggestion, ...], is_idempotent=True)

    async def submit(self, tx: Transaction, content: Content | None = None) -> Receipt:
        """Post a signed transaction and wait until a block holds it. A refusal raises ``ApiError``; where its
        ``receipt`` is set, the refusal itself is in a block and the nonce is used up."""
        return await self._post_transaction(tx, content, "final", Receipt)

    async def admit(self, tx: Transaction, content: Content | None = None) -> str:
        """Post a signed transaction without waiting for a block. Returns its hash."""
        return (await self._post_transaction(tx, content, "admitted", Admitted)).tx_hash

    async def _post_transaction(self, tx: Transaction, content: Content | None, wait: str, answer: type[A]) -> A:
        body: dict[str, Any] = {"tx": tx}
        if content is not None:
            body["content"] = {"salt": content.salt, "text": content.text}
        return await self._transport.post(
            path_to("tx"), encode_body(body), answer, query={"wait": wait}, is_idempotent=True
        )

    async def transaction(self, tx_hash: str) -> CommittedTransaction:
        return await self._transport.get(path_to("tx", tx_hash), CommittedTransaction)

    async def proof(self, tx_hash: str) -> Proof:
        """The inclusion proof of a transaction."""
        return await self._transport.get(path_to("proof", tx_hash), Proof)

    async def message(self, content_hash: str) -> Message:
        return await self._transport.get(path_to("message", content_hash), Message)

    async def message_proof(self, content_hash: str) -> Proof:
        """The inclusion proof of a message, with its content where the asker may read it."""
        return await self._transport.get(path_to("message", content_hash, "proof"), Proof)

    async def citations(self, content_hash: str, *, cursor: str | None = None, limit: int | None = None) -> Citations:
        """What a message cites, and one page of what cites it."""
        path = path_to("message", content_hash, "citations")
        return await self._transport.get(path, Citations, {"cursor": cursor, "limit": limit})

    async def audit(self, thread_id: str, *, cursor: str | None = None, limit: int | None = None) -> Page[AuditEntry]:
        """Who read or tried to read what is not public in a thread, newest first. For its signed-in co-authors."""
        path = path_to("thread", thread_id, "audit")
        return await self._transport.get(path, Page[AuditEntry], {"cursor": cursor, "limit": limit})

    async def thread_key(self, thread_id: str) -> bytes:
        """A private thread's content key, in a sealed box that only the signed-in co-author's key opens."""
        found = await self._transport.get(path_to("thread", thread_id, "key"), WrappedKey)
        return base64.b64decode(found.wrapped)

    async def thread(
        self,
        thread_id: str,
        *,
        cursor: str | None = None,
        before: str | None = None,
        around: str | None = None,
        limit: int | None = None,
    ) -> Thread:
        """A thread with one page of its messages: from its beginning, after ``cursor``, up to ``before`` (a page's
        ``previous_cursor``, or ``"end"`` for the newest), or ``around`` the message of that hash."""
        query = {"cursor": cursor, "before": before, "around": around, "limit": limit}
        return await self._transport.get(path_to("thread", thread_id), Thread, query)

    async def thread_messages(self, thread_id: str) -> AsyncIterator[Message]:
        """Every message of a thread, in order."""
        cursor: str | None = None
        while True:
            page = (await self.thread(thread_id, cursor=cursor, limit=LARGEST_PAGE)).messages
            for message in page.items:
                yield message
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def threads(
        self, *, co_author: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Page[ThreadSummary]:
        """Threads, newest first."""
        params = {"co_author": co_author, "cursor": cursor, "limit": limit}
        return await self._transport.get(path_to("threads"), Page[ThreadSummary], params)

    async def specs(
        self,
        *,
        voter: str | None = None,
        author: str | None = None,
        thread_id: str | None = None,
        status: Status | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> Page[Spec]:
        """Specs by who may vote on them, who wrote them, or where."""
        params = {
            "voter": voter,
            "author": author,
            "thread_id": thread_id,
            "status": status,
            "cursor": cursor,
            "limit": limit,
        }
        return await self._transport.get(path_to("specs"), Page[Spec], params)

    async def account(self, address: str, *, cursor: str | None = None, limit: int | None = None) -> Account:
        """An account with one page of its history."""
        return await self._transport.get(path_to("account", address), Account, {"cursor": cursor, "limit": limit})

    async def faucet(self, address: str) -> FaucetGrant:
        """Development CHOIR: tops the wallet up. Not asked again after a broken connection: it may have paid."""
        body = encode_body({"address": address})
        return await self._transport.post(path_to("faucet"), body, FaucetGrant, is_idempotent=False)

    async def network(self) -> Network:
        return await self._transport.get(path_to("network"), Network)

    async def validators(self) -> tuple[Validator, ...]:
        """The validators, with their scores as the node has measured them."""
        return await self._transport.get(path_to("validators"), tuple[Validator, ...])

    async def epochs(self, *, cursor: str | None = None, limit: int | None = None) -> Page[EpochRecord]:
        """The epochs that the node has measured, newest first."""
        return await self._transport.get(path_to("epochs"), Page[EpochRecord], {"cursor": cursor, "limit": limit})

    async def genesis(self) -> Genesis:
        return await self._transport.get(path_to("genesis"), Genesis)

    async def block(self, height: int) -> BlockView:
        return await self._transport.get(path_to("block", height), BlockView)
