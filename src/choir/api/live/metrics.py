"""What the WebSocket tells Prometheus."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

CONNECTIONS: Final = Gauge("choir_live_connections", "Open WebSocket connections")
SUBSCRIPTIONS: Final = Gauge("choir_live_subscriptions", "Streams followed, over all connections")
DELIVERIES: Final = Counter("choir_live_deliveries", "Updates written to clients as they happened", ["kind"])
CATCH_UPS: Final = Counter("choir_live_catch_ups", "Batches and snapshots for clients that were behind", ["kind"])
SECONDS: Final = Histogram(
    "choir_live_delivery_seconds",
    "From a block's time to when its update was written to the last follower of a stream",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
ERRORS: Final = Counter("choir_live_errors", "Errors told to clients", ["name"])
CLOSES: Final = Counter("choir_live_closes", "Connections closed by the node", ["code"])
