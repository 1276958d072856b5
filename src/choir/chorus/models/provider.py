"""Language models of a provider, through pydantic-ai: one streamed request for a step, without tools.

pydantic-ai is imported when the first step is asked for, since that takes longer than a whole node's start.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final

from choir.chorus.errors import ModelAnswerInvalid, ModelRefused, ModelTruncated
from choir.chorus.events import Usage
from choir.chorus.models.shape import output_schema, parse_output, shown_text
from choir.chorus.ports import StepInput, StepResult, TextDelta
from choir.chorus.prompts import system_prompt, user_prompt
from choir.chorus.steps import AnyOutput, Step

if TYPE_CHECKING:
    from httpx2 import AsyncClient
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model as PydanticModel
    from pydantic_ai.models import StreamedResponse

    Built = tuple[PydanticModel[Any], AsyncClient]

MAX_ANSWER_CHARACTERS: Final = 200_000
MAX_ANSWER_TOKENS: Final = 8_192
# An unfinished answer is read again when it has grown by this part of itself: that keeps the work linear.
_GROWTH: Final = 256


class ProviderModel:
    """``build`` makes the pydantic-ai model and its HTTP client; it is called once, in a thread. ``has_prices`` says
    whether the provider's published prices hold for it."""

    is_extractive: Final = False

    def __init__(self, name: str, build: "Callable[[], Built]", *, has_prices: bool = False) -> None:
        self._name = name
        self._build = build
        self._has_prices = has_prices
        self._built: Built | None = None
        self._building = asyncio.Lock()
        self._takes_schemas = True

    @property
    def name(self) -> str:
        """Shown to the asker: the model's name, without its address."""
        return self._name

    async def run(self, given: StepInput) -> AsyncGenerator[TextDelta | StepResult, None]:
        """One request. Closing the generator closes the provider's stream. Raises ``ModelError``."""
        model, _ = await self.get_built()
        from choir.chorus.models.provider_errors import RequestNotAccepted, translated_errors

        written = _Written(given.step)
        try:
            with translated_errors():
                async with self._request(model, given) as stream:
                    async for piece in _text_pieces(stream):
                        if delta := written.add(piece):
                            yield TextDelta(delta)
                    response = stream.get()
        except RequestNotAccepted:
            # Perhaps it knows no schemas: the retry asks in words alone. If that was not it, back again.
            self._takes_schemas = not self._takes_schemas
            raise
        output = _read_answer(given.step, written.text, response)
        if delta := written.rest(output):
            yield TextDelta(delta)
        yield StepResult(output=output, usage=self._usage(response))

    async def aclose(self) -> None:
        """Close the connections."""
        built, self._built = self._built, None
        if built is not None:
            await built[1].aclose()

    async def prepare(self) -> None:
        """Import and build: seconds on a slow machine."""
        await self.get_built()

    async def get_built(self) -> "Built":
        """The pydantic-ai model and its HTTP client."""
        async with self._building:
            if self._built is None:
                self._built = await asyncio.to_thread(self._build)
            return self._built

    def _request(
        self, model: "PydanticModel[Any]", given: StepInput
    ) -> "AbstractAsyncContextManager[StreamedResponse]":
        from pydantic_ai.direct import model_request_stream
        from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart
        from pydantic_ai.models import ModelRequestParameters
        from pydantic_ai.output import OutputObjectDefinition
        from pydantic_ai.settings import ModelSettings

        # The controller retries, the runner keeps the time, and nothing is told to any telemetry.
        settings = ModelSettings(max_retries=0)
        parameters = ModelRequestParameters()
        if self._takes_schemas:
            settings["max_tokens"] = MAX_ANSWER_TOKENS
        if self._takes_schemas and model.profile.get("supports_json_schema_output", False):
            form = OutputObjectDefinition(json_schema=output_schema(given.step), name=given.step.value, strict=True)
            parameters = ModelRequestParameters(output_mode="native", output_object=form)
        told = ModelRequest(parts=[SystemPromptPart(system_prompt(given.step)), UserPromptPart(user_prompt(given))])
        return model_request_stream(
            model,
            [told],
            model_settings=settings,
            model_request_parameters=parameters,
            instrument=False,
        )

    def _usage(self, response: "ModelResponse") -> Usage:
        cost = None
        if self._has_prices and response.usage.has_values():
            try:
                cost = float(response.cost().total_price)
            except (LookupError, ValueError):
                cost = None  # no price is published for it
        usage = response.usage
        return Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, cost_usd=cost)


class _Written:
    """An answer while it comes: the JSON so far, and how much of its text has been shown."""

    def __init__(self, step: Step) -> None:
        self.text = ""
        self._step = step
        self._read = 0
        self._shown = ""

    def add(self, piece: str) -> str:
        """What of the text is new to be shown. Raises ``ModelAnswerInvalid`` when the answer is too long."""
        from pydantic_core import from_json

        self.text += piece
        if len(self.text) > MAX_ANSWER_CHARACTERS:
            raise ModelAnswerInvalid(f"The model's answer to {self._step.value} is too long.")
        if len(self.text) - self._read < len(self.text) // _GROWTH or "{" not in self.text:
            return ""
        self._read = len(self.text)
        try:
            fields = from_json(self.text[self.text.index("{") :], allow_partial="trailing-strings")
        except ValueError:
            return ""  # not JSON, or something after it: the end of the answer tells
        return self._new(shown_text(self._step, fields)) if isinstance(fields, dict) else ""

    def rest(self, output: AnyOutput) -> str:
        """What was not shown yet of the whole answer."""
        from msgspec.structs import asdict

        return self._new(shown_text(self._step, asdict(output))) if not self._shown else ""

    def _new(self, text: str) -> str:
        if not text.startswith(self._shown):
            return ""
        delta = text[len(self._shown) :]
        self._shown = text
        return delta


async def _text_pieces(stream: "StreamedResponse") -> AsyncIterator[str]:
    """The text as it comes; thoughts are left out."""
    from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

    async for event in stream:
        if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
            yield event.part.content
        elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
            yield event.delta.content_delta


def _read_answer(step: Step, text: str, response: "ModelResponse") -> AnyOutput:
    if response.finish_reason == "content_filter":
        raise ModelRefused("The model will not answer this.")
    if response.finish_reason == "length":
        raise ModelTruncated("The model's answer was longer than it may be and broke off.")
    return parse_output(step, text)
