"""`choir session`: a token that speaks for an account for a day, for programs that must not have its key."""

import os

from cyclopts import App

from choir.cli.context import As, InContext
from choir.cli.errors import UsageError
from choir.cli.mcp import SESSION_VARIABLE

app = App(name="session", help="Open a session for a program that must not have your key.")


@app.command(name="open")
async def open_session(*, as_: As, context: InContext) -> None:
    """Sign in and print the session's token, which reads and asks as your account until it ends; it cannot sign."""
    from choir.cli.output import moment

    async with context.client() as client:
        session = await client.sign_in(context.keyring.key(as_))
    document = {"address": session.address, "token": session.token, "expires_at_ms": session.expires_at_ms}
    context.output.show(document, session.token)
    context.output.note(f"good until {moment(session.expires_at_ms)}; end it with `choir session end`")


@app.command
async def end(*, context: InContext) -> None:
    """End the session whose token is in CHOIR_SESSION_TOKEN."""
    token = os.environ.get(SESSION_VARIABLE)
    if not token:
        raise UsageError(f"there is no token in {SESSION_VARIABLE}: put the one there that `choir session open` gave")
    async with context.client() as client:
        client.use_session(token)
        was_open = await client.sign_out()
    context.output.show({"was_signed_in": was_open}, "ended" if was_open else "it had ended before")
