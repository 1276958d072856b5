"""The JSON Schemas of request bodies; a submission's is generated from the wire types themselves."""

from typing import Any, Final

import msgspec

from choir.ledger.transactions import Transaction


def _submit_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["tx"],
        "additionalProperties": False,
        "properties": {
            "tx": inline(Transaction),
            "content": {
                "type": "object",
                "required": ["salt", "text"],
                "additionalProperties": False,
                "properties": {
                    "salt": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                    "text": {"type": "string", "maxLength": 65536},
                },
            },
        },
    }


def inline(struct: type[msgspec.Struct]) -> dict[str, Any]:
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
    return {key: _resolve(value, components) for key, value in node.items() if key != "discriminator"}


def with_plain_anchors(node: Any) -> Any:
    """A document whose patterns use ECMAScript's anchors, as JSON Schema asks: it knows no \\A and \\Z."""
    if isinstance(node, list):
        return [with_plain_anchors(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: with_plain_anchors(value) for key, value in node.items()}
    if isinstance(plain.get("pattern"), str):
        plain["pattern"] = plain["pattern"].replace("\\A", "^").replace("\\Z", "$")
    return plain


SUBMIT_SCHEMA: Final = _submit_schema()
