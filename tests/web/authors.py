"""People who are not at the browser: they write through the Python client, with keys of their own."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

from choir.client import Client, Wallet
from choir.client.wallet import Sent
from choir.ledger.transactions import AnyBody
from choir.primitives.signatures import SigningKey
from tests.support.chain import key

T = TypeVar("T")
SECONDS = 60


class Authors:
    """Runs the asynchronous client in a thread of its own, because Playwright's own loop has the test's."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.client = self.do(_open(url))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        future: Future[T] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(SECONDS)

    def new(self, name: str, signer: SigningKey | None = None) -> "Author":
        """The author of that name (or of a key), with CHOIR from the faucet."""
        author = Author(self, signer or key(name))
        self.do(self.client.faucet(author.address))
        return author

    def close(self) -> None:
        self.do(self.client.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()


class Author:
    """Somebody with a key."""

    def __init__(self, authors: Authors, key: SigningKey) -> None:
        self._do = authors.do
        self.wallet = Wallet(key, authors.client)
        self.address = self.wallet.address

    def thread(self, *texts: str, privacy: str = "public") -> str:
        """A new thread with these messages; the first line of the first is its title."""
        thread_id: str = self._do(self.wallet.create_thread(privacy=privacy))  # type: ignore[arg-type]
        for text in texts:
            self.post(thread_id, text)
        return thread_id

    def post(self, thread_id: str, text: str, *priors: str, **fields: Any) -> str:
        """Returns the message's hash."""
        sent: Sent = self._do(self.wallet.post_message(thread_id, text, priors=priors, **fields))
        return sent.content_hash

    def submit_spec(self, thread_id: str, text: str, *priors: str, stake_choir: int = 100) -> str:
        sent: Sent = self._do(self.wallet.submit_spec(thread_id, text, stake=stake_choir * 1_000_000, priors=priors))
        return sent.content_hash

    def send(self, body: AnyBody) -> None:
        """Any transaction without a text."""
        self._do(self.wallet.send(body))

    def vote(self, spec_id: str, *, approve: bool) -> None:
        self._do(self.wallet.vote(spec_id, approve=approve))


async def _open(url: str) -> Client:
    return await Client(url).__aenter__()
