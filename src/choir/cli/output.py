"""What commands print: people get text, `--json` exactly one JSON document on standard output."""

import math
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from choir.cli.files import write_file
from choir.primitives.amounts import format_choir

if TYPE_CHECKING:
    from choir.client.errors import ApiError  # imports the HTTP library, which not every command needs
    from choir.client.models import Message

_STEERING: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ADVICE: Final = {
    "InsufficientFunds": "On a development chain, `choir faucet NAME` fills the wallet.",
    "NotCoAuthor": "Outsiders write with `choir spec submit`.",
    "AlreadyCoAuthor": "Use `choir message post`.",
    "FaucetRefused": "It fills a wallet only up to its limit, on development chains.",
    "WrongChain": "The node is of another chain: look at --node.",
}


class Output:
    """Standard output in one of the two forms."""

    def __init__(self, *, is_json: bool) -> None:
        self.is_json = is_json

    @cached_property
    def _console(self) -> Console:
        # Wider than any table: the terminal wraps long lines, so that ids stay whole and can be copied.
        return Console(highlight=False, soft_wrap=True, width=1000)

    def show(self, document: Any, *lines: str) -> None:
        """Print ``document`` as JSON, or the lines for people. Lines are plain text, never markup."""
        if self.is_json:
            write_json(document)
        else:
            for line in lines:
                self._console.print(Text(printable(line)))

    def show_one_of_many(self, document: Any, *lines: str) -> None:
        """As `show`, for commands that go on printing: with JSON one document per line."""
        if self.is_json:
            sys.stdout.write(msgspec.json.encode(document).decode("utf-8") + "\n")
            sys.stdout.flush()
        else:
            self.show(document, *lines)

    def show_fields(self, document: Any, fields: Iterable[tuple[str, str]]) -> None:
        """Print a name and a value per line."""
        if self.is_json:
            write_json(document)
            return
        table = Table.grid(padding=(0, 2))
        for name, value in fields:
            table.add_row(Text(name, style="bold"), Text(printable(value)))
        self._console.print(table)

    def show_table(self, document: Any, columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
        """Print rows under their columns, or ``empty`` when there are none."""
        if self.is_json:
            write_json(document)
            return
        table = Table(*columns, box=None, header_style="bold", pad_edge=False)
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        if table.row_count:
            self._console.print(table)
        else:
            self._console.print(Text(empty))

    def show_page(self, page: Any, columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
        """`show_table` for one page of a list, and how to see the next."""
        self.show_table(page, columns, rows, empty)
        self.note_cursor(page.next_cursor)

    def note_cursor(self, next_cursor: str | None) -> None:
        """Tell a person how to see the next page; the JSON document has the cursor in it."""
        if next_cursor and not self.is_json:
            self._console.print(Text(f"more: --cursor {next_cursor}"))

    def note(self, line: str) -> None:
        """Tell a person something beside the result, on standard error."""
        if not self.is_json:
            sys.stderr.write(f"{printable(line)}\n")

    def save(self, document: msgspec.Struct, path: Path | None, what: str) -> None:
        """Write a document to a file and say so, or print it: a document is JSON in either form."""
        if path is None:
            write_json(document)
            return
        write_file(path, msgspec.json.encode(document) + b"\n")
        self.show({"file": str(path), "what": what}, f"{path}: {what}")


def write_json(document: Any) -> None:
    """One JSON document on standard output, indented."""
    raw = msgspec.json.encode(document)
    sys.stdout.write(msgspec.json.format(raw, indent=2).decode("utf-8") + "\n")
    sys.stdout.flush()  # a node goes on running after it told where it is


def write_error(message: str) -> None:
    """One line on standard error."""
    line = printable(" ".join(message.split()))
    sys.stderr.write(f"choir: {line}\n")


def choir(amount: str | int) -> str:
    """An amount for people."""
    return f"{format_choir(int(amount))} CHOIR"


def millionths(value: int | None) -> str:
    """A quantity in fixed point for people, rounded down as it was computed."""
    return "not measured yet" if value is None else f"{value // 1_000_000}.{value % 1_000_000 // 1000:03d}"


def moment(time_ms: int) -> str:
    """A time for people, in UTC; 0 is never."""
    if time_ms == 0:
        return "never"
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def first_line(text: str | None, width: int = 60) -> str:
    """The beginning of a text, for lists."""
    line = (text or "").strip().partition("\n")[0].lstrip("# ")
    return line if len(line) <= width else line[: width - 1] + "…"


def measured(**quantities: float | None) -> str:
    """Names and values of those quantities that have been computed."""
    return ", ".join(f"{name} {value:.2f}" for name, value in quantities.items() if value is not None)


def describe_content(message: "Message") -> str:
    """The text of a message, or what its reader gets instead of it."""
    if message.is_erased:
        return "(erased)"
    if message.text is not None:
        return message.text
    if message.summary is not None:
        return f"(summary; the text is for premium members and co-authors) {message.summary}"
    if message.at_most_characters is not None:
        return f"(private; at most {message.at_most_characters} characters)"
    return "(not readable)"


def printable(text: str) -> str:
    """What strangers wrote must not steer the reader's terminal: without control characters, overrides of the writing
    direction, and halves of surrogate pairs. Joiners and marks stay: scripts and emoji need them."""
    return _STEERING.sub("\N{REPLACEMENT CHARACTER}", text)


def describe_refusal(error: "ApiError") -> str:
    """A refusal of the node in one line, with what to do where we know it."""
    line = f"refused ({error.name}): {error.message}"
    advice = _ADVICE.get(error.name)
    if advice is not None:
        line += f" {advice}"
    elif error.retry_after_seconds:
        line += f" Try again in {math.ceil(error.retry_after_seconds)} s."
    return line
