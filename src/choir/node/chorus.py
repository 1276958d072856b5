"""The chorus of a node: its models as the settings name them, its file, and its limits."""

from pathlib import Path
from typing import Final

from choir.api.chorus.runs import ChorusRuns, RunLimits
from choir.api.reading import ReadingParts
from choir.chorus.models.extractive import NAME as EXTRACTIVE
from choir.chorus.models.extractive import ExtractiveModel
from choir.chorus.ports import Model
from choir.chorus.runner import Timeouts
from choir.chorus.steps import Step
from choir.chorus.store import ChorusStore
from choir.memory.sealing import ContentKey
from choir.memory.vault import Vault
from choir.node.settings import Settings, SettingsError
from choir.primitives.signatures import SigningKey

_PER_HOUR: Final = 20
_PER_HOUR_OF_DEVELOPMENT: Final = 10_000


def open_store(directory: Path, node_key: SigningKey) -> ChorusStore:
    """The file of kept runs, sealed with a key that only this node can derive."""
    return ChorusStore(directory / "chorus.db", ContentKey(Vault(node_key).runs_key()))


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
    """The model of each step. Raises ``SettingsError``."""
    for choice in (settings.chorus_model, *settings.chorus_models.values()):
        if choice != EXTRACTIVE:
            raise SettingsError(f"there is no model {choice} in this release: set chorus_model to {EXTRACTIVE}")
    return {step: ExtractiveModel() for step in Step}
