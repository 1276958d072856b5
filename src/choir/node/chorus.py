"""The chorus of a node: its models as the settings name them, its file, and its limits."""

import sqlite3
from pathlib import Path
from typing import Final

import structlog

from choir.api.chorus.runs import ChorusRuns, RunLimits
from choir.api.reading import ReadingParts
from choir.chorus.errors import ModelMisconfigured
from choir.chorus.models.choice import make_model
from choir.chorus.ports import Model
from choir.chorus.runner import Timeouts
from choir.chorus.steps import Step
from choir.chorus.store import ChorusStore
from choir.memory.sealing import ContentKey
from choir.memory.vault import Vault
from choir.node.data_dir import DataDirError
from choir.node.settings import Settings, SettingsError
from choir.primitives.signatures import SigningKey

_log = structlog.get_logger("choir.node")
_PER_HOUR: Final = 20
_PER_HOUR_OF_DEVELOPMENT: Final = 10_000


def open_store(directory: Path, node_key: SigningKey) -> ChorusStore:
    """The file of kept runs, sealed with a key that only this node can derive. Raises ``DataDirError``."""
    path = directory / "chorus.db"
    try:
        return ChorusStore(path, ContentKey(Vault(node_key).runs_key()))
    except (OSError, sqlite3.Error) as error:
        raise DataDirError(
            f"{path} cannot be used ({error}): free disk space, or move it away; it holds kept runs of the chorus only"
        ) from error


def make_runs(
    parts: ReadingParts, store: ChorusStore, models: dict[Step, Model], settings: Settings, *, is_development: bool
) -> ChorusRuns:
    """The service over its parts."""
    usual = _PER_HOUR_OF_DEVELOPMENT if is_development else _PER_HOUR
    return ChorusRuns(
        parts,
        store,
        models,
        timeouts=Timeouts(step_seconds=settings.chorus_step_seconds, run_seconds=settings.chorus_run_seconds),
        limits=RunLimits(per_hour=settings.chorus_per_hour or usual, at_once=settings.chorus_at_once),
    )


def open_models(settings: Settings) -> dict[Step, Model]:
    """The model of each step; steps with the same choice share one. Raises ``SettingsError``."""
    chosen = {step: settings.chorus_models.get(step.value, settings.chorus_model) for step in Step}
    try:
        models = {choice: make_model(choice) for choice in chosen.values()}
    except ModelMisconfigured as error:
        raise SettingsError(f"chorus_model: {error}") from error
    return {step: models[choice] for step, choice in chosen.items()}


async def prepare_models(models: dict[Step, Model]) -> None:
    """Load ahead of the first question what it would else wait for. A model that cannot be made fails when asked."""
    for choice, model in {model.name: model for model in models.values()}.items():
        try:
            await model.prepare()
        except Exception as error:
            _log.warning("a model of the chorus cannot be made", model=choice, reason=type(error).__name__)


async def close_models(models: dict[Step, Model]) -> None:
    """Close each model's connections."""
    for model in {id(model): model for model in models.values()}.values():
        await model.aclose()
