"""What every command is given: the global options, and the things they lead to.

Heavy modules are imported where they are used, so that `choir --help` stays fast.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from choir.cli.errors import KeyringError, UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractContextManager

    from choir.cli.keyring import Keyring
    from choir.cli.output import Output
    from choir.client import Client, Wallet

PASSWORD_VARIABLE = "CHOIR_KEYRING_PASSWORD"  # noqa: S105  the variable's name


@dataclass(frozen=True)
class Context:
    """The global options as given, environment and defaults applied."""

    node_url: str
    is_json: bool = False
    keyring_path: Path | None = None
    password_file: Path | None = None

    @cached_property
    def output(self) -> Output:
        from choir.cli.output import Output

        return Output(is_json=self.is_json)

    def resolve_keyring_path(self, file_name: str = "keyring.jwe") -> Path:
        """Where the keyring is: as told, else in the user's configuration directory (XDG)."""
        if self.keyring_path is not None:
            return self.keyring_path.expanduser()
        home = os.environ.get("XDG_CONFIG_HOME", "")
        # The XDG specification: a relative path is invalid and ignored.
        base = Path(home) if os.path.isabs(home) else Path.home() / ".config"
        return base / "choir" / file_name

    @cached_property
    def keyring(self) -> Keyring:
        """The opened keyring; asks for the password once."""
        return self.open_keyring(self.resolve_keyring_path())

    def open_keyring(self, path: Path) -> Keyring:
        from choir.cli.keyring import open_keyring

        if not path.exists():
            raise KeyringError(f"there is no keyring at {path}: make a key with `choir key new NAME`")
        return open_keyring(path, self.ask_password(is_new=False))

    def edit_keyring(self, path: Path | None = None) -> AbstractContextManager[Keyring]:
        from choir.cli.keyring import edit_keyring

        return edit_keyring(path or self.resolve_keyring_path(), lambda is_new: self.ask_password(is_new=is_new))

    def ask_password(self, *, is_new: bool) -> str:
        """The keyring's password: from --password-file, the environment, or the person at the terminal."""
        if self.password_file is not None:
            return _read_password_file(self.password_file)
        if PASSWORD_VARIABLE in os.environ:
            return os.environ[PASSWORD_VARIABLE]
        return _prompt_password(is_new=is_new)

    def resolve_address(self, name_or_address: str) -> str:
        """An address as it is; a name through the keyring."""
        from choir.cli.keyring import is_address

        return name_or_address if is_address(name_or_address) else self.keyring.address(name_or_address)

    def client(self, *, retry_delays_seconds: Sequence[float] = (), connection_limit: int = 100) -> Client:
        """A client of the chosen node. A person at a terminal retries by hand, so by default nothing is retried."""
        from choir.client import Client

        try:
            return Client(self.node_url, retry_delays_seconds=retry_delays_seconds, connection_limit=connection_limit)
        except ValueError as error:
            raise UsageError(str(error)) from error

    @asynccontextmanager
    async def reading_client(self, name: str | None) -> AsyncIterator[Client]:
        """A client that asks as the key ``name`` of the keyring, signed in for as long as the block lasts; None asks as
        nobody."""
        key = None if name is None else self.keyring.key(name)
        async with self.client() as client:
            if key is None:
                yield client
                return
            await client.sign_in(key)
            try:
                yield client
            finally:
                await client.sign_out()

    def owner(self, name: str | None) -> str:
        """Whose private things a command is about: the key named, else the only one in the keyring."""
        if name is not None:
            return name
        names = self.keyring.names()
        if len(names) != 1:
            raise UsageError("the keyring has several keys: say which one with --as NAME")
        return names[0]

    def wallet(self, name: str, client: Client) -> Wallet:
        """The wallet of a key in the keyring."""
        from choir.client import Wallet

        return Wallet(self.keyring.key(name), client)


def _read_password_file(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyringError(f"cannot read the password file {path}: {error}") from error
    if not lines or not lines[0]:
        raise KeyringError(f"the first line of {path} is empty: write the password there")
    return lines[0]


def _prompt_password(*, is_new: bool) -> str:
    import getpass

    if not sys.stdin.isatty():
        raise KeyringError(f"the keyring needs a password: set {PASSWORD_VARIABLE} or give --password-file FILE")
    try:
        password = getpass.getpass("New keyring password: " if is_new else "Keyring password: ")
        is_repeated = not is_new or getpass.getpass("Once more: ") == password
    except EOFError as error:
        raise KeyringError("no password was given: try again") from error
    if not is_repeated:
        raise KeyringError("the two passwords differ: try again")
    return password


def read_text(text: str) -> str:
    """A TEXT argument; ``-`` is standard input. What looks like an option is refused rather than published."""
    if _OPTION.fullmatch(text):
        raise UsageError(f"there is no option {text}; if it is the text, pass it on standard input and write - here")
    if text != "-":
        return text
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError("standard input is not UTF-8 text") from error


def parse_amount(text: str) -> int:
    """An AMOUNT argument in CHOIR, as uchoir."""
    from choir.primitives.amounts import parse_choir

    try:
        return parse_choir(text)
    except ValueError as error:
        raise UsageError(str(error)) from error


_OPTION = re.compile(r"--[A-Za-z][\w-]*(=\S*)?")
InContext = Annotated[Context, Parameter(parse=False)]
# What begins with a hyphen may be a list in Markdown, and a lone hyphen is standard input.
TextArg = Annotated[str, Parameter(allow_leading_hyphen=True)]
As = Annotated[str, Parameter(name="--as", help="The key that signs, by its name in the keyring.")]
AsReader = Annotated[
    str | None, Parameter(name="--as", help="Read as this key of the keyring, which may see what is not public.")
]
AsOwner = Annotated[
    str | None, Parameter(name="--as", help="The key whose account this is; needless where the keyring has only one.")
]
Prior = Annotated[
    tuple[str, ...] | None,
    Parameter(
        name="--prior",
        negative=(),
        help="A message to cite, by its hash. May be given 16 times.",
        consume_multiple=False,
    ),
]
