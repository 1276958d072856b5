"""The client: one method per route of the node (design: interfaces, "REST")."""

from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import Any, Final, Self, TypeVar

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
)
from choir.client.transport import RETRY_DELAYS_SECONDS, Transport, encode_body, path_to
from choir.ledger.blocks import Receipt
from choir.ledger.genesis import Genesis
from choir.ledger.proofs import Content, Proof
from choir.ledger.transactions import Transaction

DEFAULT_URL: Final = "http://127.0.0.1:8420"
LARGEST_PAGE: Final = 200
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

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

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

    async def thread(self, thread_id: str, *, cursor: str | None = None, limit: int | None = None) -> Thread:
        """A thread with one page of its messages."""
        return await self._transport.get(path_to("thread", thread_id), Thread, {"cursor": cursor, "limit": limit})

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

    async def genesis(self) -> Genesis:
        return await self._transport.get(path_to("genesis"), Genesis)

    async def block(self, height: int) -> BlockView:
        return await self._transport.get(path_to("block", height), BlockView)
