"""Sending a plan: many proposals at a time, each one's messages in order, whatever exists skipped."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from choir.cli.importer.funds import Funds
from choir.cli.importer.plan import Plan, PlannedThread
from choir.cli.importer.tally import Summary, Tally
from choir.cli.importer.threads import ThreadImport
from choir.client import Client, Wallet
from choir.ledger.proofs import Content
from choir.ledger.transactions import AnyBody
from choir.primitives.signatures import SigningKey

# Enough to fill the node's group commits; each proposal has one transaction under way at a time.
PROPOSALS_AT_A_TIME: Final = 48


class Stopped(Exception):
    """The import was asked to end; nothing more is sent."""


class Import:
    """One run of a plan. ``keys`` are by address; ``advance`` is told of every message that is done."""

    def __init__(
        self,
        client: Client,
        plan: Plan,
        keys: Mapping[str, SigningKey],
        *,
        chain_id: str,
        stake: int,
        has_faucet: bool,
        tally: Tally,
        advance: Callable[[], None],
    ) -> None:
        self.client = client
        self.plan = plan
        self.tally = tally
        self.advance = advance
        self.funds = Funds(client, tally, stake=stake, has_faucet=has_faucet)
        self.wallets = {address: Wallet(key, client, chain_id=chain_id) for address, key in keys.items()}
        self._is_stopping = False
        self._settled = {thread.abstract_hash: asyncio.Event() for thread in plan.threads}
        self._citable: set[str] = set()

    def stop(self) -> None:
        """Send nothing more; what is under way comes to its end."""
        self._is_stopping = True

    async def run(self) -> Summary:
        """Send everything. Raises ``ClientError`` when the node is lost; the same import run again goes on."""
        # Workers take proposals in an order in which each follows what it cites, so whoever waits for a citation
        # waits for a proposal that another worker already has.
        queue = iter(self.plan.threads)

        async def work() -> None:
            for thread in queue:
                try:
                    await self._import_thread(thread)
                except Stopped:
                    return

        # Not a task group: it would cancel its tasks when one fails, and what they had sent would still reach the
        # ledger, behind the back of the run that goes on from here.
        workers = [work() for _ in range(PROPOSALS_AT_A_TIME)]
        for outcome in await asyncio.gather(*workers, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        return self.tally.summarize(self.plan.problems, is_interrupted=self._is_stopping)

    async def _import_thread(self, thread: PlannedThread) -> None:
        try:
            await ThreadImport(self, thread).run()
            self.tally.add("proposals")
        except BaseException:
            # First this, so that those who wait for the abstract stop instead of going on without citing it.
            self.stop()
            raise
        finally:
            self._settled[thread.abstract_hash].set()

    async def send(self, address: str, body: AnyBody, content: Content | None = None) -> None:
        """Sign and submit one transaction. Raises ``ApiError`` when it is refused, ``Stopped`` when it may not go."""
        if self._is_stopping:
            raise Stopped
        await self.wallets[address].send(body, content)
        self.tally.add("transactions")

    def note_citable(self, content_hash: str) -> None:
        """The message is on the ledger: whoever waits to cite it may."""
        self._citable.add(content_hash)
        if content_hash in self._settled:
            self._settled[content_hash].set()

    async def wait_for(self, priors: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the priors that can be cited, once that is known of all."""
        for prior in priors:
            await self._settled[prior].wait()
        return tuple(prior for prior in priors if prior in self._citable)
