"""Files that hold secrets or must never be half written."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from choir.cli.errors import CliError, KeyringError


def make_private_directory(path: Path) -> None:
    """Make the directory, readable by its owner only. One that exists is left as it is."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyringError(f"cannot make {path}: {os.strerror(error.errno or 0)}") from error


def write_private_file(path: Path, data: bytes) -> None:
    """Replace a file atomically and durably, mode 0600: whoever reads it sees the old or the new one, whole."""
    path = path.resolve()  # a symbolic link stays one
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
        _sync_directory(path.parent)
    except OSError as error:
        raise KeyringError(f"cannot write {path}: {os.strerror(error.errno or 0)}") from error


def write_file(path: Path, data: bytes) -> None:
    """Write what a command was asked to write. Raises ``CliError``."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CliError(f"cannot write {path}: {os.strerror(error.errno or 0)}") from error


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold ``path``'s lock file against other processes; waits for its turn."""
    lock_path = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise KeyringError(f"cannot write beside {path}: {os.strerror(error.errno or 0)}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
