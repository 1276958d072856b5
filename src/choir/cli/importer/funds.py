"""Keeping the authors' wallets able to pay their stakes, from the development faucet."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from choir.cli.importer.tally import Tally
from choir.client import Client
from choir.primitives.amounts import format_choir


class Unfunded(Exception):
    """A wallet lacks its stake and there is no faucet to fill it."""


class Funds:
    """What each wallet has left for further stakes, in uchoir: a lower bound, since co-authors also earn."""

    def __init__(self, client: Client, tally: Tally, *, stake: int, has_faucet: bool) -> None:
        self.stake = stake
        self._client = client
        self._tally = tally
        self._has_faucet = has_faucet
        self._free: dict[str, int] = {}
        self._on_the_way: dict[str, int] = defaultdict(int)
        self._turns: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def reserve(self, address: str) -> AsyncIterator[None]:
        """Hold one stake for a spec that the block sends. Raises ``Unfunded`` and what the client raises."""
        async with self._turns[address]:
            if self._free.get(address, 0) < self.stake:
                await self._fill(address)
            self._free[address] -= self.stake
            self._on_the_way[address] += self.stake
        try:
            yield
        finally:
            self._on_the_way[address] -= self.stake

    async def _fill(self, address: str) -> None:
        """Learn the balance, and have it topped up when it is too small."""
        balance = int((await self._client.account(address, limit=1)).balance)
        if balance - self._on_the_way[address] < self.stake:
            if not self._has_faucet:
                raise Unfunded(
                    f"{address} has {format_choir(balance)} CHOIR, a spec's stake is {format_choir(self.stake)}, and "
                    "this chain has no faucet: transfer CHOIR to it and import again"
                )
            balance += int((await self._client.faucet(address)).amount)
            self._tally.add("faucet_grants")
        self._free[address] = balance - self._on_the_way[address]
