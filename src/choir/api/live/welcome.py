"""The node's first words, and its answer to a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from choir.api.live.limits import PROTOCOL_VERSION, Limits

if TYPE_CHECKING:
    from choir.api.live.hub import LiveHub


class Welcome(Struct, frozen=True, kw_only=True):
    """``seq`` is the newest event that has been told; ``address`` who is signed in on this connection."""

    protocol: int
    node: str
    version: str
    chain_id: str
    height: int
    seq: int
    address: str | None
    limits: Limits


def welcome(hub: LiveHub, address: str | None) -> Welcome:
    services = hub.services
    with services.engine.read() as state:
        chain_id, height = state.chain.chain_id, state.chain.height
    return Welcome(
        protocol=PROTOCOL_VERSION,
        node=services.node_name,
        version=services.version,
        chain_id=chain_id,
        height=height,
        seq=hub.streams.head_seq,
        address=address,
        limits=hub.limits,
    )
