"""The search filter as SQL over `keyword_points`; agrees with `SearchFilter.matches`."""

import json
import sqlite3
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from choir.memory.vector_index import ENCRYPTED, SearchFilter

_IN = "IN (SELECT value FROM json_each(?))"


def condition(wanted: SearchFilter) -> tuple[str, list[str | int]]:
    """A WHERE condition and its values."""
    clauses = [f"privacy <> ? AND (privacy {_IN} OR thread_id {_IN})"]
    values: list[str | int] = [
        ENCRYPTED,
        json.dumps(sorted(wanted.readable_levels)),
        json.dumps(sorted(wanted.own_threads)),
    ]
    for clause, value in (
        ("thread_id = ?", wanted.thread_id),
        ("author = ?", wanted.author),
        ("created_at_ms >= ?", wanted.since_ms),
        ("created_at_ms < ?", wanted.until_ms),
    ):
        if value is not None:
            clauses.append(clause)
            values.append(value)
    return " AND ".join(clauses), values


def readable_ids(connection: sqlite3.Connection, wanted: SearchFilter) -> NDArray[np.int64]:
    """Every id the filter admits; for filters that name a thread or an author, which an index serves."""
    where, values = condition(wanted)
    if not wanted.readable_levels:  # only own threads: let their index drive the query
        where, values = f"thread_id {_IN} AND {where}", [json.dumps(sorted(wanted.own_threads)), *values]
    rows = connection.execute(f"SELECT point_id FROM keyword_points WHERE {where}", values)  # noqa: S608 - no user text
    return np.fromiter((row[0] for row in rows), dtype=np.int64)


def readable_of(connection: sqlite3.Connection, wanted: SearchFilter, point_ids: Sequence[int]) -> set[int]:
    """Those of `point_ids` that the filter admits."""
    where, values = condition(wanted)
    rows = connection.execute(
        f"SELECT point_id FROM keyword_points WHERE point_id {_IN} AND {where}",  # noqa: S608 - no user text
        [json.dumps(point_ids), *values],
    )
    return {row[0] for row in rows}
