"""The OpenAPI document against the node itself: whatever is asked, it never fails, and it answers as documented."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema_rs import validator_for
from schemathesis.checks import (
    CheckFunction,
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from choir.ledger.errors import Code
from tests.support.node import NodeProcess, running_node
from tests.support.patience import PATIENCE_SECONDS

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def load_document(node: NodeProcess) -> dict[str, Any]:
    with urllib.request.urlopen(f"{node.url}/openapi.json") as response:
        document: dict[str, Any] = json.load(response)
    return document


@pytest.fixture(scope="module")
def document(shared_node: NodeProcess) -> dict[str, Any]:
    return load_document(shared_node)


@pytest.fixture(scope="module")
def fuzzed_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    with running_node(tmp_path_factory.mktemp("fuzzed") / "node") as node:
        yield node
        assert '"level": "error"' not in node.stderr()


def fuzz(node: NodeProcess, examples: int) -> None:
    """Ask every route generated questions, within and beyond what the document allows."""
    schema = schemathesis.openapi.from_url(f"{node.url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            ask(operation, mode, examples)


def ask(operation: Any, mode: schemathesis.GenerationMode, examples: int) -> None:
    can_be_wrong = bool(operation.body) or bool(operation.query)
    if mode is schemathesis.GenerationMode.NEGATIVE and not can_be_wrong:
        return

    @settings(
        max_examples=examples if can_be_wrong else 3,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=CHECKS, timeout=PATIENCE_SECONDS)

    run()


def test_no_question_makes_it_fail(fuzzed_node: NodeProcess) -> None:
    fuzz(fuzzed_node, 12)


@pytest.mark.slow
def test_no_question_makes_it_fail_at_length(fuzzed_node: NodeProcess) -> None:
    fuzz(fuzzed_node, 400)


def as_submission(text: str) -> bytes:
    return f'{{"tx":{text}}}'.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("path", ["/v1/tx", "/v1/message/submit", "/v1/faucet"])
def test_no_body_makes_it_fail(fuzzed_node: NodeProcess, path: str) -> None:
    """Bytes that no schema would make."""

    @settings(max_examples=60, deadline=None, database=None, phases=(Phase.generate,))
    @given(body=st.one_of(st.binary(max_size=300), st.text(max_size=100).map(as_submission)))
    def run(body: bytes) -> None:
        request = urllib.request.Request(fuzzed_node.url + path, body, {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)
        with refused.value as response:
            assert response.code == 400
            assert json.load(response)["error"]["name"] in Code.__members__

    run()


def test_the_document_is_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "Choir"
    for schema in document["components"]["schemas"].values():
        validator_for({**schema, "components": document["components"]})  # raises for what is no schema
    assert list(unresolved(document, document)) == []
    assert "\\\\A" not in json.dumps(document)  # JSON Schema's expressions know ^ and $ only


def unresolved(node: Any, document: dict[str, Any]) -> Iterator[str]:
    """References that lead nowhere."""
    if isinstance(node, list):
        for item in node:
            yield from unresolved(item, document)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            target: Any = document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target.get(part) if isinstance(target, dict) else None
            if target is None:
                yield node["$ref"]
        for value in node.values():
            yield from unresolved(value, document)


def operations_of(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def test_every_route_says_what_it_does(document: dict[str, Any]) -> None:
    operations = list(operations_of(document))
    assert len({operation["operationId"] for _, operation in operations}) == len(operations)
    for name, operation in operations:
        assert " " in operation["summary"], name
        assert len(operation["summary"]) <= 120, name
        assert operation["description"].startswith(operation["summary"]), name
        assert operation["tags"], name
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (name, parameter["name"])


def test_every_route_tells_its_refusals(document: dict[str, Any]) -> None:
    for name, operation in operations_of(document):
        if "/v1/" not in name:
            continue
        expected = {"400", "404", "500", "503"}
        if name.startswith("POST"):
            expected |= {"401", "403", "409", "413", "429"}
            assert name.endswith(("/logout", "/cancel")) or operation["requestBody"]["required"], name
        assert expected <= set(operation["responses"]), name
        for status in expected:
            content = operation["responses"][status]["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Refusal"}, name


def test_the_contract_is_complete(document: dict[str, Any]) -> None:
    assert {name for name, _ in operations_of(document)} >= {
        "POST /v1/tx",
        "GET /v1/tx/{tx_hash}",
        "POST /v1/thread/create",
        "GET /v1/thread/{thread_id}",
        "GET /v1/threads",
        "POST /v1/message/submit",
        "GET /v1/message/{content_hash}",
        "GET /v1/message/{content_hash}/proof",
        "POST /v1/spec/approve",
        "GET /v1/specs",
        "POST /v1/token/divest",
        "POST /v1/token/transfer",
        "GET /v1/account/{address}",
        "POST /v1/faucet",
        "GET /v1/proof/{tx_hash}",
        "GET /v1/network",
        "GET /v1/validators",
        "GET /v1/epochs",
        "GET /v1/genesis",
        "GET /v1/block/{height}",
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
    }


def test_every_error_is_listed(document: dict[str, Any]) -> None:
    named = document["components"]["schemas"]["ErrorBody"]["properties"]["name"]["enum"]
    assert named == [code.name for code in Code]
    for code in Code:
        row = f"| {code.number} | `{code.name}` | {code.http_status} | {code.sentence} |"
        assert row in document["info"]["description"]
