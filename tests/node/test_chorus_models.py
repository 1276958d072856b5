"""Which models the settings give to the steps."""

from typing import Any

import pytest

from choir.chorus.models.provider import ProviderModel
from choir.chorus.ports import Model
from choir.chorus.steps import Step
from choir.node.chorus import close_models, open_models, prepare_models
from choir.node.settings import Settings, SettingsError


async def test_one_model_for_all_steps_as_installed() -> None:
    models = open_models(Settings())
    assert {model.name for model in models.values()} == {"extractive"}
    assert list(models) == list(Step)
    await close_models(models)


async def test_a_model_for_a_step() -> None:
    endpoint = "http://127.0.0.1:9/v1#large"
    models = open_models(Settings(chorus_models={"yield": endpoint, "action": endpoint}))
    assert [models[step].name for step in Step] == ["large", *["extractive"] * 4, "large"]
    assert models[Step.YIELD] is models[Step.ACTION]
    await close_models(models)


def test_a_missing_key_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SettingsError, match="set OPENAI_API_KEY"):
        open_models(Settings(chorus_model="openai:some-model"))


async def test_models_are_prepared_and_one_that_cannot_be_made_stops_nothing() -> None:
    built = []

    def build_broken() -> Any:
        raise ValueError("no such thing")

    def build() -> Any:
        built.append(True)
        return None, None

    models: dict[Step, Model] = {
        Step.ACTION: ProviderModel("broken", build_broken),
        Step.YIELD: ProviderModel("b", build),
    }
    await prepare_models(models)
    assert built == [True]
