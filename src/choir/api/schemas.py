"""The JSON Schema of a submission, generated from the wire types themselves."""

from typing import Any, Final

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema

from choir.ledger.transactions import Transaction


def _submit_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["tx"],
        "properties": {
            "tx": _inline(Transaction),
            "content": {
                "type": "object",
                "required": ["salt", "text"],
                "properties": {
                    "salt": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                    "text": {"type": "string", "maxLength": 65536},
                },
            },
        },
    }


def _inline(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """A type's schema without references: the document stays in one piece."""
    (schema,), components = msgspec.json.schema_components([struct], ref_template="{name}")
    resolved: dict[str, Any] = _resolve(schema, components)
    return resolved


def _resolve(node: Any, components: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_resolve(item, components) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _resolve(components[node["$ref"]], components)
    resolved = {key: _resolve(value, components) for key, value in node.items() if key != "discriminator"}
    if "pattern" in resolved:
        # JSON Schema uses ECMAScript's anchors, which know no \A and \Z.
        resolved["pattern"] = resolved["pattern"].replace("\\A", "^").replace("\\Z", "$")
    return resolved


SUBMIT_SCHEMA: Final = _submit_schema()


def json_operation(body: type[msgspec.Struct] | dict[str, Any]) -> type[Operation]:
    """Documents the body of a route that reads it as bytes: a struct, or a schema."""
    schema = body if isinstance(body, dict) else _inline(body)

    class WithBody(Operation):
        def __post_init__(self) -> None:
            media = OpenAPIMediaType(schema=Schema(**_keywords(schema)))
            self.request_body = RequestBody(content={"application/json": media}, required=True)

    return WithBody


def _keywords(schema: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema's names as the arguments that the framework's class takes."""
    names = {"additionalProperties": "additional_properties"}
    return {names.get(name, name): value for name, value in schema.items() if name != "title"}
