"""Cursors: opaque to callers, a sequence number to us."""

from collections.abc import Sequence
from typing import Final

from choir.ledger.errors import Code, Rejected

_END_OF_TIME: Final = 2**62
# Behind the newest item, wherever that is.
END: Final = "end"


def before_cursor(cursor: str | None) -> int:
    """The sequence number that a page of newest-first items ends before."""
    return _END_OF_TIME if cursor is None else _parse(cursor)


def after_cursor(cursor: str | None) -> int:
    """The sequence number that a page of oldest-first items begins after."""
    return 0 if cursor is None else _parse(cursor)


def until_cursor(cursor: str) -> int:
    """The sequence number that a page of oldest-first items ends with."""
    return _END_OF_TIME if cursor == END else _parse(cursor)


def next_cursor(seqs: Sequence[int], limit: int) -> str | None:
    """Where the next page begins, when this one is full."""
    return str(seqs[-1]) if len(seqs) == limit else None


def _parse(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise Rejected(Code.InvalidRequest, "This is not a cursor that the node gave.", field="cursor")
    return int(cursor)
