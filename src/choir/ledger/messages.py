"""Posting into one's own thread, citing priors, privacy and erasure."""

import msgspec

from choir.ledger.accounts import get_account, use_message_allowance
from choir.ledger.context import Context
from choir.ledger.entities import EPOCH_CITATIONS, MESSAGES, STRICTNESS, THREADS, Marker, Message, Thread
from choir.ledger.errors import Code, reject
from choir.ledger.events import MessageErased, MessagePosted, PrivacyChanged
from choir.ledger.state import Draft
from choir.ledger.threads import get_thread, validate_co_author
from choir.ledger.transactions import Erase, PostMessage, SetPrivacy, SubmitSpec


def process_post_message(draft: Draft, body: PostMessage, context: Context) -> None:
    """A co-author's message is approved at once."""
    thread = get_thread(draft, body.thread_id)
    validate_co_author(thread, context.sender)
    validate_new_message(draft, body.content_hash, body.priors, context)
    use_message_allowance(draft, context.sender, context.now_ms)
    message = make_message(body, thread, context, "approved")
    draft.put(MESSAGES, body.content_hash, message)
    draft.put(THREADS, body.thread_id, msgspec.structs.replace(thread, message_count=thread.message_count + 1))
    record_citations(draft, message)
    context.emit(
        MessagePosted(
            thread_id=body.thread_id,
            content_hash=body.content_hash,
            author=context.sender,
            privacy=message.privacy,
            priors=body.priors,
        )
    )


def make_message(body: PostMessage | SubmitSpec, thread: Thread, context: Context, status: str) -> Message:
    """The message that a post or a spec adds; without a level of its own it has its thread's."""
    return Message(
        author=context.sender,
        created_at_ms=context.now_ms,
        priors=body.priors,
        privacy=body.privacy or thread.privacy,
        status=status,
        thread_id=body.thread_id,
    )


def process_set_privacy(draft: Draft, body: SetPrivacy, context: Context) -> None:
    """The author sets any level; another co-author only a stricter one."""
    message = get_message(draft, body.message_hash)
    if context.sender != message.author:
        validate_co_author(get_thread(draft, message.thread_id), context.sender)
        if STRICTNESS[body.level] <= STRICTNESS[message.privacy]:
            reject(Code.PrivacyNotStricter, f"It is {message.privacy} now.", field="level")
    draft.put(MESSAGES, body.message_hash, msgspec.structs.replace(message, privacy=body.level))
    context.emit(
        PrivacyChanged(
            thread_id=message.thread_id,
            content_hash=body.message_hash,
            level=body.level,
            by=context.sender,
        )
    )


def process_erase(draft: Draft, body: Erase, context: Context) -> None:
    """The author leaves a tombstone: the hash stays, every node deletes the content."""
    message = get_message(draft, body.message_hash)
    if context.sender != message.author:
        reject(Code.NotAuthor)
    draft.put(MESSAGES, body.message_hash, msgspec.structs.replace(message, is_erased=True))
    context.emit(MessageErased(thread_id=message.thread_id, content_hash=body.message_hash, by=context.sender))


def get_message(draft: Draft, content_hash: str) -> Message:
    """The message, which must exist and not be erased. Rejects with MessageUnknown or MessageErased."""
    message = draft.get(MESSAGES, content_hash)
    if message is None:
        reject(Code.MessageUnknown, field="message_hash")
    if message.is_erased:
        reject(Code.MessageErased, field="message_hash")
    return message


def validate_new_message(draft: Draft, content_hash: str, priors: tuple[str, ...], context: Context) -> None:
    """The hash is new, and every prior is known to the sender, cited once, and not the message itself."""
    if draft.get(MESSAGES, content_hash) is not None:
        reject(Code.MessageExists, field="content_hash")
    if len(priors) > draft.params.prior_limit:
        reject(Code.PriorLimit, f"It cites {len(priors)}.", field="priors")
    if len(set(priors)) != len(priors) or content_hash in priors:
        reject(Code.PriorLimit, field="priors")
    for prior in priors:
        if not is_citable(draft, prior, context):
            reject(Code.PriorUnknown, f"{prior} is none.", field="priors")


def is_citable(draft: Draft, content_hash: str, context: Context) -> bool:
    """Whether the sender has the right to cite it (design: memory, "Privacy"): an approved, unerased message that is
    public, or premium to a premium member, or of a thread of the sender's own."""
    message = draft.get(MESSAGES, content_hash)
    if message is None or message.status != "approved" or message.is_erased:
        return False
    if message.privacy == "public":
        return True
    if message.privacy == "premium" and get_account(draft, context.sender).premium_until_ms > context.now_ms:
        return True
    return context.sender in get_thread(draft, message.thread_id).co_authors


def record_citations(draft: Draft, message: Message) -> None:
    """Remember for the epoch's prior rewards who cited what: public messages, citing authors from outside only."""
    for prior in message.priors:
        cited = draft.get(MESSAGES, prior)
        if cited is None or cited.privacy != "public" or cited.is_erased or message.privacy != "public":
            continue
        if message.author not in get_thread(draft, cited.thread_id).co_authors:
            draft.put(EPOCH_CITATIONS, f"{prior}/{message.author}", Marker())
