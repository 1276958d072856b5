"""`/docs`: the API as one HTML page without scripts or third parties, made from the OpenAPI document.

It also answers `/` where the web app was not built.
"""

from html import escape
from typing import Any

from litestar.enums import MediaType
from litestar.openapi.plugins import OpenAPIRenderPlugin

from choir.api.answers import AnyRequest

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
    "code{font-size:.95em}td,th{text-align:left;padding:.3rem .8rem .3rem 0;vertical-align:top}"
)


class DocsPagePlugin(OpenAPIRenderPlugin):
    """Shows every route with its parameters and purpose."""

    def __init__(self) -> None:
        super().__init__(path="/docs", media_type=MediaType.HTML)

    def render(self, request: AnyRequest, openapi_schema: dict[str, Any]) -> bytes:
        """The page, as UTF-8."""
        rows = "".join(
            _row(path, method, operation)
            for path, operations in sorted(openapi_schema["paths"].items())
            for method, operation in operations.items()
        )
        info = openapi_schema["info"]
        title = f"{escape(info['title'])} {escape(info['version'])}"
        notice = "<p><strong>The web app is not built here: run <code>make web</code>.</strong></p>"
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<style>{_STYLE}</style><h1>{title}</h1>"
            f"{notice if request.url.path == '/' else ''}"
            f"<p>{escape(info['description'])} The machine-readable form is "
            '<a href="/openapi.json">/openapi.json</a>.</p>'
            "<table><thead><tr><th>Method<th>Route<th>What it does<th>Query</thead>"
            f"<tbody>{rows}</tbody></table></html>"
        ).encode()


def _row(path: str, method: str, operation: dict[str, Any]) -> str:
    query = [item["name"] for item in operation.get("parameters", []) if item["in"] == "query"]
    description = escape(operation.get("description", "").replace("``", ""))
    return (
        f"<tr><td>{escape(method.upper())}<td><code>{escape(path)}</code>"
        f"<td>{description}<td>{escape(', '.join(query))}"
    )
