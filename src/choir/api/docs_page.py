"""`/docs`: the API as one HTML page without scripts or third parties, made from the OpenAPI document."""

from html import escape
from typing import Any

from litestar import get
from litestar.enums import MediaType
from litestar.response import Redirect

from choir.api.answers import AnyRequest
from choir.api.openapi import complete_document
from choir.ledger.errors import Code

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "code{font-size:.95em}td,th{text-align:left;padding:.3rem .8rem .3rem 0;vertical-align:top}"
)


@get("/", include_in_schema=False)
async def get_root() -> Redirect:
    """Whoever opens the node in a browser finds out what it offers."""
    return Redirect("/docs")


@get("/docs", media_type=MediaType.HTML, include_in_schema=False)
async def get_docs(request: AnyRequest) -> str:
    """Every route with its parameters and purpose."""
    document = complete_document(request.app.openapi_schema.to_schema())
    rows = "".join(
        _row(path, method, operation)
        for path, operations in sorted(document["paths"].items())
        for method, operation in operations.items()
    )
    errors = "".join(
        f"<tr><td>{code.number}<td><code>{code.name}</code><td>{code.http_status}<td>{escape(code.sentence)}"
        for code in Code
    )
    info = document["info"]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(info["title"])}</title>'
        f"<style>{_STYLE}</style><h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        '<p>The machine-readable form is <a href="/openapi.json">/openapi.json</a>.</p>'
        f"<table><thead><tr><th>Method<th>Route<th>What it does<th>Query</thead><tbody>{rows}</tbody></table>"
        f"<h2>Errors</h2><table><thead><tr><th>Code<th>Name<th>Status<th>Meaning</thead><tbody>{errors}</tbody></table>"
        "</html>"
    )


def _row(path: str, method: str, operation: dict[str, Any]) -> str:
    query = [item["name"] for item in operation.get("parameters", []) if item["in"] == "query"]
    return (
        f"<tr><td>{escape(method.upper())}<td><code>{escape(path)}</code>"
        f"<td>{escape(operation.get('description', ''))}<td>{escape(', '.join(query))}"
    )
