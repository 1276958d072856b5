"""Probes of the index, answered a second time by the records."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from choir.memory.database import Database
from choir.memory.embeddings_store import EmbeddingStore
from choir.memory.indexes.exact import ExactIndex
from choir.memory.probing import Prober
from choir.memory.projection import Projection
from choir.memory.vault import Vault
from choir.memory.vector_index import Point, ScoredId, SearchFilter, Vector
from tests.memory.events import posted
from tests.support.chain import NODE, digest

HASHES = [digest(f"message {number}") for number in range(1, 5)]
EAST, NORTH, NORTH_EAST, WEST = [1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [-1.0, 0.0]
PROBES = [(100, 1), (1, 100)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """Four messages: east, north, north-east and west."""
    database = Database(tmp_path / "memory.db")
    database.write(Vault(NODE).prepare, is_durable=False)
    Projection(database, Vault(NODE)).apply([posted(seq, HASHES[seq - 1]) for seq in range(1, 5)])
    yield database
    database.close()


class World:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.embeddings = EmbeddingStore(database, Vault(NODE), "compass@1", 2)
        self.index = ExactIndex(2)
        self.prober = Prober(database, self.embeddings, self.index)

    async def fill(self) -> "World":
        vectors = [np.array(v, np.float32) for v in (EAST, NORTH, NORTH_EAST, WEST)]
        for point_id, vector in enumerate(vectors, 1):
            self.write("UPDATE record SET to_index = 0 WHERE id = ?", point_id)
            self.database.write(lambda db, i=point_id, v=vector: self.embeddings.put(db, i, v), is_durable=False)
        await self.index.upsert([Point(i, v, "0" * 32, "author", 0, "public") for i, v in enumerate(vectors, 1)])
        return self

    def write(self, statement: str, *values: object) -> None:
        def run(connection: sqlite3.Connection) -> None:
            connection.execute(statement, values)

        self.database.write(run, is_durable=False)


@pytest.fixture
async def world(database: Database) -> World:
    return await World(database).fill()


async def test_a_sound_index_names_what_the_records_say(world: World) -> None:
    probed = await world.prober.probe(PROBES, HASHES, 2)
    assert [sorted(ids) for ids in probed.expected] == [[1, 3], [2, 3]]
    assert [sorted(ids) for ids in probed.named] == [[1, 3], [2, 3]]
    assert (probed.compared, probed.damaged) == (4, [])


async def test_only_the_sample_is_asked_about(world: World) -> None:
    probed = await world.prober.probe(PROBES, HASHES[1:], 2)
    assert [sorted(ids) for ids in probed.named] == [[2, 3], [2, 3]]
    nothing = await world.prober.probe(PROBES, [], 2)
    assert (nothing.named, nothing.expected) == ([[], []], [[], []])


async def test_what_the_index_does_not_have_is_expected_of_it(world: World) -> None:
    await world.index.delete([3])
    probed = await world.prober.probe(PROBES, HASHES, 2)
    assert [sorted(ids) for ids in probed.expected] == [[1, 3], [2, 3]]
    assert 3 not in probed.named[0] + probed.named[1]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET to_index = 1 WHERE id = 3",
        "UPDATE record SET is_erased = 1 WHERE id = 3",
        "UPDATE record SET status = 'denied' WHERE id = 3",
        "UPDATE record SET privacy = 'encrypted' WHERE id = 3",
        "UPDATE record SET embedder = 'another@1' WHERE id = 3",
    ],
)
async def test_what_is_not_to_be_found_now_is_not_expected(world: World, statement: str) -> None:
    world.write(statement)
    probed = await world.prober.probe(PROBES, HASHES, 2)
    assert [sorted(ids) for ids in probed.expected] == [[1, 2], [1, 2]]
    assert (probed.compared, probed.damaged) == (3, [])


@pytest.mark.parametrize("damage", ["zeroblob(8)", "x'00'", "x'0000c07f0000c07f'"])
async def test_a_damaged_embedding_is_told(world: World, damage: str) -> None:
    world.write(f"UPDATE record SET embedding = {damage} WHERE id = 3")
    probed = await world.prober.probe(PROBES, HASHES, 2)
    assert (probed.compared, probed.damaged) == (3, [HASHES[2]])


async def test_of_equally_near_messages_either_will_do(world: World) -> None:
    """Four in the same place: which two an index names is its own affair."""
    world.write("UPDATE record SET embedding = (SELECT embedding FROM record WHERE id = 1)")

    class Last:
        dimensions = 2

        async def search(self, _v: Vector, _f: SearchFilter, k: int, among: Sequence[int] | None) -> list[ScoredId]:
            return [(point_id, 1.0) for point_id in sorted(among or (), reverse=True)[:k]]

    prober = Prober(world.database, world.embeddings, Last())  # type: ignore[arg-type]
    probed = await prober.probe(PROBES, HASHES, 2)
    assert probed.named == probed.expected == [[4, 3], [4, 3]]


async def test_it_begins_again_when_a_record_was_hidden_meanwhile(world: World) -> None:
    class Hiding(ExactIndex):
        async def search(
            self, vector: Vector, search_filter: SearchFilter, k: int, among: Sequence[int] | None = None
        ) -> list[ScoredId]:
            world.write("UPDATE record SET is_erased = 1 WHERE id = 3")
            await world.index.delete([3])
            return await world.index.search(vector, search_filter, k, among)

    probed = await Prober(world.database, world.embeddings, Hiding(2)).probe(PROBES, HASHES, 2)
    assert [sorted(ids) for ids in probed.expected] == [sorted(ids) for ids in probed.named] == [[1, 2], [1, 2]]
