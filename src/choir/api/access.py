"""What the asker may read. The rights themselves are one table in `choir.memory.privacy`."""

from choir.ledger.entities import ACCOUNTS, THREADS
from choir.ledger.state import State
from choir.memory.privacy import Level, View, get_roles, get_view
from choir.memory.records import Record


def readable_text(state: State, record: Record, viewer: str | None) -> str | None:
    """The record's text where ``viewer`` (an address, None when signed out) may read it in full, else None."""
    if record.text is None or not is_readable(state, record, viewer):
        return None
    return record.text


def is_readable(state: State, record: Record, viewer: str | None) -> bool:
    thread = state.get(THREADS, record.thread_id)
    co_authors = () if thread is None else thread.co_authors
    account = None if viewer is None else state.get(ACCOUNTS, viewer)
    is_premium = account is not None and account.premium_until_ms > state.chain.time_ms
    roles = get_roles(viewer, co_authors, is_premium, record.author)
    return get_view(roles, Level(record.privacy)) is View.FULL
