"""What one connection follows, and how far it has been told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from choir.api.live.streams import Stream

if TYPE_CHECKING:
    from choir.api.live.connection import Connection


class Subscription:
    """One stream followed by one connection.

    ``sent_seq`` is the number that the client holds once it has read everything sent; None asks for a snapshot.
    While ``is_live``, updates are written as they happen; otherwise the connection catches up by itself.
    ``request_id`` is the message to answer with the first that is sent.
    """

    __slots__ = (
        "attempts",
        "connection",
        "could_read",
        "is_live",
        "mark_seq",
        "request_id",
        "sent_seq",
        "stream",
        "unacknowledged",
    )

    def __init__(self, connection: Connection, stream: Stream, sent_seq: int | None, request_id: str) -> None:
        self.connection = connection
        self.stream = stream
        self.sent_seq = sent_seq
        self.request_id: str | None = request_id
        self.is_live = False
        self.could_read = False
        self.unacknowledged = 0
        self.mark_seq = 0
        # How often in a row something was hidden between looking and telling.
        self.attempts = 0

    def begin_at(self, seq: int) -> None:
        """A snapshot of the state at event ``seq`` went out."""
        self.sent_seq = self.mark_seq = seq
        self.unacknowledged = 0
        self.request_id = None

    def count_sent(self, last_seq: int, updates: int) -> None:
        """``updates`` went out, up to event ``last_seq``."""
        self.sent_seq = last_seq
        self.unacknowledged += updates

    def acknowledge(self, seq: int) -> bool:
        """The client has everything up to ``seq``; returns whether that can be: whether so much was ever sent."""
        if self.sent_seq is None or seq > self.sent_seq:
            return False
        if seq >= self.mark_seq:
            # All that was counted before the mark is read. What came after it is counted again from here, so between
            # one and two windows may be open.
            self.unacknowledged = 0
            self.mark_seq = self.sent_seq
        return True

    def note_rights(self, may_read: Mapping[str | None, bool] | None) -> None:
        """Remember whether the client may read the thread (None: everybody may): what it has, it can lose."""
        self.could_read = may_read is not None and may_read[self.connection.viewer]

    def loses_right(self, may_read: Mapping[str | None, bool] | None) -> bool:
        """Whether the client could read the thread and no longer can; notes what it can now where it did not lose."""
        if may_read is None:
            return False
        can_read = may_read[self.connection.viewer]
        if self.could_read and not can_read:
            return True
        self.could_read = can_read
        return False
