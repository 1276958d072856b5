"""A run as it happens: a live view on a terminal, plain lines for pipes, nothing where the document is wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from choir.cli.output import printable
from choir.cli.run_text import describe_priors
from choir.client.chorus_models import (
    PriorsFound,
    RunFailed,
    RunStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    Token,
)

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from choir.client.chorus_models import AnyRunEvent

STEPS: Final = ("action", "experience", "intention", "observation", "update", "yield")
_LAST_CHARACTERS: Final = 300


class Progress:
    """What is known of a run while it goes on. On its own it shows nothing."""

    def __init__(self) -> None:
        self.run_id = ""
        self.is_extractive = False
        self.failure = ""

    def take(self, event: "AnyRunEvent") -> None:
        """The next event."""
        if isinstance(event, RunStarted):
            self.run_id, self.is_extractive = event.run_id, event.is_extractive
        elif isinstance(event, RunFailed):
            self.failure = f"{event.error}: {event.message}"


class Lines(Progress):
    """A line for each thing that happened."""

    def __init__(self, console: "Console") -> None:
        super().__init__()
        self._console = console

    def take(self, event: "AnyRunEvent") -> None:
        super().take(event)
        if isinstance(event, PriorsFound):
            self._print(f"found {len(event.priors)} messages")
            for line in describe_priors(event.priors):
                self._print(line)
        elif isinstance(event, StepFinished):
            place = f"{STEPS.index(event.step) + 1}/{len(STEPS)}" if event.step in STEPS else "-"
            self._print(f"{place} {event.step} ({event.took_ms} ms)")
        elif isinstance(event, StepFailed):
            then = "trying again" if event.will_retry else "giving up"
            self._print(f"{event.step} failed ({event.error}): {event.message} {then}")

    def _print(self, line: str) -> None:
        from rich.text import Text

        self._console.print(Text(printable(line)))


class View(Lines):
    """The lines, and below them the step under way with what it is writing."""

    def __init__(self, console: "Console") -> None:
        super().__init__(console)
        self._step = ""
        self._text = ""

    def take(self, event: "AnyRunEvent") -> None:
        super().take(event)
        if isinstance(event, StepStarted):
            again = f", round {event.round}" if event.round > 1 else ""
            self._step, self._text = f"{event.step} ({event.model}{again})", ""
        elif isinstance(event, Token):
            self._text = (self._text + event.text)[-_LAST_CHARACTERS:]

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from rich.text import Text

        yield Text(f"… {printable(self._step)}", style="bold")
        yield Text(printable(self._text), style="dim")


@contextmanager
def open_progress(*, is_json: bool, is_terminal: bool) -> Iterator[Progress]:
    """The view that fits whoever reads standard output."""
    if is_json:
        yield Progress()
        return
    from rich.console import Console

    if not is_terminal:
        yield Lines(Console(highlight=False, soft_wrap=True, width=1000))
        return
    from rich.live import Live

    console = Console(highlight=False)
    view = View(console)
    with Live(view, console=console, transient=True, refresh_per_second=12):
        yield view
