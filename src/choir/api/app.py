"""The ASGI application: routes, limits, error mapping and the OpenAPI document."""

from pathlib import Path
from typing import Any

from litestar import Litestar, Router
from litestar.openapi.config import OpenAPIConfig
from litestar.types import ASGIApp

from choir.api import accounts, health, messages, network, search, sign_in, threads, transactions
from choir.api.bodies import MAX_BODY_BYTES
from choir.api.chorus import routes as chorus
from choir.api.docs_page import DocsPagePlugin
from choir.api.errors import EXCEPTION_HANDLERS
from choir.api.middleware import observe
from choir.api.openapi import DocumentPlugin, complete_document
from choir.api.parameters import refuse_unknown_parameters
from choir.api.services import Services
from choir.api.targets import refuse_long_targets
from choir.api.web import WEB_DIR, load_web, serve_web


def make_app(services: Services, web_dir: Path = WEB_DIR) -> ASGIApp:
    """The application over the given parts, with the web app built in ``web_dir`` at ``/`` where there is one.
    ``/latest`` answers like the newest version."""
    app = _make_api(services.version)
    app.state.services = services
    # Outside of the application, so that requests which match no route are observed too.
    return observe(serve_web(refuse_long_targets(app, services), load_web(web_dir)))


def openapi_document(version: str) -> dict[str, Any]:
    """What ``/openapi.json`` shows. No part of a node is needed for it."""
    return complete_document(_make_api(version).openapi_schema.to_schema())


def _make_api(version: str) -> Litestar:
    routers = [
        transactions.router,
        sign_in.router,
        threads.router,
        messages.router,
        search.router,
        chorus.router,
        accounts.router,
        network.router,
    ]
    guards = [refuse_unknown_parameters]
    return Litestar(
        route_handlers=[
            Router("/v1", route_handlers=routers, guards=guards),
            Router("/latest", route_handlers=routers, guards=guards, include_in_schema=False),
            health.router,
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        request_max_body_size=MAX_BODY_BYTES,
        openapi_config=OpenAPIConfig(
            title="Choir",
            version=version,
            description="Threads that people write and own together, on a ledger that anyone can verify.",
            path="/",
            render_plugins=[DocsPagePlugin(), DocumentPlugin(path="/openapi.json")],
            use_handler_docstrings=True,
        ),
        logging_config=None,
    )
