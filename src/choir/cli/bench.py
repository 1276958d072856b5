"""`choir bench`: every figure that the documentation claims, measured here and now."""

import sys
from typing import Any

from cyclopts import App

from choir.cli.context import InContext

app = App(name="bench", help="Measure this machine.")


@app.command
def ledger(*, context: InContext) -> None:
    """Measure the ledger: signatures, the transition, the engine, REST, start and commit times. About a minute."""
    import uvloop

    from choir.bench.ledger import measure

    show(context, uvloop.run(measure(tell)))


def tell(what: str) -> None:
    """Say on standard error what is being measured, to whoever watches."""
    if sys.stderr.isatty():
        print(f"measuring {what} …", file=sys.stderr)


def show(context: InContext, figures: dict[str, Any]) -> None:
    """Print the figures."""
    context.output.show_fields(figures, [(name, str(value)) for name, value in figures.items()])
