"""The committed state and the draft of a block over it.

The state is one map from text keys to entities. A draft stages a transaction's writes apart from the block's, so a
refused transaction leaves nothing behind. The app hash is the digest of an LtHash over all entries.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar, cast

import msgspec
from msgspec import Struct
from sortedcontainers import SortedSet

from choir.ledger.entities import (
    CHAIN,
    COUNCIL,
    EPOCH,
    PARAMS,
    RECENT_BLOCKS,
    THE_ONLY,
    TREASURY,
    Chain,
    Council,
    Epoch,
    Kind,
    RecentBlock,
    Treasury,
)
from choir.ledger.errors import BrokenInvariant
from choir.ledger.params import Params
from choir.primitives.lthash import LtHash

E_ = TypeVar("E_", bound=Struct)

_encoder = msgspec.json.Encoder(order="sorted")
_ABSENT: Final = object()


class Changes:
    """What a block did to the state. ``encoded`` maps each changed key to its new bytes, or None when deleted."""

    __slots__ = ("commitment", "encoded", "entries")

    def __init__(
        self, entries: Mapping[str, Struct | None], encoded: Mapping[str, bytes | None], commitment: LtHash
    ) -> None:
        self.entries = entries
        self.encoded = encoded
        self.commitment = commitment

    @property
    def app_hash(self) -> str:
        return self.commitment.digest_hex()


class State:
    """The committed state. Changed only by `commit`; readers may hold entities, never the map."""

    def __init__(self, entries: Iterable[tuple[str, Struct]] = (), commitment: LtHash | None = None) -> None:
        self._entries: dict[str, Struct] = dict(entries)
        self._ordered: dict[str, Any] = {kind.prefix: SortedSet() for kind in Kind.registry.values() if kind.is_ordered}
        self._recent: dict[str, int] = {}
        for key, entity in self._entries.items():
            self._index(key, None, entity)
        self.commitment = commitment if commitment is not None else self._commit_to_all()

    def get(self, kind: "Kind[Any]", key: str) -> Any:
        """The entity of ``kind`` under ``key``, or None."""
        return self._entries.get(kind.prefix + key)

    @property
    def app_hash(self) -> str:
        return self.commitment.digest_hex()

    @property
    def chain(self) -> Chain:
        return cast(Chain, self._entries[CHAIN.prefix + THE_ONLY])

    @property
    def params(self) -> Params:
        return cast(Params, self._entries[PARAMS.prefix + THE_ONLY])

    @property
    def treasury(self) -> Treasury:
        return cast(Treasury, self._entries[TREASURY.prefix + THE_ONLY])

    @property
    def council(self) -> Council:
        return cast(Council, self._entries[COUNCIL.prefix + THE_ONLY])

    @property
    def epoch(self) -> Epoch:
        return cast(Epoch, self._entries[EPOCH.prefix + THE_ONLY])

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Every entry as (key, encoded value), in key order."""
        for key in sorted(self._entries):
            yield key, encode_entity(self._entries[key])

    def keys_in_order(self, kind: "Kind[Any]", up_to: str | None = None) -> Iterator[str]:
        """The keys of an ordered kind, without prefix, in order, ending at ``up_to`` (inclusive)."""
        maximum = None if up_to is None else kind.prefix + up_to
        for key in self._ordered[kind.prefix].irange(maximum=maximum):
            yield key[len(kind.prefix) :]

    def first_key(self, kind: "Kind[Any]") -> list[str]:
        """The first key of an ordered kind, without prefix, as a list of at most one."""
        return [key[len(kind.prefix) :] for key in self._ordered[kind.prefix][:1]]

    def is_recent(self, tx_hash: str, since_ms: int) -> bool:
        """Whether a transaction with this hash was accepted in a block later than ``since_ms``."""
        return self._recent.get(tx_hash, -1) > since_ms

    def total_held(self) -> int:
        """All uchoir in the state: equal to the total supply, always. Cost: the whole state."""
        return sum(amount_held(key, entity) for key, entity in self._entries.items())

    def commit(self, changes: Changes) -> None:
        """Make a block's changes the committed state."""
        for key, entity in changes.entries.items():
            self._index(key, self._entries.get(key), entity)
            if entity is None:
                del self._entries[key]
            else:
                self._entries[key] = entity
        self.commitment = changes.commitment

    def __len__(self) -> int:
        return len(self._entries)

    def _index(self, key: str, old: Struct | None, new: Struct | None) -> None:
        ordered = self._ordered.get(key[: key.index("/") + 1])
        if ordered is None:
            return
        if new is None:
            ordered.discard(key)
        else:
            ordered.add(key)
        if isinstance(old, RecentBlock):
            for tx_hash in old.accepted:
                del self._recent[tx_hash]
        if isinstance(new, RecentBlock):
            self._recent.update(dict.fromkeys(new.accepted, int(key[len(RECENT_BLOCKS.prefix) :])))

    def _commit_to_all(self) -> LtHash:
        elements = [element(key, encode_entity(entity)) for key, entity in self._entries.items()]
        return LtHash().updated(added=elements, removed=[])


