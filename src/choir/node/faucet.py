"""The development faucet: an ordinary account whose key the node holds, which tops wallets up."""

import asyncio
from typing import Final

import msgspec

from choir.engine.protocol import Engine
from choir.ledger.entities import ACCOUNTS
from choir.ledger.envelope import parse_transaction
from choir.ledger.errors import BY_NUMBER, OK_CODE, Code, Rejected, reject
from choir.ledger.transactions import Transaction, Transfer, canonical_bytes, signing_bytes
from choir.primitives.amounts import UCHOIR_PER_CHOIR
from choir.primitives.signatures import SigningKey

FULL_WALLET: Final = 10_000 * UCHOIR_PER_CHOIR


class Faucet:
    """Implements `choir.api.services.FaucetPort`. Its transactions go out one at a time, in the order of its nonce."""

    def __init__(self, engine: Engine, key: SigningKey) -> None:
        self._engine = engine
        self._key = key
        self._turn = asyncio.Lock()

    async def give(self, address: str) -> tuple[str, int]:
        """Top ``address`` up to 10,000 CHOIR; returns the transaction's hash and the amount in uchoir."""
        async with self._turn:
            with self._engine.read() as state:
                account = state.get(ACCOUNTS, address)
                own = state.get(ACCOUNTS, self._key.address)
            missing = FULL_WALLET - (0 if account is None else account.balance)
            if missing <= 0:
                reject(Code.FaucetRefused, "It has 10,000 CHOIR or more.")
            if own is None or own.balance < missing:
                reject(Code.FaucetRefused, "The faucet is empty.")
            tx_hash = await self._send(address, missing, own.nonce)
        return tx_hash, missing

    async def _send(self, address: str, amount: int, nonce: int) -> str:
        body = Transfer(to=address, amount=str(amount))
        chain_id = self._engine.genesis.chain_id
        unsigned = Transaction(body=body, chain_id=chain_id, nonce=nonce, sender=self._key.address)
        signed = msgspec.structs.replace(unsigned, signature=self._key.sign(signing_bytes(unsigned)))
        admission = await self._engine.submit(parse_transaction(canonical_bytes(signed)))
        receipt = await admission.receipt
        if receipt.code != OK_CODE:
            raise Rejected(BY_NUMBER[receipt.code], receipt.detail)
        return receipt.tx_hash
