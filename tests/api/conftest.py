"""One node for the tests that can share it, and a fresh one for those that cannot."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.node import Caller, NodeProcess, calling, prepare_data_dir, running_node


@pytest.fixture(scope="session")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node for all tests of the session: each uses keys and threads of its own."""
    data_dir = tmp_path_factory.mktemp("shared") / "node"
    with running_node(data_dir, genesis_file=str(prepare_data_dir(data_dir))) as node:
        yield node
        # Whatever the tests did to it, it never failed for a reason of its own.
        assert "unexpected error" not in node.stderr()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[NodeProcess]:
    """A node of the test's own, as a newcomer starts one: nothing is prepared."""
    with running_node(tmp_path / "node") as node:
        yield node


@pytest.fixture
async def caller(shared_node: NodeProcess) -> AsyncIterator[Caller]:
    async with calling(shared_node.url) as caller:
        yield caller
