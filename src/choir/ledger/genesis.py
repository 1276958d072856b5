"""Genesis: who holds what at the start, the parameters, and the council."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from choir.ledger.entities import (
    ACCOUNTS,
    CHAIN,
    COUNCIL,
    EPOCH,
    PARAMS,
    THE_ONLY,
    TREASURY,
    Account,
    Chain,
    Council,
    Epoch,
    Kind,
    Treasury,
)
from choir.ledger.params import BOUNDS, Params
from choir.ledger.state import State
from choir.ledger.transactions import AmountText
from choir.primitives.addresses import AddressError, decode_address
from choir.primitives.amounts import TOTAL_SUPPLY_UCHOIR, UCHOIR_PER_CHOIR
from choir.primitives.canonical import MAX_SAFE_INTEGER, canonical_struct
from choir.primitives.hashing import sha256_hex

NEW_MESSAGE_POOL: Final = 2_500_000_000 * UCHOIR_PER_CHOIR
# What an import of a large archive needs; a real network keeps the defaults.
DEVELOPMENT_PARAMS: Final = Params(threads_per_hour=3_600_000, messages_per_hour=3_600_000)


class GenesisError(ValueError):
    """The genesis document contradicts itself or the rules."""


class Genesis(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The first document of a chain. ``allocations`` maps addresses to uchoir (decimal strings); the treasury gets what
    allocations and the new-message pool leave. ``validators`` may sign headers."""

    chain_id: Annotated[str, Meta(pattern="^[A-Za-z0-9._:-]{1,64}$")]
    time_ms: Annotated[int, Meta(ge=0, le=MAX_SAFE_INTEGER)]
    validators: tuple[str, ...]
    allocations: dict[str, AmountText] = {}
    council_members: tuple[str, ...] = ()
    council_threshold: int = 1
    params: Params = Params()


def genesis_hash(genesis: Genesis) -> str:
    """SHA-256 of the canonical form: what two nodes compare to know they are on one chain."""
    return sha256_hex(canonical_struct(genesis))


def make_state(genesis: Genesis) -> State:
    """The state before the first block. Raises ``GenesisError``."""
    _validate(genesis)
    allocated = {address: int(amount) for address, amount in genesis.allocations.items()}
    treasury = TOTAL_SUPPLY_UCHOIR - NEW_MESSAGE_POOL - sum(allocated.values())
    entries: list[tuple[Kind, str, Struct]] = [  # type: ignore[type-arg]
        (
            CHAIN,
            THE_ONLY,
            Chain(
                chain_id=genesis.chain_id,
                genesis_time_ms=genesis.time_ms,
                height=0,
                is_paused=False,
                time_ms=genesis.time_ms,
            ),
        ),
        (
            COUNCIL,
            THE_ONLY,
            Council(members=genesis.council_members, threshold=genesis.council_threshold),
        ),
        (EPOCH, THE_ONLY, Epoch(number=0, started_at_ms=genesis.time_ms)),
        (PARAMS, THE_ONLY, genesis.params),
        (
            TREASURY,
            THE_ONLY,
            Treasury(balance=treasury, new_message_pool=NEW_MESSAGE_POOL, prior_pool=0),
        ),
    ]
    entries += [(ACCOUNTS, address, Account(balance=amount)) for address, amount in allocated.items()]
    return State((kind.prefix + key, entity) for kind, key, entity in entries)


def _validate(genesis: Genesis) -> None:
    addresses = (*genesis.allocations, *genesis.council_members, *genesis.validators)
    for address in addresses:
        try:
            decode_address(address)
        except AddressError as error:
            raise GenesisError(f"genesis: {error}") from error
    if not genesis.validators:
        raise GenesisError("genesis: a chain needs at least one validator")
    amounts = [int(amount) for amount in genesis.allocations.values()]
    if min(amounts, default=0) < 0 or sum(amounts) > TOTAL_SUPPLY_UCHOIR - NEW_MESSAGE_POOL:
        raise GenesisError("genesis: allocations must be positive and fit into the supply beside the pool")
    members = genesis.council_members
    if len(set(members)) != len(members) or (members and not 1 <= genesis.council_threshold <= len(members)):
        raise GenesisError("genesis: the council's threshold must be between 1 and its number of members")
    for name, (low, high) in BOUNDS.items():
        if not low <= getattr(genesis.params, name) <= high:
            raise GenesisError(f"genesis: {name} must be from {low} to {high}")


def decode_genesis(raw: bytes) -> Genesis:
    """Read a genesis document. Raises ``GenesisError``."""
    try:
        return msgspec.json.decode(raw, type=Genesis)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GenesisError(f"genesis: {error}") from error
