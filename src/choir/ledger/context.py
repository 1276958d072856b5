"""What every transaction handler is given besides the draft."""

from typing import NamedTuple

from choir.ledger.events import Event


class Context(NamedTuple):
    """The sender, the transaction's hash, the block's time and the list that receives events."""

    sender: str
    tx_hash: str
    now_ms: int
    events: list[Event]

    def emit(self, event: Event) -> None:
        self.events.append(event)
