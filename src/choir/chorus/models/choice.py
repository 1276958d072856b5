"""From a line of the configuration to a model.

``extractive``, ``openai:NAME``, ``anthropic:NAME``, ``google:NAME``, ``ollama:NAME``, or the address of any endpoint
that speaks OpenAI's chat protocol: ``http://HOST:PORT/v1#NAME``. Keys come from the environment, never from this line,
which logs and watchers may see; and a key goes to the host that it is for, and to no other.
"""

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from choir.chorus.errors import ModelMisconfigured
from choir.chorus.models.extractive import NAME as EXTRACTIVE
from choir.chorus.models.extractive import ExtractiveModel
from choir.chorus.models.provider import ProviderModel
from choir.chorus.ports import Model

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from pydantic_ai.models import Model as PydanticModel

    from choir.chorus.models.provider import Built

KEY_VARIABLES: Final[dict[str, tuple[str, ...]]] = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google": ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
    "ollama": ("OLLAMA_API_KEY",),
}
ENDPOINT_KEY_VARIABLE: Final = "CHOIR_CHORUS_API_KEY"
_OLLAMA_URL: Final = "http://127.0.0.1:11434/v1"
_NO_KEY: Final = "none"  # what the client sends to endpoints that ask for no key
_CONNECT_SECONDS: Final = 10.0


def make_model(choice: str, *, environment: Mapping[str, str] = os.environ) -> Model:
    """The model that ``choice`` names. Raises ``ModelMisconfigured``. Nothing is asked of the provider yet."""
    choice = choice.strip()
    if choice == EXTRACTIVE:
        return ExtractiveModel()
    if choice.startswith(("http://", "https://")):
        return _endpoint_model(choice, environment.get(ENDPOINT_KEY_VARIABLE) or _NO_KEY)
    provider, _, name = choice.partition(":")
    if provider not in KEY_VARIABLES or not name.strip():
        raise ModelMisconfigured(
            f"A model is {EXTRACTIVE}, openai:NAME, anthropic:NAME, google:NAME, ollama:NAME or http://HOST/v1#NAME."
        )
    key = next((environment[one] for one in KEY_VARIABLES[provider] if environment.get(one)), None)
    if key is None and provider != "ollama":
        raise ModelMisconfigured(f"{provider} needs a key: set {KEY_VARIABLES[provider][0]}.")
    if provider == "ollama":
        url = environment.get("OLLAMA_BASE_URL") or _OLLAMA_URL
        return ProviderModel(name, lambda: _build_compatible(url, name, key or _NO_KEY))
    build: dict[str, Callable[[str, str], Built]] = {
        "openai": _build_openai,
        "anthropic": _build_anthropic,
        "google": _build_google,
    }
    return ProviderModel(name, lambda: build[provider](name, str(key)), has_prices=True)


def _endpoint_model(choice: str, key: str) -> ProviderModel:
    try:
        address = urlsplit(choice)
        _ = address.port
    except ValueError:
        raise ModelMisconfigured("The address of the model's endpoint is malformed.") from None
    name = address.fragment
    if not address.hostname or not name:
        raise ModelMisconfigured("The address of an endpoint ends with # and the model's name: http://HOST/v1#NAME.")
    if address.username or address.password or address.query:
        raise ModelMisconfigured("The address of an endpoint holds no key: give it as the key.")
    url = choice.partition("#")[0]
    return ProviderModel(name, lambda: _build_compatible(url, name, key))


def _make_client() -> "AsyncClient":
    """No redirects: a key goes to the configured host only. How long a model may be silent, the runner knows."""
    import httpx2

    return httpx2.AsyncClient(timeout=httpx2.Timeout(None, connect=_CONNECT_SECONDS))


def _build_compatible(url: str, name: str, key: str) -> "Built":
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.profiles.openai import OpenAIModelProfile
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    client = _make_client()
    provider = OpenAICompatibleProvider("endpoint", base_url=url, api_key=key, http_client=client)
    # Most such endpoints take schemas; one that does not is asked in words after its first refusal.
    profile = OpenAIModelProfile(supports_json_schema_output=True)
    model: PydanticModel[Any] = OpenAIChatModel(name, provider=provider, profile=profile)
    return model, client


def _build_openai(name: str, key: str) -> "Built":
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    client = _make_client()
    url = "https://api.openai.com/v1"
    return OpenAIChatModel(name, provider=OpenAIProvider(base_url=url, api_key=key, http_client=client)), client


def _build_anthropic(name: str, key: str) -> "Built":
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = _make_client()
    return AnthropicModel(name, provider=AnthropicProvider(api_key=key, http_client=client)), client


def _build_google(name: str, key: str) -> "Built":
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    client = _make_client()
    return GoogleModel(name, provider=GoogleProvider(api_key=key, http_client=client)), client
