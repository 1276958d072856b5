"""The wallet: one key that sends transactions of every type through a client, with its nonce kept here."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from choir.client.client import Client
from choir.client.errors import ApiError, ClientError
from choir.client.signing import make_content, make_thread_id, sign_transaction
from choir.ledger.blocks import Receipt
from choir.ledger.errors import Code
from choir.ledger.proofs import Content, content_hash_of
from choir.ledger.transactions import (
    AnyBody,
    CouncilAction,
    CreateThread,
    Divest,
    Endorse,
    Erase,
    PostMessage,
    PrivacyLevel,
    ProcessApproval,
    Propose,
    SetPrivacy,
    SubmitSpec,
    SubscribePremium,
    Transfer,
    WithdrawSpec,
)
from choir.primitives.signatures import SigningKey

# Before a nonce is asked for again: what somebody else sends with the same key must first be in a block.
_NONCE_PAUSES_SECONDS: Final = (0.0, 0.1, 0.5)


class Sent(NamedTuple):
    """A message or spec that a block holds. A spec's id is its content hash."""

    content_hash: str
    receipt: Receipt


class Wallet:
    """Signs with one key. Transactions of one wallet go out one after the other, each when the one before is final.

    Amounts are in uchoir. Every method raises what ``Client.submit`` raises.
    """

    def __init__(self, key: SigningKey, client: Client, *, chain_id: str | None = None) -> None:
        self._key = key
        self._client = client
        self._chain_id = chain_id
        self._next_nonce: int | None = None
        self._turn = asyncio.Lock()

    @property
    def address(self) -> str:
        return self._key.address

    async def send(self, body: AnyBody, content: Content | None = None) -> Receipt:
        """Sign and submit any body, and wait for its receipt. A nonce that the node does not expect is asked for
        again, a few times."""
        async with self._turn:
            for pause_seconds in _NONCE_PAUSES_SECONDS:
                try:
                    return await self._send_once(body, content)
                except ApiError as error:
                    if error.name != Code.NonceMismatch.name:
                        raise
                await asyncio.sleep(pause_seconds)
            return await self._send_once(body, content)

    async def _send_once(self, body: AnyBody, content: Content | None) -> Receipt:
        if self._chain_id is None:
            self._chain_id = (await self._client.network()).chain_id
        if self._next_nonce is None:
            self._next_nonce = (await self._client.account(self.address, limit=1)).nonce
        tx = sign_transaction(self._key, body, chain_id=self._chain_id, nonce=self._next_nonce)
        try:
            receipt = await self._client.submit(tx, content)
        except (ClientError, asyncio.CancelledError):
            # Whether the nonce is used up depends on how far the transaction came: the node knows.
            self._next_nonce = None
            raise
        self._next_nonce += 1
        return receipt

    async def create_thread(self, thread_id: str | None = None, *, privacy: PrivacyLevel = "public") -> str:
        """Returns the id of the new thread."""
        thread_id = thread_id or make_thread_id()
        await self.send(CreateThread(thread_id=thread_id, privacy=privacy))
        return thread_id

    async def post_message(
        self, thread_id: str, text: str, *, priors: Sequence[str] = (), privacy: PrivacyLevel | None = None
    ) -> Sent:
        content = make_content(self.address, thread_id, text)
        content_hash = content_hash_of(content)
        body = PostMessage(thread_id=thread_id, content_hash=content_hash, priors=tuple(priors), privacy=privacy)
        return Sent(content_hash, await self.send(body, content))

    async def submit_spec(
        self,
        thread_id: str,
        text: str,
        *,
        stake: int,
        priors: Sequence[str] = (),
        privacy: PrivacyLevel | None = None,
    ) -> Sent:
        content = make_content(self.address, thread_id, text)
        content_hash = content_hash_of(content)
        body = SubmitSpec(
            thread_id=thread_id, content_hash=content_hash, stake=str(stake), priors=tuple(priors), privacy=privacy
        )
        return Sent(content_hash, await self.send(body, content))

    async def vote(self, spec_id: str, *, approve: bool) -> Receipt:
        return await self.send(ProcessApproval(spec_id=spec_id, approve=approve))

    async def withdraw_spec(self, spec_id: str) -> Receipt:
        return await self.send(WithdrawSpec(spec_id=spec_id))

    async def divest(self, thread_id: str, amount: int) -> Receipt:
        return await self.send(Divest(thread_id=thread_id, amount=str(amount)))

    async def transfer(self, to: str, amount: int) -> Receipt:
        return await self.send(Transfer(to=to, amount=str(amount)))

    async def set_privacy(self, message_hash: str, level: PrivacyLevel) -> Receipt:
        return await self.send(SetPrivacy(message_hash=message_hash, level=level))

    async def erase(self, message_hash: str) -> Receipt:
        return await self.send(Erase(message_hash=message_hash))

    async def subscribe_premium(self, periods: int) -> Receipt:
        return await self.send(SubscribePremium(periods=periods))

    async def propose(self, action: CouncilAction) -> Receipt:
        """The proposal's id is the receipt's ``tx_hash``."""
        return await self.send(Propose(action=action))

    async def endorse(self, proposal_id: str) -> Receipt:
        return await self.send(Endorse(proposal_id=proposal_id))
