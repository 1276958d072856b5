"""`choir doctor`: is everything that this node holds what it should be?"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from choir.cli.context import InContext
from choir.cli.errors import NodeFailed
from choir.cli.snapshot import ledger_path

DataDirectory = Annotated[Path | None, Parameter(name="--data-dir", help="Directory of the node's data.")]


def doctor(*, data_dir: DataDirectory = None, context: InContext) -> None:
    """Check the ledger, block by block with every signature, by replaying it from genesis. Needs no running node."""
    from choir.cli.progress import progress_bar
    from choir.engine.embedded.audit import audit_ledger
    from choir.engine.protocol import EngineError

    path = ledger_path(data_dir)
    try:
        with progress_bar("replaying blocks", context.is_json) as report:
            audit = audit_ledger(path, report)
    except EngineError as error:
        raise NodeFailed(str(error)) from error
    how = "replayed from genesis" if audit.is_replayed else "checked back to the snapshot it began from"
    context.output.show(
        audit,
        f"The ledger is sound: {audit.blocks} blocks with {audit.transactions} transactions, {how}.",
        f"app hash {audit.app_hash} at block {audit.height}",
    )
