"""A message or spec that is written but not signed: its content, and the body of the transaction that adds it."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from choir.client.signing import make_content
from choir.ledger.proofs import Content, content_hash_of
from choir.ledger.transactions import PostMessage, PrivacyLevel, SubmitSpec


class DraftError(ValueError):
    """The document is no draft; the message says why."""


class Draft(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``body`` names the content by its hash, so that signing it signs exactly this content."""

    content: Content
    body: PostMessage | SubmitSpec


def draft_message(
    author: str, thread_id: str, text: str, *, priors: Sequence[str] = (), privacy: PrivacyLevel | None = None
) -> Draft:
    """A message to a thread of the author's."""
    content = make_content(author, thread_id, text)
    body = PostMessage(
        thread_id=thread_id, content_hash=content_hash_of(content), priors=tuple(priors), privacy=privacy
    )
    return Draft(content=content, body=body)


def draft_spec(
    author: str,
    thread_id: str,
    text: str,
    *,
    stake: int,
    priors: Sequence[str] = (),
    privacy: PrivacyLevel | None = None,
) -> Draft:
    """A spec to a thread of others; ``stake`` in uchoir."""
    content = make_content(author, thread_id, text)
    body = SubmitSpec(
        thread_id=thread_id,
        content_hash=content_hash_of(content),
        stake=str(stake),
        priors=tuple(priors),
        privacy=privacy,
    )
    return Draft(content=content, body=body)


def decode_draft(document: str) -> Draft:
    """A draft from its JSON. Raises ``DraftError``, also where content and body do not belong together."""
    try:
        draft = msgspec.json.decode(document.encode("utf-8"), type=Draft)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise DraftError(str(error)) from error
    if draft.body.content_hash != content_hash_of(draft.content):
        raise DraftError("its content does not hash to what would be signed")
    if draft.body.thread_id != draft.content.thread_id:
        raise DraftError("its content is for another thread than the transaction")
    return draft
