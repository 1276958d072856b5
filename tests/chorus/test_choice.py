"""Which model a line of the configuration means."""

import pytest

from choir.chorus.errors import ModelMisconfigured
from choir.chorus.models.choice import make_model
from choir.chorus.models.extractive import ExtractiveModel
from choir.chorus.models.provider import ProviderModel

KEYS = {"OPENAI_API_KEY": "openai-key", "ANTHROPIC_API_KEY": "anthropic-key", "GEMINI_API_KEY": "google-key"}


def test_the_built_in_model() -> None:
    model = make_model("extractive", environment={})
    assert isinstance(model, ExtractiveModel)
    assert (model.name, model.is_extractive) == ("extractive", True)


@pytest.mark.parametrize(
    ("choice", "kind", "host", "key"),
    [
        ("openai:gpt-5-mini", "OpenAIChatModel", "https://api.openai.com/v1/", "openai-key"),
        ("anthropic:claude-sonnet-4-6", "AnthropicModel", "https://api.anthropic.com", "anthropic-key"),
        ("google:gemini-2.5-flash", "GoogleModel", "https://generativelanguage.googleapis.com/", "google-key"),
        ("ollama:qwen3:8b", "OpenAIChatModel", "http://127.0.0.1:11434/v1/", "none"),
        ("http://models.example:8000/v1#llama", "OpenAIChatModel", "http://models.example:8000/v1/", "none"),
    ],
)
async def test_providers(choice: str, kind: str, host: str, key: str) -> None:
    model = make_model(choice, environment=KEYS)
    assert isinstance(model, ProviderModel)
    assert not model.is_extractive
    built, _ = await model.get_built()
    assert type(built).__name__ == kind
    assert str(built.base_url) == host
    assert built.model_name in choice
    client = getattr(built, "client", None)
    assert getattr(client, "api_key", key) == key  # a known provider's key never goes to another host
    await model.aclose()


async def test_an_endpoint_has_a_key_of_its_own() -> None:
    model = make_model("http://models.example/v1#x", environment=KEYS | {"CHOIR_CHORUS_API_KEY": "endpoint-key"})
    assert isinstance(model, ProviderModel)
    built, _ = await model.get_built()
    assert getattr(built, "client").api_key == "endpoint-key"  # noqa: B009
    await model.aclose()


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ("", "A model is"),
        ("gpt-5", "A model is"),
        ("openai:", "A model is"),
        ("nobody:x", "A model is"),
        ("openai:x", "set OPENAI_API_KEY"),
        ("anthropic:x", "set ANTHROPIC_API_KEY"),
        ("google:x", "set GOOGLE_API_KEY"),
        ("http://host/v1", "the model's name"),
        ("http://#x", "the model's name"),
        ("http://user:secret@host/v1#x", "holds no key"),
        ("http://host/v1?key=secret#x", "holds no key"),
        ("http://host:port/v1#x", "malformed"),
    ],
)
def test_what_is_no_choice(choice: str, told: str) -> None:
    with pytest.raises(ModelMisconfigured, match=told) as raised:
        make_model(choice, environment={})
    assert "secret" not in str(raised.value)
