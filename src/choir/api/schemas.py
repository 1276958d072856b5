"""The JSON Schema of a submission, generated from the wire types themselves."""

from typing import Any, Final

import msgspec
from litestar.openapi.spec import OpenAPIMediaType, RequestBody, Schema

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
FAUCET_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["address"],
    "properties": {"address": {"type": "string", "minLength": 32, "maxLength": 44}},
    "additionalProperties": False,
}


def json_body(schema: dict[str, Any]) -> RequestBody:
    """Documents the body of a route that reads it as bytes."""
    return RequestBody(content={"application/json": OpenAPIMediaType(schema=Schema(**schema))}, required=True)
