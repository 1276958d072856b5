"""Probes and metrics, for whoever operates the node."""

from litestar import Response, Router, get
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from choir.api.answers import AnyRequest
from choir.api.services import get_services


@get("/health/live")
async def get_live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@get("/health/ready")
async def get_ready(request: AnyRequest) -> Response[dict[str, str]]:
    """The ledger is open and accepts transactions: 200, else 503."""
    is_ready = get_services(request.app).is_ready()
    return Response({"status": "ready" if is_ready else "not ready"}, status_code=200 if is_ready else 503)


@get("/metrics", media_type=CONTENT_TYPE_LATEST)
async def get_metrics() -> bytes:
    """Metrics in Prometheus' text format."""
    return generate_latest(REGISTRY)


router = Router("/", route_handlers=[get_live, get_ready, get_metrics], tags=["operation"])
