"""The rights matrix: a literal table from design/memory.md, and an oracle written without the matrix."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.memory.privacy import (
    Level,
    Right,
    Role,
    View,
    get_rights,
    get_roles,
    get_search_scope,
    get_view,
    is_audited,
)

# role held besides "everyone", level: rights (r read, w write, a approve, s search, c cite), and the view.
TABLE = [
    ("co_author", "public", "rwasc", "full"),
    ("co_author", "premium", "rwasc", "full"),
    ("co_author", "thread", "rwasc", "full"),
    ("co_author", "encrypted", "rwac", "full"),
    ("author", "public", "rsc", "full"),
    ("author", "premium", "r", "full"),
    ("author", "thread", "r", "full"),
    ("author", "encrypted", "r", "full"),
    ("premium", "public", "rsc", "full"),
    ("premium", "premium", "rsc", "full"),
    ("premium", "thread", "", "minimal"),
    ("premium", "encrypted", "", "existence"),
    ("everyone", "public", "rsc", "full"),
    ("everyone", "premium", "", "limited"),
    ("everyone", "thread", "", "minimal"),
    ("everyone", "encrypted", "", "existence"),
]


@pytest.mark.parametrize(("role", "level", "letters", "view"), TABLE)
def test_matrix(role: str, level: str, letters: str, view: str) -> None:
    roles = {Role(role), Role.EVERYONE}
    assert {right.value[0] for right in get_rights(roles, Level(level))} == set(letters)
    assert get_view(roles, Level(level)) is View(view)


def test_the_table_covers_every_role_and_level() -> None:
    assert {(role, level) for role, level, _, _ in TABLE} == set(product(Role, Level))


ROLES = [
    (None, False, "a", {"everyone"}),
    (None, True, "a", {"everyone"}),
    ("x", False, "a", {"everyone"}),
    ("x", True, "a", {"everyone", "premium"}),
    ("x", False, "x", {"everyone", "author"}),
    ("c", False, "a", {"everyone", "co_author"}),
    ("c", True, "c", {"everyone", "premium", "author", "co_author"}),
]


@pytest.mark.parametrize(("viewer", "is_premium", "author", "roles"), ROLES)
def test_roles(viewer: str | None, is_premium: bool, author: str, roles: set[str]) -> None:
    assert get_roles(viewer, ["a", "c"], is_premium, author) == roles


def test_nobody_is_a_role_by_an_empty_name() -> None:
    assert get_roles(None, [""], is_premium=True, author="") == {"everyone"}


@pytest.mark.parametrize("level", ["", "PUBLIC", "secret", "public "])
def test_an_unknown_level_is_an_error(level: str) -> None:
    with pytest.raises(ValueError):
        Level(level)


def _oracle_may(right: str, level: str, owns: bool, wrote: bool, premium: bool) -> bool:
    if level == "encrypted" and right == "search":
        return False
    if owns:
        return True
    if right in {"write", "approve"}:
        return False
    if level == "public" or (level == "premium" and premium):
        return True
    return wrote and right == "read"


def _oracle_view(level: str, may_read: bool) -> str:
    if may_read:
        return "full"
    return {"premium": "limited", "thread": "minimal", "encrypted": "existence"}[level]


PEOPLE = st.sampled_from(["ann", "ben", "cho", "dot"])
LEVELS = st.sampled_from(list(Level))


@given(
    viewer=st.none() | PEOPLE,
    co_authors=st.sets(PEOPLE),
    is_premium=st.booleans(),
    author=PEOPLE,
    level=LEVELS,
)
def test_rights_and_views_against_the_oracle(
    viewer: str | None, co_authors: set[str], is_premium: bool, author: str, level: Level
) -> None:
    roles = get_roles(viewer, co_authors, is_premium, author)
    owns, wrote, premium = viewer in co_authors, viewer == author, viewer is not None and is_premium
    for right in Right:
        may = _oracle_may(right.value, level.value, owns, wrote, premium)
        assert (right in get_rights(roles, level)) is may
    may_read = _oracle_may("read", level.value, owns, wrote, premium)
    assert get_view(roles, level) == _oracle_view(level.value, may_read)
    assert is_audited(level, may_read) is (level.value != "public")


@given(roles=st.sets(st.sampled_from(list(Role))), more=st.sampled_from(list(Role)), level=LEVELS)
def test_one_more_role_never_takes_a_right_away(roles: set[Role], more: Role, level: Level) -> None:
    assert get_rights(roles, level) <= get_rights(roles | {more}, level)


THREADS = st.sampled_from(["t1", "t2", "t3"])


@given(viewer=st.none() | PEOPLE, owned=st.sets(THREADS), is_premium=st.booleans(), thread=THREADS, level=LEVELS)
def test_the_search_scope_against_the_oracle(
    viewer: str | None, owned: set[str], is_premium: bool, thread: str, level: Level
) -> None:
    scope = get_search_scope(viewer, owned, is_premium)
    signed_in = viewer is not None
    owns, premium = signed_in and thread in owned, signed_in and is_premium
    expected = _oracle_may("search", level.value, owns, wrote=False, premium=premium)
    assert scope.includes(level.value, thread) is expected


def test_the_scope_of_a_stranger_and_of_a_member() -> None:
    stranger = get_search_scope(None, ["t1"], is_premium=True)
    assert stranger.levels == {"public"}
    assert not stranger.own_threads
    member = get_search_scope("ann", ["t1"], is_premium=True)
    assert member.levels == {"public", "premium"}
    assert member.own_threads == {"t1"}
    assert member.own_levels == {"public", "premium", "thread"}


@pytest.mark.parametrize(
    ("level", "allowed", "audited"),
    [("public", True, False), ("public", False, True), ("premium", True, True), ("thread", False, True)],
)
def test_what_is_audited(level: str, allowed: bool, audited: bool) -> None:
    assert is_audited(Level(level), allowed) is audited
