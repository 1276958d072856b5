"""`choir ask`: a question to the chorus, its six steps as they happen, and an answer whose citations can be checked."""

import asyncio
import sys
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from choir.cli.context import AsOwner, InContext, TextArg, read_text
from choir.cli.errors import CliError

if TYPE_CHECKING:
    from choir.cli.run_progress import Progress
    from choir.client import Client

_CANCEL_SECONDS: Final = 5


class RunEnded(CliError):
    """The run ended without an answer."""


async def ask(
    question: TextArg,
    /,
    *,
    thread: Annotated[str | None, Parameter(help="Ask in this thread: its newest messages are given along.")] = None,
    as_: AsOwner = None,
    context: InContext,
) -> None:
    """Ask the chorus: it searches what you may read, and answers in six steps with citations that can be checked.

    Ctrl-C cancels the run. The node keeps it for you alone: `choir runs list`.

    Parameters
    ----------
    question
        What you want to know; - reads standard input.
    """
    from choir.cli.run_progress import open_progress
    from choir.cli.run_text import describe_run

    prompt = read_text(question)
    async with context.reading_client(context.owner(as_)) as client:
        with open_progress(is_json=context.is_json, is_terminal=sys.stdout.isatty()) as progress:
            run_id = await _follow(client, prompt, thread, progress)
        run = await client.chorus.run(run_id)
    if run.answer is not None:
        context.output.show(run, *describe_run(run, progress.is_extractive))
        return
    if context.is_json:
        context.output.show(run)
    raise RunEnded(f"the run {run.run_id} ended without an answer: {progress.failure or run.status}")


async def _follow(client: "Client", prompt: str, thread: str | None, progress: "Progress") -> str:
    """Shows the run's events to its end; returns its id. Interrupted, it cancels the run."""
    try:
        async with aclosing(client.chorus.ask(prompt, thread_id=thread)) as events:
            async for event in events:
                progress.take(event)
    except asyncio.CancelledError:
        if progress.run_id:
            # Whatever hinders it, the person wants to leave.
            with suppress(Exception):
                await asyncio.wait_for(client.chorus.cancel(progress.run_id), _CANCEL_SECONDS)
        raise
    return progress.run_id
