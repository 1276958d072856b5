"""`choir up` and `choir config`: running a node, and what it would run with."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter

from choir.cli.context import InContext
from choir.cli.errors import NodeFailed

ConfigFile = Annotated[Path | None, Parameter(name="--config", help="TOML file of settings.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Flags:
    """Settings given on the command line, by their names; None was not given."""

    host: Annotated[str | None, Parameter(help="Address to listen on; loopback unless you say otherwise.")] = None
    port: Annotated[int | None, Parameter(help="Port to listen on; 0 takes a free one.")] = None
    data_dir: Annotated[Path | None, Parameter(help="Directory of the node's data.")] = None
    genesis_file: Annotated[Path | None, Parameter(help="Genesis of the chain to begin or join.")] = None
    node_name: Annotated[str | None, Parameter(help="What the node calls itself in its answers.")] = None
    log_level: Annotated[str | None, Parameter(help="debug, info, warning or error.")] = None
    domain: Annotated[str | None, Parameter(help="Name that people reach the node by; sign-in shows it.")] = None
    embedder: Annotated[str | None, Parameter(help="What turns texts into vectors.")] = None
    vector_index: Annotated[str | None, Parameter(help="auto, exact, edge or the URL of a Qdrant server.")] = None
    searches_per_hour: Annotated[int | None, Parameter(help="Searches of one account or address.")] = None

    chorus_model: Annotated[str | None, Parameter(help="What answers: extractive, PROVIDER:NAME or URL#NAME.")] = None
    chorus_models: Annotated[str | None, Parameter(help="Other models for some steps: step=model,step=model.")] = None
    chorus_per_hour: Annotated[int | None, Parameter(help="Questions of one account.")] = None
    chorus_at_once: Annotated[int | None, Parameter(help="Runs of the chorus under way at once.")] = None
    chorus_step_seconds: Annotated[float | None, Parameter(help="The longest that a step may take.")] = None
    chorus_run_seconds: Annotated[float | None, Parameter(help="The longest that a run may take.")] = None

    def settings(self) -> dict[str, Any]:
        """The values as settings take them: paths are text."""
        values = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        return values | {"data_dir": None if self.data_dir is None else str(self.data_dir.expanduser())}


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
