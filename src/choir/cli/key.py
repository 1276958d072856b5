"""`choir key`: the keys in the keyring."""

import re
import sys
from typing import Final

from cyclopts import App

from choir.cli.context import InContext
from choir.cli.errors import UsageError

_SEED: Final = re.compile(r"[0-9a-fA-F]{64}")
_LONGEST_SECRET: Final = 2_000  # characters

app = App(name="key", help="Make, list and move the keys in your keyring.")


@app.command
def new(name: str, /, *, context: InContext) -> None:
    """Make a key. The keyring file is made with the first one, and asks for a new password.

    Parameters
    ----------
    name
        What you call it.
    """
    from choir.primitives.signatures import SigningKey

    key = SigningKey.generate()
    with context.edit_keyring() as keyring:
        keyring.add(name, key)
    context.output.show({"name": name, "address": key.address}, f"{name}  {key.address}")


@app.command(name="list")
def list_keys(*, context: InContext) -> None:
    """List the names and addresses of all keys."""
    keyring = context.keyring
    keys = [{"name": name, "address": keyring.address(name)} for name in keyring.names()]
    rows = [(key["name"], key["address"]) for key in keys]
    context.output.show_table({"keys": keys}, ("Name", "Address"), rows, "The keyring is empty.")


@app.command
def show(name: str, /, *, context: InContext) -> None:
    """Show a key's address.

    Parameters
    ----------
    name
        Its name in the keyring.
    """
    address = context.keyring.address(name)
    context.output.show({"name": name, "address": address}, address)


@app.command(name="import")
def import_key(name: str, /, *, context: InContext) -> None:
    """Put in a key from its recovery seed (64 hex digits) or its 24 words, read from standard input.

    Parameters
    ----------
    name
        What you call it.
    """
    from choir.primitives.signatures import SigningKey

    key = SigningKey(_read_seed())
    with context.edit_keyring() as keyring:
        keyring.add(name, key)
    context.output.show({"name": name, "address": key.address}, f"{name}  {key.address}")


@app.command(name="export")
def export_key(name: str, /, *, context: InContext) -> None:
    """Print a key's recovery seed. Whoever has it owns the account: keep it on paper, out of sight.

    Parameters
    ----------
    name
        Its name in the keyring.
    """
    key = context.keyring.key(name)
    seed = key.seed.hex()
    context.output.show({"name": name, "address": key.address, "seed": seed}, seed)


@app.command
def remove(name: str, /, *, context: InContext) -> None:
    """Take a key out of the keyring. Without its recovery seed the account is lost for good.

    Parameters
    ----------
    name
        Its name in the keyring.
    """
    with context.edit_keyring() as keyring:
        address = keyring.address(name)
        keyring.remove(name)
    context.output.show({"name": name, "address": address}, f"removed {name}  {address}")


def _read_seed() -> bytes:
    import getpass

    from choir.cli.phrase import seed_of_phrase

    text = getpass.getpass("Recovery seed or words: ") if sys.stdin.isatty() else sys.stdin.read(_LONGEST_SECRET)
    text = text.strip()
    if _SEED.fullmatch(text):
        return bytes.fromhex(text)
    # One word is a seed that was cut or mistyped.
    if len(text.split()) > 1:
        return seed_of_phrase(text)
    raise UsageError(
        "a recovery seed is 64 hex digits: pass what `choir key export` printed, or 24 words, on standard input"
    )
