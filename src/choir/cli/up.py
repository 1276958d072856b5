"""`choir up` and `choir config`: running a node, and what it would run with."""

from typing import Final

from choir.cli.context import InContext
from choir.cli.errors import NodeFailed
from choir.cli.flags import ConfigFile, Flags

_NONE_GIVEN: Final = Flags()


def up(*, config: ConfigFile = None, flags: Flags = _NONE_GIVEN, context: InContext) -> None:
    """Run a node until Ctrl-C. The first start makes a development chain, unless a genesis file is given."""
    from choir.engine.protocol import EngineError
    from choir.ledger.genesis import GenesisError
    from choir.memory.database import MemoryUnusable
    from choir.node.data_dir import DataDirError
    from choir.node.logs import configure_logs
    from choir.node.node import Node
    from choir.node.server import PortTaken, serve
    from choir.node.settings import SettingsError, load_settings

    def announce(node: Node, url: str) -> None:
        with node.engine.read() as state:
            chain_id, height = state.chain.chain_id, state.chain.height
        context.output.show(
            {"url": url, "chain_id": chain_id, "height": height, "data_dir": node.settings.data_dir},
            f"Choir is ready at {url}",
            f"chain {chain_id} at block {height}, data in {node.settings.data_dir}; Ctrl-C stops it",
        )

    try:
        settings, _ = load_settings(config, flags.settings())
        configure_logs(settings.log_level)
        serve(settings, announce)
    except (SettingsError, DataDirError, GenesisError, EngineError, MemoryUnusable, PortTaken) as error:
        raise NodeFailed(str(error)) from error


def config(*, config: ConfigFile = None, flags: Flags = _NONE_GIVEN, context: InContext) -> None:
    """Show every setting, its effective value, and where it came from."""
    from choir.node.settings import SettingsError, load_settings

    try:
        _, origins = load_settings(config, flags.settings())
    except SettingsError as error:
        raise NodeFailed(str(error)) from error
    document = {name: {"value": origin.value, "origin": origin.origin} for name, origin in origins.items()}
    rows = [(name, str(origin.value), origin.origin) for name, origin in sorted(origins.items())]
    context.output.show_table(document, ("setting", "value", "from"), rows, "")
