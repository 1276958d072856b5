"""A node's directory: its lock, its keys, its genesis. Everything in it is readable by its owner only."""

import fcntl
import os
from pathlib import Path

from choir.ledger.genesis import DEVELOPMENT_PARAMS, Genesis, decode_genesis, make_state
from choir.primitives.amounts import UCHOIR_PER_CHOIR
from choir.primitives.canonical import canonical_struct
from choir.primitives.signatures import SigningKey

_FAUCET_CHOIR = 1_000_000_000


class DataDirError(RuntimeError):
    """The directory cannot be used; the message says what to do."""


class DataDir:
    """An opened and locked data directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.chmod(0o700)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataDirError(f"cannot use {path} as data directory: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise DataDirError(
                f"another node is using {path}: stop it, or choose another directory with --data-dir"
            ) from error

    def close(self) -> None:
        """Release the lock."""
        os.close(self._lock)

    def node_key(self) -> SigningKey:
        """The key that signs this node's blocks; made at the first start."""
        return self._key("node.key")

    def kept_node_key(self) -> SigningKey:
        """The same for whoever only looks: none is made. Raises ``DataDirError`` where there is none."""
        if not (self.path / "node.key").exists():
            raise DataDirError(f"there is no node.key in {self.path}: put back the one that the chain was made with")
        return self.node_key()

    def faucet_key(self) -> SigningKey:
        """The key of the development faucet; made at the first start of a development chain."""
        return self._key("faucet.key")

    def genesis(self, now_ms: int, genesis_file: str) -> Genesis:
        """The chain's genesis: the one this directory holds, the given file's, or a new development chain's. Raises
        ``DataDirError`` and ``GenesisError``."""
        path = self.path / "genesis.json"
        given = decode_genesis(_read(Path(genesis_file))) if genesis_file else None
        if path.exists():
            kept = decode_genesis(_read(path))
            if given is not None and given != kept:
                raise DataDirError(
                    f"{self.path} holds chain {kept.chain_id} with another genesis than {genesis_file}: "
                    "choose another directory with --data-dir"
                )
            return kept
        genesis = given or self._development_genesis(now_ms)
        self._validate_new(genesis)
        self.keep_genesis(genesis)
        return genesis

    def _validate_new(self, genesis: Genesis) -> None:
        """Before a chain begins here for good: a genesis that no chain can begin from must leave nothing behind."""
        make_state(genesis)
        node = self.node_key().address
        if node not in genesis.validators:
            raise DataDirError(
                f"this node's key {node} is not a validator of chain {genesis.chain_id}: name it in the genesis, or "
                f"put the node.key that it names into {self.path}"
            )

    def keep_genesis(self, genesis: Genesis) -> None:
        """Write the genesis of a chain that came from elsewhere (a snapshot)."""
        _write_private(self.path / "genesis.json", canonical_struct(genesis) + b"\n")

    def is_development(self, genesis: Genesis) -> bool:
        """Whether this node runs the faucet of the chain."""
        return (self.path / "faucet.key").exists() and self.faucet_key().address in genesis.allocations

    def _development_genesis(self, now_ms: int) -> Genesis:
        node = self.node_key().address
        return Genesis(
            chain_id="choir-dev",
            time_ms=now_ms,
            validators=(node,),
            allocations={self.faucet_key().address: str(_FAUCET_CHOIR * UCHOIR_PER_CHOIR)},
            council_members=(node,),
            council_threshold=1,
            params=DEVELOPMENT_PARAMS,
        )

    def _key(self, name: str) -> SigningKey:
        path = self.path / name
        if not path.exists():
            key = SigningKey.generate()
            _write_private(path, key.seed.hex().encode() + b"\n")
            return key
        try:
            return SigningKey(bytes.fromhex(_read(path).decode("ascii").strip()))
        except ValueError as error:
            raise DataDirError(f"{path} is damaged: it should hold 64 hex digits; restore it from a backup") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataDirError(f"cannot read {path}: {error.strerror}") from error


def _write_private(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, for its owner only."""
    temporary = path.with_suffix(f"{path.suffix}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        temporary.rename(path)
    except OSError as error:
        raise DataDirError(f"cannot write {path}: {error.strerror}; free disk space or check its rights") from error
