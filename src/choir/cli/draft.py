"""`choir draft`: what an assistant wrote for somebody, signed and sent exactly as it was shown to them."""

from typing import TYPE_CHECKING

from cyclopts import App

from choir.cli.context import As, InContext, read_text
from choir.cli.errors import UsageError

if TYPE_CHECKING:
    from choir.client.drafts import Draft

app = App(name="draft", help="Sign and send what `choir mcp` drafted.")


@app.command
async def send(document: str, /, *, as_: As, context: InContext) -> None:
    """Sign a draft and send it. Prints the hash of the message, or the id of the spec.

    Parameters
    ----------
    document
        The draft, as the assistant gave it; - reads standard input.
    """
    draft = _read(document)
    async with context.client() as client:
        wallet = context.wallet(as_, client)
        if wallet.address != draft.content.author:
            raise UsageError(
                f"the draft is of {draft.content.author}, and {as_} is {wallet.address}: sign with its key"
            )
        receipt = await wallet.send(draft.body, draft.content)
    shown = {"content_hash": draft.body.content_hash, "thread_id": draft.content.thread_id, "receipt": receipt}
    context.output.show(shown, draft.body.content_hash)


def _read(document: str) -> "Draft":
    from choir.client.drafts import DraftError, decode_draft

    try:
        return decode_draft(read_text(document))
    except DraftError as error:
        raise UsageError(f"this is no draft: {error}") from error
