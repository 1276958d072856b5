"""`choir mcp`: a server of the Model Context Protocol for AI assistants. It holds no key and opens no keyring."""

import os
from typing import Final

from choir.cli.context import InContext

SESSION_VARIABLE: Final = "CHOIR_SESSION_TOKEN"


async def mcp(*, context: InContext) -> None:
    """Let an AI assistant search, read, ask and draft, over standard input and output (Model Context Protocol).

    It never signs, and opens no keyring. It reads as nobody, or as the account of CHOIR_SESSION_TOKEN, which
    `choir session open` gives.
    """
    from choir.cli.mcp_server import make_server

    async with context.client() as client:
        token = os.environ.get(SESSION_VARIABLE)
        if token:
            client.use_session(token)
        await make_server(client, is_signed_in=bool(token)).run_stdio_async()
