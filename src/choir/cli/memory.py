"""`choir memory`: making anew what search needs, on a stopped node."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cyclopts import App

from choir.cli.context import InContext
from choir.cli.errors import NodeFailed
from choir.cli.flags import ConfigFile, MemoryFlags, effective_settings, kept_ledger

if TYPE_CHECKING:
    from choir.node.data_dir import DataDir
    from choir.node.settings import Settings

app = App(name="memory", help="Rebuild what search needs, on a stopped node.")


_NONE_GIVEN: Final = MemoryFlags()


@app.command
def reembed(*, config: ConfigFile = None, flags: MemoryFlags = _NONE_GIVEN, context: InContext) -> None:
    """Embed every message anew with the node's embedder, and rebuild the vector index. The node must be stopped.

    Give it the settings that the node runs with. What is left when it is interrupted is done by the node when it runs.
    """
    import uvloop

    from choir.cli.progress import progress_bar
    from choir.memory.maintenance import rebuild_vectors, reembed

    with _stopped_node(config, flags) as (settings, directory):
        key = directory.node_key()
        with progress_bar("embedding", context.is_json) as report:
            messages = uvloop.run(reembed(directory.path, key, settings.embedder, report))
        with progress_bar("building the vector index", context.is_json) as report:
            points = uvloop.run(rebuild_vectors(directory.path, key, settings.embedder, settings.vector_index, report))
    document = {"messages": messages, "points": points, "embedder": settings.embedder}
    context.output.show(document, f"{messages} messages indexed anew, {points} of them embedded by {settings.embedder}")


@app.command
def rebuild(*, config: ConfigFile = None, flags: MemoryFlags = _NONE_GIVEN, context: InContext) -> None:
    """Rebuild the vector index from the messages' embeddings. The node must be stopped.

    Give it the settings that the node runs with.
    """
    import uvloop

    from choir.cli.progress import progress_bar
    from choir.memory.maintenance import rebuild_vectors

    with (
        _stopped_node(config, flags) as (settings, directory),
        progress_bar("building the vector index", context.is_json) as report,
    ):
        points = uvloop.run(
            rebuild_vectors(directory.path, directory.node_key(), settings.embedder, settings.vector_index, report)
        )
    document = {"points": points, "vector_index": settings.vector_index}
    context.output.show(document, f"{points} embeddings are in the vector index ({settings.vector_index})")


@contextmanager
def _stopped_node(config: Path | None, flags: MemoryFlags) -> "Iterator[tuple[Settings, DataDir]]":
    """The settings and the locked data directory of a node that does not run; failures in one line."""
    from choir.memory.database import MemoryUnusable
    from choir.memory.embedding import EmbeddingError
    from choir.memory.vector_index import IndexUnavailable
    from choir.node.data_dir import DataDir, DataDirError

    settings = effective_settings(config, flags)
    path = kept_ledger(settings)
    try:
        directory = DataDir(path.parent)
        try:
            yield settings, directory
        finally:
            directory.close()
    except (DataDirError, MemoryUnusable, EmbeddingError, IndexUnavailable, ValueError) as error:
        raise NodeFailed(str(error)) from error
