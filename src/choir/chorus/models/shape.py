"""The form in which a language model gives a step: JSON Schema out, JSON in, and what of it is shown while it comes."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import msgspec

from choir.chorus.errors import ModelAnswerInvalid, ModelTruncated
from choir.chorus.steps import OUTPUT_OF, AnyOutput, Step

# What is shown while a step is written: its text, or its items line by line.
_SHOWN: Final[dict[Step, tuple[str, ...]]] = {
    Step.ACTION: ("initial_response",),
    Step.EXPERIENCE: ("patterns", "insights"),
    Step.INTENTION: ("goals", "constraints", "expected_outcomes"),
    Step.OBSERVATION: ("analysis",),
    Step.UPDATE: ("refinements", "learnings"),
    Step.YIELD: ("final_response",),
}


@cache
def output_schema(step: Step) -> dict[str, Any]:
    """The JSON Schema of the step's output, without references and without the name of the step."""
    (_, definitions) = msgspec.json.schema_components([OUTPUT_OF[step]], ref_template="{name}")
    schema: dict[str, Any] = _resolve(definitions[OUTPUT_OF[step].__name__], definitions)
    del schema["properties"]["step"]
    schema["required"] = list(schema["properties"])
    return schema


def shown_text(step: Step, fields: Mapping[str, Any]) -> str:
    """The text of an output, perhaps unfinished, in the order in which its fields were written."""
    lines: list[str] = []
    for name, value in fields.items():
        if name in _SHOWN[step]:
            lines += [value] if isinstance(value, str) else [item for item in value or () if isinstance(item, str)]
    return "\n".join(lines)


def parse_output(step: Step, text: str) -> AnyOutput:
    """The output that a model wrote as JSON; words or fences around it are left out.

    Raises ``ModelAnswerInvalid``, or ``ModelTruncated`` where the JSON is right as far as it goes.
    """
    start = text.find("{")
    try:
        fields, _ = json.JSONDecoder().raw_decode(text, start) if start >= 0 else (None, 0)
    except (ValueError, RecursionError):
        if _is_beginning(text[start:]):
            raise ModelTruncated("The model's answer broke off before it was complete.") from None
        raise ModelAnswerInvalid(f"The model's answer to {step.value} is not JSON.") from None
    if not isinstance(fields, dict):
        raise ModelAnswerInvalid(f"The model's answer to {step.value} is not JSON.")
    try:
        return msgspec.convert(fields | {"step": step.value}, OUTPUT_OF[step])
    except (msgspec.ValidationError, RecursionError):
        raise ModelAnswerInvalid(f"The model's answer to {step.value} does not have the form asked for.") from None


def _is_beginning(text: str) -> bool:
    from pydantic_core import from_json

    try:
        from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return False
    return True


def _resolve(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_resolve(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _resolve(definitions[schema["$ref"]], definitions)
    resolved = {
        key: _resolve(value, definitions) for key, value in schema.items() if key not in ("title", "description")
    }
    if "properties" in resolved:
        resolved["additionalProperties"] = False
    return resolved
