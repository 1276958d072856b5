"""`choir up` and `choir config`: running a node, and what it would run with."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from choir.cli.context import InContext
from choir.cli.errors import NodeFailed

ConfigFile = Annotated[Path | None, Parameter(name="--config", help="TOML file of settings.")]
Host = Annotated[str | None, Parameter(help="Address to listen on; loopback unless you say otherwise.")]
Port = Annotated[int | None, Parameter(help="Port to listen on; 0 takes a free one.")]
DataDirectory = Annotated[Path | None, Parameter(name="--data-dir", help="Directory of the node's data.")]
GenesisFile = Annotated[Path | None, Parameter(name="--genesis-file", help="Genesis of the chain to begin or join.")]
NodeName = Annotated[str | None, Parameter(help="What the node calls itself in its answers.")]
LogLevel = Annotated[str | None, Parameter(help="debug, info, warning or error.")]


def up(
    *,
    config: ConfigFile = None,
    host: Host = None,
    port: Port = None,
    data_dir: DataDirectory = None,
    genesis_file: GenesisFile = None,
    node_name: NodeName = None,
    log_level: LogLevel = None,
    context: InContext,
) -> None:
    """Run a node until Ctrl-C. The first start makes a development chain, unless a genesis file is given."""
    from choir.engine.protocol import EngineError
    from choir.ledger.genesis import GenesisError
    from choir.memory.database import MemoryUnusable
    from choir.node.data_dir import DataDirError
    from choir.node.logs import configure_logs
    from choir.node.node import Node
    from choir.node.server import PortTaken, serve
    from choir.node.settings import SettingsError, load_settings

    flags = _flags(host, port, data_dir, genesis_file, node_name, log_level)

    def announce(node: Node, url: str) -> None:
        with node.engine.read() as state:
            chain_id, height = state.chain.chain_id, state.chain.height
        context.output.show(
            {"url": url, "chain_id": chain_id, "height": height, "data_dir": node.settings.data_dir},
            f"Choir is ready at {url}",
            f"chain {chain_id} at block {height}, data in {node.settings.data_dir}; Ctrl-C stops it",
        )

    try:
        settings, _ = load_settings(config, flags)
        configure_logs(settings.log_level)
        serve(settings, announce)
    except (SettingsError, DataDirError, GenesisError, EngineError, MemoryUnusable, PortTaken) as error:
        raise NodeFailed(str(error)) from error


def config(
    *,
    config: ConfigFile = None,
    host: Host = None,
    port: Port = None,
    data_dir: DataDirectory = None,
    genesis_file: GenesisFile = None,
    node_name: NodeName = None,
    log_level: LogLevel = None,
    context: InContext,
) -> None:
    """Show every setting, its effective value, and where it came from."""
    from choir.node.settings import SettingsError, load_settings

    try:
        _, origins = load_settings(config, _flags(host, port, data_dir, genesis_file, node_name, log_level))
    except SettingsError as error:
        raise NodeFailed(str(error)) from error
    document = {name: {"value": origin.value, "origin": origin.origin} for name, origin in origins.items()}
    rows = [(name, str(origin.value), origin.origin) for name, origin in sorted(origins.items())]
    context.output.show_table(document, ("setting", "value", "from"), rows, "")


def _flags(
    host: str | None,
    port: int | None,
    data_dir: Path | None,
    genesis_file: Path | None,
    node_name: str | None,
    log_level: str | None,
) -> dict[str, Any]:
    return {
        "host": host,
        "port": port,
        "data_dir": None if data_dir is None else str(data_dir.expanduser()),
        "genesis_file": None if genesis_file is None else str(genesis_file),
        "node_name": node_name,
        "log_level": log_level,
    }
