"""Settings of a node on the command line, for the commands that run one and those that look after a stopped one."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from choir.cli.errors import NodeFailed

if TYPE_CHECKING:
    from choir.node.settings import Settings

ConfigFile = Annotated[Path | None, Parameter(name="--config", help="TOML file of settings.")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class MemoryFlags:
    """What says where a node's memory is and how it is searched; None was not given."""

    data_dir: Annotated[Path | None, Parameter(help="Directory of the node's data.")] = None
    embedder: Annotated[str | None, Parameter(help="What turns texts into vectors.")] = None
    vector_index: Annotated[str | None, Parameter(help="auto, exact, edge or the URL of a Qdrant server.")] = None

    def settings(self) -> dict[str, Any]:
        """The values as settings take them: paths are text."""
        values = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        return values | {"data_dir": None if self.data_dir is None else str(self.data_dir.expanduser())}


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Flags(MemoryFlags):
    """Every setting, by its name."""

    host: Annotated[str | None, Parameter(help="Address to listen on; loopback unless you say otherwise.")] = None
    port: Annotated[int | None, Parameter(help="Port to listen on; 0 takes a free one.")] = None
    genesis_file: Annotated[Path | None, Parameter(help="Genesis of the chain to begin or join.")] = None
    node_name: Annotated[str | None, Parameter(help="What the node calls itself in its answers.")] = None
    log_level: Annotated[str | None, Parameter(help="debug, info, warning or error.")] = None
    domain: Annotated[str | None, Parameter(help="Name that people reach the node by; sign-in shows it.")] = None
    searches_per_hour: Annotated[int | None, Parameter(help="Searches of one account or address.")] = None

    chorus_model: Annotated[str | None, Parameter(help="What answers: extractive, PROVIDER:NAME or URL#NAME.")] = None
    chorus_models: Annotated[str | None, Parameter(help="Other models for some steps: step=model,step=model.")] = None
    chorus_per_hour: Annotated[int | None, Parameter(help="Questions of one account.")] = None
    chorus_at_once: Annotated[int | None, Parameter(help="Runs of the chorus under way at once.")] = None
    chorus_step_seconds: Annotated[float | None, Parameter(help="The longest that a step may take.")] = None
    chorus_run_seconds: Annotated[float | None, Parameter(help="The longest that a run may take.")] = None


def effective_settings(config: Path | None, flags: MemoryFlags) -> "Settings":
    """The settings that a node would run with. Raises ``NodeFailed`` for a wrong one."""
    from choir.node.settings import SettingsError, load_settings

    try:
        settings, _ = load_settings(config, flags.settings())
    except SettingsError as error:
        raise NodeFailed(str(error)) from error
    return settings


def kept_ledger(settings: "Settings") -> Path:
    """The ledger in the data directory, which must exist. Raises ``NodeFailed``."""
    path = Path(settings.data_dir) / "ledger.db"
    if not path.exists():
        raise NodeFailed(f"there is no ledger at {path}: start a node with `choir up`, or name another --data-dir")
    return path