class Draft:
    """A block in the making: reads fall through to the committed state, writes stay here."""

    __slots__ = ("_block", "_staged", "_state")

    def __init__(self, state: State) -> None:
        self._state = state
        self._block: dict[str, Struct | None] = {}
        self._staged: dict[str, Struct | None] = {}

    @property
    def params(self) -> Params:
        return get_only(self, PARAMS)

    def get(self, kind: "Kind[E_]", key: str) -> E_ | None:
        full_key = kind.prefix + key
        value = self._staged.get(full_key, _ABSENT)
        if value is _ABSENT:
            value = self._block.get(full_key, _ABSENT)
            if value is _ABSENT:
                value = self._state._entries.get(full_key)
        return cast("E_ | None", value)

    def put(self, kind: "Kind[E_]", key: str, entity: E_) -> None:
        self._staged[kind.prefix + key] = entity

    def delete(self, kind: "Kind[E_]", key: str) -> None:
        self._staged[kind.prefix + key] = None

    def keep(self) -> None:
        """Accept what the transaction staged."""
        self._block.update(self._staged)
        self._staged.clear()

    def discard(self) -> None:
        """Forget what the transaction staged."""
        self._staged.clear()

    def is_recent(self, tx_hash: str, since_ms: int) -> bool:
        return self._state.is_recent(tx_hash, since_ms)

    def keys_in_order(self, kind: "Kind[Any]", up_to: str | None = None) -> list[str]:
        """The keys of an ordered kind, in order, as this draft sees them. Call it with nothing staged."""
        keys = set(self._state.keys_in_order(kind, up_to))
        for full_key, entity in self._block.items():
            if full_key.startswith(kind.prefix):
                key = full_key[len(kind.prefix) :]
                if entity is None:
                    keys.discard(key)
                elif up_to is None or key <= up_to:
                    keys.add(key)
        return sorted(keys)

    def changes(self) -> Changes:
        """Close the block: encode what changed, check conservation, update the commitment."""
        encoded: dict[str, bytes | None] = {}
        added: list[bytes] = []
        removed: list[bytes] = []
        imbalance = 0
        for key, entity in self._block.items():
            before = self._state._entries.get(key)
            if before is not None:
                removed.append(element(key, encode_entity(before)))
                imbalance -= amount_held(key, before)
            value = None
            if entity is not None:
                value = encode_entity(entity)
                added.append(element(key, value))
                imbalance += amount_held(key, entity)
            encoded[key] = value
        if imbalance:
            raise BrokenInvariant(f"the block creates {imbalance} uchoir")
        entries = {key: e for key, e in self._block.items() if e is not None or key in self._state._entries}
        commitment = self._state.commitment.updated(added=added, removed=removed)
        return Changes(entries, {key: encoded[key] for key in entries}, commitment)


def get_only(draft: Draft, kind: "Kind[E_]") -> E_:
    """The entity of a kind that has exactly one, which genesis made."""
    entity = draft.get(kind, THE_ONLY)
    if entity is None:
        raise BrokenInvariant(f"the state has no {kind.prefix[:-1]}")
    return entity


def encode_entity(entity: Struct) -> bytes:
    """The bytes of an entity: JSON with sorted keys, as committed to and stored."""
    return _encoder.encode(entity)


def decode_entry(key: str, value: bytes) -> Struct:
    """The entity stored under ``key``. Raises ``msgspec.DecodeError`` or ``KeyError`` for bytes we did not write."""
    entity: Struct = Kind.registry[key[: key.index("/")]].decoder.decode(value)
    return entity


def element(key: str, value: bytes) -> bytes:
    """The element of the state's LtHash for one entry."""
    return key.encode("ascii") + b"\x00" + value


def amount_held(key: str, entity: Struct) -> int:
    """The uchoir in one entry. Raises ``BrokenInvariant`` when negative."""
    held = Kind.registry[key[: key.index("/")]].held
    if held is None:
        return 0
    amount = held(entity)
    if amount < 0:
        raise BrokenInvariant(f"{key} holds {amount} uchoir")
    return amount
