"""`choir snapshot`: the ledger's state in one file that proves itself."""

import gzip
import zlib
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from choir.cli.context import InContext
from choir.cli.errors import NodeFailed, UsageError
from choir.cli.flags import MemoryFlags, effective_settings, kept_ledger

app = App(name="snapshot", help="Save and restore the ledger's state.")
DataDirectory = Annotated[Path | None, Parameter(name="--data-dir", help="Directory of the node's data.")]


@app.command
def save(file: Path, /, *, data_dir: DataDirectory = None, context: InContext) -> None:
    """Save the state of a node, running or not, into FILE (gzip). It carries the header that commits to it.

    Parameters
    ----------
    file
        Where to write.
    """
    from choir.cli.files import write_file
    from choir.engine.embedded.snapshots import read_snapshot
    from choir.engine.protocol import EngineError

    path = ledger_path(data_dir)
    try:
        head, lines = read_snapshot(path)
    except EngineError as error:
        raise NodeFailed(str(error)) from error
    height = 0 if head.header is None else head.header.header.height
    write_file(file, gzip.compress(b"".join(lines)))
    document = {"file": str(file), "height": height, "entries": head.entries, "app_hash": head.app_hash}
    context.output.show(document, f"{head.entries} entries at block {height} saved to {file}")


@app.command
def restore(file: Path, /, *, data_dir: DataDirectory = None, context: InContext) -> None:
    """Begin a ledger from the snapshot in FILE, after checking it against the header it carries.

    Parameters
    ----------
    file
        What `choir snapshot save` wrote.
    """
    from choir.engine.embedded.snapshots import write_snapshot
    from choir.engine.protocol import EngineError
    from choir.ledger.snapshot import SnapshotError
    from choir.node.data_dir import DataDir, DataDirError

    try:
        with gzip.open(file, "rb") as lines:
            directory = DataDir(data_directory(data_dir))
            try:
                head = write_snapshot(directory.path, lines, directory.keep_genesis)
            finally:
                directory.close()
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    except (SnapshotError, DataDirError, EngineError) as error:
        raise NodeFailed(str(error)) from error
    height = 0 if head.header is None else head.header.header.height
    document = {"data_dir": str(data_directory(data_dir)), "height": height, "app_hash": head.app_hash}
    context.output.show(document, f"{head.genesis.chain_id} restored at block {height}; put its node.key beside it")


def data_directory(given: Path | None) -> Path:
    """The data directory of the effective settings, or the one given."""
    return Path(effective_settings(None, MemoryFlags(data_dir=given)).data_dir)


def ledger_path(given: Path | None) -> Path:
    """The ledger of a data directory, which must exist."""
    return kept_ledger(effective_settings(None, MemoryFlags(data_dir=given)))
