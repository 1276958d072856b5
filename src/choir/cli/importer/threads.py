"""One proposal's way onto the ledger: create the thread, then section by section, skipping what is there."""

import asyncio
from typing import TYPE_CHECKING, Final

from choir.cli.importer.funds import Unfunded
from choir.cli.importer.plan import PlannedMessage, PlannedThread
from choir.client import ApiError
from choir.client.models import Spec
from choir.ledger.errors import Code
from choir.ledger.proofs import Content
from choir.ledger.transactions import AnyBody, CreateThread, PostMessage, ProcessApproval, SubmitSpec

if TYPE_CHECKING:
    from choir.cli.importer.run import Import


_DONE_ALREADY: Final = frozenset(
    code.name for code in (Code.ThreadExists, Code.MessageExists, Code.AlreadyVoted, Code.SpecClosed)
)


class _Behind(Exception):
    """What an earlier run sent was still under way when this one looked: look again."""


class ThreadImport:
    """One proposal's way onto the ledger."""

    def __init__(self, run: "Import", planned: PlannedThread) -> None:
        self._run = run
        self._planned = planned
        self._co_authors: list[str] = []
        self._approved: set[str] = set()
        self._open: dict[str, Spec] = {}
        self._is_certain = False

    async def run(self) -> None:
        if await self._find():
            self._run.tally.add("skipped")
        elif not await self._create():
            return
        for message in self._planned.messages:
            if await self._import(message):
                self._run.note_citable(message.content_hash)
            self._run.advance()

    async def _find(self) -> bool:
        """Learn what the node has of this thread; False when it has none of it."""
        try:
            found = await self._run.client.thread(self._planned.thread_id, limit=1)
        except ApiError as error:
            if error.http_status != Code.NotFound.http_status:
                raise
            return False
        self._co_authors = list(found.co_authors)
        self._open = {spec.spec_id: spec for spec in found.open_specs}
        self._approved = {
            message.content_hash async for message in self._run.client.thread_messages(self._planned.thread_id)
        }
        return True

    async def _create(self) -> bool:
        creator = self._planned.messages[0].content.author
        body = CreateThread(thread_id=self._planned.thread_id, privacy="public")
        try:
            if not await self._try(creator, body, None, "create the thread"):
                return False
        except _Behind:
            return await self._find()
        self._co_authors = [creator]
        self._run.tally.add("threads")
        return True

    async def _import(self, message: PlannedMessage) -> bool:
        """Bring one message to the ledger, unless it is there; whether it is in the end."""
        self._is_certain = False
        try:
            return await self._import_once(message)
        except _Behind:
            self._is_certain = True
            await self._find()
            return await self._import_once(message)

    async def _import_once(self, message: PlannedMessage) -> bool:
        if message.content_hash in self._approved:
            self._run.tally.add("skipped")
            return True
        return await (self._import_spec(message) if message.is_spec else self._post(message))

    async def _post(self, message: PlannedMessage) -> bool:
        priors = await self._run.wait_for(message.priors)
        body = PostMessage(thread_id=self._planned.thread_id, content_hash=message.content_hash, priors=priors)
        if not await self._try(message.content.author, body, message.content, "post a section"):
            return False
        self._run.tally.add("messages")
        self._run.tally.add("citations", len(priors))
        return True

    async def _import_spec(self, message: PlannedMessage) -> bool:
        """Submit it unless it is open already, and have every co-author approve it."""
        found = self._open.get(message.content_hash)
        if found is None and not await self._submit(message):
            return False
        voters = list(self._co_authors) if found is None else list(found.voters)
        voted = () if found is None else (*found.approvals, *found.denials)
        missing = [voter for voter in voters if voter not in voted]
        # All votes come to their end, even when one finds that the import is to stop.
        votes = await asyncio.gather(
            *(self._approve(voter, message.content_hash) for voter in missing), return_exceptions=True
        )
        for vote in votes:
            if isinstance(vote, BaseException):
                raise vote
        if not all(votes):
            return False
        self._co_authors.append(message.content.author)
        return True

    async def _submit(self, message: PlannedMessage) -> bool:
        author = message.content.author
        body = SubmitSpec(
            thread_id=self._planned.thread_id,
            content_hash=message.content_hash,
            stake=str(self._run.funds.stake),
            priors=(),
        )
        try:
            async with self._run.funds.reserve(author):
                if not await self._try(author, body, message.content, "submit a section"):
                    return False
        except Unfunded as error:
            self._refuse("fund a stake", Code.InsufficientFunds.name, str(error))
            return False
        self._run.tally.add("specs")
        return True

    async def _approve(self, voter: str, spec_id: str) -> bool:
        if voter not in self._run.wallets:
            self._refuse("approve a section", Code.NotCoAuthor.name, f"{voter} must approve it, whose key is not here")
            return False
        if not await self._try(voter, ProcessApproval(spec_id=spec_id, approve=True), None, "approve a section"):
            return False
        self._run.tally.add("approvals")
        return True

    async def _try(self, sender: str, body: AnyBody, content: Content | None, what: str) -> bool:
        """Send it; a refusal is counted, and the rest goes on."""
        try:
            await self._run.send(sender, body, content)
        except ApiError as error:
            if error.name in _DONE_ALREADY and not self._is_certain:
                raise _Behind from error
            self._refuse(what, error.name, error.message)
            return False
        return True

    def _refuse(self, what: str, name: str, message: str) -> None:
        self._run.tally.refuse(self._planned.source, what, name, message)
