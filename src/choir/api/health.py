"""Probes and metrics, for whoever operates the node."""

from litestar import Response, Router, get
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, generate_latest

from choir.api.answers import AnyRequest
from choir.api.services import get_services

_UNAUTHORISED_ATTEMPTS = Gauge("choir_privacy_unauthorised_attempts", "Refused reads of what is not public, ever")
_PRIVATE_READS = Gauge("choir_privacy_private_reads", "Allowed reads of what is not public, ever")
_SUMMARIES_SERVED = Gauge("choir_privacy_summaries_served", "Summaries given instead of texts, ever")
_HEIGHT = Gauge("choir_ledger_height", "Height of the newest block")


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
async def get_metrics(request: AnyRequest) -> bytes:
    """Metrics in Prometheus' text format."""
    services = get_services(request.app)
    counters = await services.access.run(services.access.audit.get_counters)
    _UNAUTHORISED_ATTEMPTS.set(counters.unauthorised_attempts)
    _PRIVATE_READS.set(counters.private_reads)
    _SUMMARIES_SERVED.set(counters.summaries_served)
    with services.engine.read() as state:
        _HEIGHT.set(state.chain.height)
    return generate_latest(REGISTRY)


router = Router("/", route_handlers=[get_live, get_ready, get_metrics], tags=["operation"])
