"""What the node answers about the memory: signing in, search, suggestions, citations, who looked.

As in `choir.client.models`, a field that a newer node adds is ignored, and times are ``*_ms``.
"""

from msgspec import Struct

from choir.client.models import Message, Page


class Challenge(Struct, frozen=True, kw_only=True):
    """What to sign in order to sign in."""

    nonce: str
    message: str
    expires_at_ms: int


class Session(Struct, frozen=True, kw_only=True):
    """A signed-in account. ``token`` speaks for it until ``expires_at_ms``."""

    address: str
    token: str
    expires_at_ms: int

    def __repr__(self) -> str:
        return f"Session({self.address})"


class SignedOut(Struct, frozen=True, kw_only=True):
    was_signed_in: bool


class Hit(Struct, frozen=True, kw_only=True):
    """``score`` 0…1 orders the hits; ``similarity`` is the cosine of the embeddings, None where only keywords
    answered; ``resonance`` is that of the message with its priors; ``proof`` is the route of its inclusion proof."""

    message: Message
    title: str | None
    score: float
    similarity: float | None
    keyword_score: float
    resonance: float | None
    proof: str


class SearchAnswer(Struct, frozen=True, kw_only=True):
    """``vectors_used`` is False when only keywords could answer, ``query_cut`` True when the query was too long."""

    hits: tuple[Hit, ...]
    vectors_used: bool
    query_cut: bool


class Suggestion(Struct, frozen=True, kw_only=True):
    """A prior for a draft. ``likeness`` and ``votes`` are shares of the best, ``score`` is their mean."""

    message: Message
    title: str | None
    score: float
    likeness: float
    votes: float


class Citation(Struct, frozen=True, kw_only=True):
    """The other end of a citation; the quantities are None where the asker may not read both texts."""

    message: Message
    resonance: float | None
    phase: float | None
    entanglement: float | None


class Citations(Struct, frozen=True, kw_only=True):
    """What a message cites, and what cites it, oldest first."""

    priors: tuple[Citation, ...]
    cited_by: Page[Citation]


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One access to what is not public, or ``times`` equal ones within an hour. ``viewer`` is None when signed out."""

    viewer: str | None
    content_hash: str
    right: str
    is_allowed: bool
    at_ms: int
    last_at_ms: int
    times: int


class WrappedKey(Struct, frozen=True, kw_only=True):
    """A private thread's content key, in a sealed box (base64) for the asker's key."""

    thread_id: str
    wrapped: str
