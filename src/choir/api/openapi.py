"""The OpenAPI document: what the framework finds out by itself, and what it cannot know: refusals and their codes."""

from typing import Any, Final, cast

from litestar.openapi.plugins import JsonRenderPlugin

from choir.api.accounts import FaucetBody
from choir.api.answers import AnyRequest
from choir.api.chorus.routes import AskBody
from choir.api.schemas import SUBMIT_SCHEMA, inline, with_plain_anchors
from choir.api.search import SuggestBody
from choir.api.sign_in import ChallengeBody, LoginBody
from choir.ledger.errors import Code

_REFUSAL: Final = "#/components/schemas/Refusal"
_TITLES: Final = {
    400: "The request is malformed.",
    401: "The signature is not the sender's.",
    403: "The sender has no right to do this.",
    404: "There is nothing here that the asker may see.",
    409: "The state of the ledger does not allow it.",
    413: "The request is larger than 1 MiB.",
    414: "The address of the request is longer than 128 KiB.",
    429: "Too many; `retry_after` says when to come back.",
    500: "The node failed, and nothing was changed.",
    503: "The node is not ready; `retry_after` says when to ask again.",
}
_PARAMETERS: Final = {
    "tx_hash": "a transaction's hash: 64 lowercase hex digits",
    "content_hash": "a message's content hash: 64 lowercase hex digits",
    "thread_id": "a thread's id: 32 lowercase hex digits",
    "address": "an address: base58 of a public key",
    "height": "a block's height",
    "run_id": "a run's id: 32 lowercase hex digits",
    "status": "what became of the spec",
}
# The routes that read their body as bytes, and what they expect there; every other one takes a transaction.
_BODIES: Final[dict[str, dict[str, Any] | None]] = {
    "/faucet": inline(FaucetBody),
    "/auth/challenge": inline(ChallengeBody),
    "/auth/login": inline(LoginBody),
    "/auth/logout": None,
    "/priors/suggest": inline(SuggestBody),
    "/chorus": inline(AskBody),
    "/chorus/runs/{run_id}/cancel": None,
}
_READING: Final = (400, 401, 404, 414, 429, 500, 503)


class DocumentPlugin(JsonRenderPlugin):
    """Serves the completed document."""

    def render(self, request: AnyRequest, openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, complete_document(openapi_schema))


def complete_document(document: dict[str, Any]) -> dict[str, Any]:
    """The document with summaries, refusals and the table of error codes. Leaves ``document`` as it is."""
    schemas = {**document["components"]["schemas"], "Refusal": _refusal_schema(), "Accepted": _accepted_schema()}
    error = schemas["ErrorBody"]
    names = {**error["properties"]["name"], "enum": [code.name for code in Code]}
    schemas["ErrorBody"] = {**error, "properties": {**error["properties"], "name": names}}
    paths = {
        path: {method: _complete_operation(path, method, operation) for method, operation in operations.items()}
        for path, operations in document["paths"].items()
    }
    complete: dict[str, Any] = {
        **document,
        "info": {**document["info"], "description": f"{document['info']['description']}\n\n{error_table()}"},
        "paths": paths,
        "components": {**document["components"], "schemas": schemas},
    }
    return cast(dict[str, Any], with_plain_anchors(complete))


def error_table() -> str:
    """Every error code, as a Markdown table."""
    rows = [f"| {code.number} | `{code.name}` | {code.http_status} | {code.sentence} |" for code in Code]
    return "\n".join(["## Errors", "", "| code | name | status | meaning |", "|---|---|---|---|", *rows])


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
    description: str = operation["description"].replace("``", "`")
    responses = {status: response for status, response in operation["responses"].items() if status != "400"}
    responses["200"] = {**responses["200"], "description": "What was asked for."}
    if path.startswith("/v1/"):
        statuses = _READING if method == "get" else tuple(_TITLES)
        responses |= {str(status): _refusal(status) for status in statuses}
    if path.removeprefix("/v1") == "/chorus":
        responses["200"]["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    if any(parameter["name"] == "wait" for parameter in operation.get("parameters", [])):
        responses["202"] = _json_response("Admitted, not yet committed.", "#/components/schemas/Accepted")
    if path == "/health/ready":
        responses["503"] = {**responses["200"], "description": "Not ready."}
    complete = {**operation, "description": description, "responses": responses}
    if method == "post":
        body = _BODIES.get(path.removeprefix("/v1"), SUBMIT_SCHEMA)
        if body is not None:
            complete["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if "parameters" in operation:
        complete["parameters"] = [
            {"description": _PARAMETERS.get(parameter["name"]), **parameter} for parameter in operation["parameters"]
        ]
    # The first sentence: up to a full stop or a colon, whichever comes first.
    complete["summary"] = description.partition(".")[0].partition(":")[0]
    return complete


def _refusal(status: int) -> dict[str, Any]:
    response = _json_response(_TITLES[status], _REFUSAL)
    if status in (429, 503):
        response["headers"] = {"Retry-After": {"description": "seconds", "schema": {"type": "string"}}}
    return response


def _json_response(description: str, reference: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": reference}}}}


def _refusal_schema() -> dict[str, Any]:
    """An answer with an error; ``data`` holds the receipt where a block refused the transaction."""
    receipt = {"oneOf": [{"$ref": "#/components/schemas/Receipt"}, {"type": "null"}]}
    return _answer_schema(receipt, {"$ref": "#/components/schemas/ErrorBody"})


def _accepted_schema() -> dict[str, Any]:
    admitted = {"type": "object", "required": ["tx_hash"], "properties": {"tx_hash": {"type": "string"}}}
    return _answer_schema(admitted, {"type": "null"})


def _answer_schema(data: dict[str, Any], error: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["data", "error", "metadata"],
        "properties": {"data": data, "error": error, "metadata": {"$ref": "#/components/schemas/Metadata"}},
    }
