"""`choir doctor`: is everything that this node holds what it should be?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from choir.cli.context import InContext
from choir.cli.errors import NodeFailed
from choir.cli.flags import ConfigFile, MemoryFlags, effective_settings, kept_ledger

if TYPE_CHECKING:
    from choir.engine.embedded.audit import AuditReport
    from choir.memory.check import MemoryReport

_NONE_GIVEN: Final = MemoryFlags()


def doctor(
    *,
    config: ConfigFile = None,
    flags: MemoryFlags = _NONE_GIVEN,
    repair: Annotated[bool, Parameter(negative=(), help="Mend what follows from the ledger and the texts.")] = False,
    context: InContext,
) -> None:
    """Check the ledger, block by block with every signature, by replaying it from genesis; then all that the memory
    keeps against it: texts, levels, summaries, words, embeddings, threads, citations, histories. Changes nothing
    without --repair. The node must be stopped for the second part. Give it the settings that the node runs with."""
    from choir.cli.progress import progress_bar
    from choir.engine.embedded.audit import audit_ledger
    from choir.engine.protocol import EngineError

    settings = effective_settings(config, flags)
    path = kept_ledger(settings)
    try:
        with progress_bar("replaying blocks", context.is_json) as report:
            audit = audit_ledger(path, report)
    except EngineError as error:
        raise NodeFailed(str(error)) from error
    if not path.with_name("memory.db").exists():
        context.output.show({"ledger": audit, "memory": None}, *_describe_ledger(audit))
        raise NodeFailed(
            f"there is no memory.db in {path.parent}: restore it from a backup, or start the node to begin with none"
        )
    memory = _check_memory(path, settings.embedder, repair, context)
    context.output.show({"ledger": audit, "memory": memory}, *_describe_ledger(audit), *_describe_memory(memory))
    if repair and settings.vector_index.startswith(("http://", "https://")):
        context.output.note("what the vector index holds was not compared: `choir memory rebuild` fills it anew")
    if memory is not None and memory.unrepaired:
        raise NodeFailed(_advise(memory))


def _check_memory(path: Path, embedder: str, repair: bool, context: InContext) -> "MemoryReport | None":
    """None where a node runs: what it holds changes while one looks."""
    import sqlite3

    from choir.cli.progress import progress_bar
    from choir.memory.database import MemoryUnusable
    from choir.memory.embedding import EmbeddingError
    from choir.node.data_dir import DataDir, DataDirError
    from choir.node.memory_check import check_memory

    try:
        directory = DataDir(path.parent)
    except DataDirError as error:
        if repair:
            raise NodeFailed(str(error)) from error
        return None
    try:
        with progress_bar("checking the memory", context.is_json) as report:
            return check_memory(directory, embedder, report, repair=repair)
    except (DataDirError, MemoryUnusable, EmbeddingError) as error:
        raise NodeFailed(str(error)) from error
    except sqlite3.Error as error:
        raise NodeFailed(f"memory.db is damaged ({error}): restore the data directory from a backup") from error
    finally:
        directory.close()


def _describe_ledger(audit: "AuditReport") -> list[str]:
    how = "replayed from genesis" if audit.is_replayed else "checked back to the snapshot it began from"
    return [
        f"The ledger is sound: {audit.blocks} blocks with {audit.transactions} transactions, {how}.",
        f"app hash {audit.app_hash} at block {audit.height}",
    ]


def _describe_memory(memory: "MemoryReport | None") -> list[str]:
    if memory is None:
        return ["The memory was not checked, since a node runs here: stop it and try again."]
    waiting = f", {memory.waiting} waiting to be indexed" if memory.waiting else ""
    refused = f", {memory.refused} refused by the embedder" if memory.refused else ""
    lines = [f"The memory has {memory.texts} texts of {memory.messages} messages{waiting}{refused}."]
    if not memory.problems:
        return [*lines, "All of it is as the ledger says."]
    lines += [f"{count} × {kind}" for kind, count in memory.problems.items()]
    for problem in memory.first_problems:
        lines.append(f"  {' '.join(filter(None, (problem.kind, problem.content_hash)))}: {problem.detail}")
    if memory.repaired:
        lines.append(f"{memory.repaired} problems were mended; what is to be indexed anew, the node does when it runs.")
    return lines


def _advise(memory: "MemoryReport") -> str:
    from choir.memory.check import REPAIRABLE

    found = memory.unrepaired
    kinds = {kind for kind in memory.problems if kind not in REPAIRABLE}
    parts = [f"the memory has {found} problem{'s' if found > 1 else ''}"]
    if not memory.repaired and kinds != set(memory.problems):
        parts.append("`choir doctor --repair` mends what can be mended")
    if "behind" in kinds:
        parts.append("start the node to follow the ledger")
    if kinds - {"behind"}:
        parts.append("what it cannot mend is in a backup only")
    return ": ".join((parts[0], "; ".join(parts[1:])))
