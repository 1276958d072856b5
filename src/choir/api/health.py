"""Probes and metrics, for whoever operates the node."""

from math import nan

from litestar import Response, Router, get
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, Gauge, generate_latest

from choir.api.answers import AnyRequest
from choir.api.services import get_services
from choir.coherence.fixed import ONE
from choir.coherence.records import EpochRecord

_UNAUTHORISED_ATTEMPTS = Gauge("choir_privacy_unauthorised_attempts", "Refused reads of what is not public, ever")
_PRIVATE_READS = Gauge("choir_privacy_private_reads", "Allowed reads of what is not public, ever")
_SUMMARIES_SERVED = Gauge("choir_privacy_summaries_served", "Summaries given instead of texts, ever")
_COHERENCE = Gauge("choir_coherence", "Coherence density of the last measured epoch, 0 to 1; NaN before the first")
_ATTUNEMENT = Gauge("choir_attunement", "Attunement after the last measured epoch, 0.3 to 1; NaN before the first")
_PSI = Gauge("choir_psi", "Score after the last measured epoch, 0 to 1", ["validator"])
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
    _set_coherence(services.coherence.latest)
    return generate_latest(REGISTRY)


def _set_coherence(measured: EpochRecord | None) -> None:
    if measured is None:
        # Zero would be the worst there is.
        _COHERENCE.set(nan)
        _ATTUNEMENT.set(nan)
        return
    _COHERENCE.set(measured.coherence_millionths / ONE)
    _ATTUNEMENT.set(measured.attunement_millionths / ONE)
    for validator in measured.validators:
        _PSI.labels(validator.address).set(validator.psi_millionths / ONE)


router = Router("/", route_handlers=[get_live, get_ready, get_metrics], tags=["operation"])
