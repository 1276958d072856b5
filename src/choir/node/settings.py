"""Settings: one TOML file, environment variables (``CHOIR_…``) over it, flags over both. Unknown keys are errors."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

ENV_PREFIX: Final = "CHOIR_"
# Variables of the prefix that are not settings of the node.
_OTHER_VARIABLES: Final = frozenset(
    {
        "CHOIR_CONFIG",
        "CHOIR_NODE",
        "CHOIR_KEYRING",
        "CHOIR_KEYRING_PASSWORD",
        "CHOIR_EMBEDDER_API_KEY",
        "CHOIR_QDRANT_API_KEY",
        "CHOIR_CHORUS_API_KEY",
        "CHOIR_SESSION_TOKEN",
    }
)
_TEST_PREFIX: Final = "CHOIR_TEST_"
ChorusStep = Literal["action", "experience", "intention", "observation", "update", "yield"]
ChorusModel = Annotated[str, Meta(pattern="^(extractive|(openai|anthropic|google|ollama):.+|https?://[^#]+#[^#]+)$")]


class SettingsError(ValueError):
    """A setting is unknown or has a wrong value; the message names it and where it stands."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting of a node. Documented in docs/reference/configuration.md.

    ``searches_per_hour`` 0 means 100 on a real chain and 100,000 on a development chain; ``chorus_per_hour`` 0 means 20
    and 10,000.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8420
    data_dir: str = ""
    node_name: Annotated[str, Meta(min_length=1, max_length=64)] = "choir"
    log_level: Annotated[str, Meta(pattern="^(debug|info|warning|error)$")] = "info"
    genesis_file: str = ""
    domain: Annotated[
        str, Meta(pattern=r"^([A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9a-f:]{2,39}\](:[0-9]{1,5})?)?$")
    ] = ""
    embedder: Annotated[
        str, Meta(pattern="^(wordllama|minilm|sentence-transformers:.+|https?://[^#]+#[^#]+#[0-9]+)$")
    ] = "wordllama"
    vector_index: Annotated[str, Meta(pattern="^(auto|exact|edge|https?://.+)$")] = "auto"
    searches_per_hour: Annotated[int, Meta(ge=0, le=3_600_000)] = 0
    chorus_model: ChorusModel = "extractive"
    chorus_models: dict[ChorusStep, ChorusModel] = {}
    chorus_per_hour: Annotated[int, Meta(ge=0, le=3_600_000)] = 0
    chorus_at_once: Annotated[int, Meta(ge=1, le=1000)] = 8
    chorus_step_seconds: Annotated[float, Meta(ge=1, le=3600)] = 120.0
    chorus_run_seconds: Annotated[float, Meta(ge=1, le=86_400)] = 900.0


class Origin(NamedTuple):
    """A setting's value and where it came from."""

    value: Any
    origin: str


def default_data_dir() -> Path:
    """``$XDG_DATA_HOME/choir``, usually ~/.local/share/choir."""
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser() / "choir"


def default_config_file() -> Path:
    """``$XDG_CONFIG_HOME/choir/choir.toml``, usually ~/.config/choir/choir.toml."""
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "choir" / "choir.toml"


def load_settings(
    config_file: Path | None, flags: Mapping[str, Any], environment: Mapping[str, str] | None = None
) -> tuple[Settings, dict[str, Origin]]:
    """The effective settings, and the origin of each. A flag that is None was not given. Raises ``SettingsError``."""
    environment = os.environ if environment is None else environment
    origins = {field: Origin(default, "default") for field, default in _defaults().items()}
    origins |= _from_file(config_file, environment)
    origins |= _from_environment(environment)
    origins |= {
        name: Origin(value, f"--{name.replace('_', '-')}") for name, value in flags.items() if value is not None
    }
    values = {name: origin.value for name, origin in origins.items()}
    values["chorus_models"] = _parse_table(values["chorus_models"])
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].rstrip("`")
        where = f" (from {origins[name].origin})" if name in origins else ""
        raise SettingsError(f"setting {name or '?'}{where}: {error}") from None
    return settings, origins


def _defaults() -> dict[str, Any]:
    defaults = {name: getattr(Settings(), name) for name in Settings.__struct_fields__}
    return {**defaults, "data_dir": str(default_data_dir())}


def _from_file(config_file: Path | None, environment: Mapping[str, str]) -> dict[str, Origin]:
    named = config_file or (Path(environment["CHOIR_CONFIG"]) if environment.get("CHOIR_CONFIG") else None)
    path = named or default_config_file()
    if named is None and not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from error
    _refuse_unknown(values, str(path))
    return {name: Origin(value, str(path)) for name, value in values.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Origin]:
    found: dict[str, Origin] = {}
    for variable, value in environment.items():
        is_setting = variable.startswith(ENV_PREFIX) and variable not in _OTHER_VARIABLES
        if is_setting and not variable.startswith(_TEST_PREFIX):
            found[variable.removeprefix(ENV_PREFIX).lower()] = Origin(value, variable)
    _refuse_unknown(found, "the environment")
    return found


def _parse_table(value: Any) -> Any:
    """A table as a variable or a flag spells it, ``step=model,step=model``; one from a file is a table already. What is
    malformed stays text, which the settings refuse."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    if not all(separator for _, separator, _ in pairs):
        return value
    return {key.strip(): model.strip() for key, _, model in pairs}


def _refuse_unknown(values: Mapping[str, Any], where: str) -> None:
    for name in values:
        if name not in Settings.__struct_fields__:
            raise SettingsError(
                f"unknown setting {name!r} in {where}; known: {', '.join(sorted(Settings.__struct_fields__))}"
            )
