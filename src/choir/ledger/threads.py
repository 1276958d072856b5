"""Creating threads, and what other families need to know of one."""

from choir.ledger.accounts import use_thread_allowance
from choir.ledger.context import Context
from choir.ledger.entities import THREADS, Thread
from choir.ledger.errors import Code, reject
from choir.ledger.events import ThreadCreated
from choir.ledger.state import Draft
from choir.ledger.transactions import CreateThread


def process_create_thread(draft: Draft, body: CreateThread, context: Context) -> None:
    """Anyone; the sender becomes the sole co-author of a thread with balance 0."""
    if draft.get(THREADS, body.thread_id) is not None:
        reject(Code.ThreadExists, field="thread_id")
    use_thread_allowance(draft, context.sender, context.now_ms)
    thread = Thread(co_authors=(context.sender,), created_at_ms=context.now_ms, privacy=body.privacy)
    draft.put(THREADS, body.thread_id, thread)
    context.emit(ThreadCreated(thread_id=body.thread_id, creator=context.sender, privacy=body.privacy))


def get_thread(draft: Draft, thread_id: str) -> Thread:
    """The thread, which must exist. Rejects with ThreadUnknown."""
    thread = draft.get(THREADS, thread_id)
    if thread is None:
        reject(Code.ThreadUnknown, field="thread_id")
    return thread


def validate_co_author(thread: Thread, address: str) -> None:
    if address not in thread.co_authors:
        reject(Code.NotCoAuthor)
