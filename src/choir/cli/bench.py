"""`choir bench`: every figure that the documentation claims, measured here and now."""

import sys
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from choir.cli.context import InContext
from choir.cli.errors import UsageError

app = App(name="bench", help="Measure this machine.")
_RECORDS: Final = 25_000


@app.command
def ledger(*, context: InContext) -> None:
    """Measure the ledger: signatures, the transition, the engine, REST, start and commit times. About a minute."""
    import uvloop

    from choir.bench.ledger import measure

    show(context, uvloop.run(measure(tell)))


@app.command
def retrieval(directory: Path, /, *, context: InContext) -> None:
    """Measure whether search finds the right one of a directory of Markdown proposals, and what suggestions are worth.

    Parameters
    ----------
    directory
        Markdown files (*.md) with YAML front matter: title, description, requires.
    """
    from choir.bench.retrieval import run

    try:
        show(context, run(directory))
    except ValueError as error:
        raise UsageError(str(error)) from error


@app.command
def memory(
    *,
    directory: Annotated[
        Path | None, Parameter(help="Markdown files to take; Choir's own documentation if not given.")
    ] = None,
    records: Annotated[int, Parameter(help="How many records to make of them.")] = _RECORDS,
    context: InContext,
) -> None:
    """Measure indexing and search: in process, over REST, and the vector engine alone. Minutes for 100,000 records."""
    import uvloop

    from choir.bench.memory import measure

    if records < 1:
        raise UsageError("--records must be at least 1")
    try:
        show(context, uvloop.run(measure(directory or _own_documentation(), records, tell)))
    except ValueError as error:
        raise UsageError(str(error)) from error


@app.command
def realtime(*, context: InContext) -> None:
    """Measure live delivery to 1, 100 and 1,000 subscribers, beside a bare WebSocket server. About a minute."""
    import uvloop

    from choir.bench.realtime import measure

    show(context, uvloop.run(measure(tell)))


@app.command
def chorus(
    *,
    directory: Annotated[
        Path | None, Parameter(help="Markdown files to take; Choir's own documentation if not given.")
    ] = None,
    context: InContext,
) -> None:
    """Measure what Choir adds to the time of a model in a run of the chorus. About a minute."""
    import uvloop

    from choir.bench.chorus import measure

    try:
        show(context, uvloop.run(measure(directory or _own_documentation(), tell)))
    except ValueError as error:
        raise UsageError(str(error)) from error


def _own_documentation() -> Path:
    folder = Path(__file__).parents[3] / "docs"
    if not folder.is_dir():
        raise UsageError("the documentation is not beside this installation: name a directory with --directory")
    return folder


def tell(what: str) -> None:
    """Say on standard error what is being measured, to whoever watches."""
    if sys.stderr.isatty():
        print(f"measuring {what} …", file=sys.stderr)


def show(context: InContext, figures: dict[str, Any]) -> None:
    """Print the figures."""
    context.output.show_fields(figures, [(name, str(value)) for name, value in figures.items()])
