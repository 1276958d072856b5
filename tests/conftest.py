"""What several rooms' tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.node_process import running_node


@pytest.fixture(scope="session")
def node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One node of a development chain for all tests that ask for it; they make their own keys and threads."""
    directory: Path = tmp_path_factory.mktemp("node")
    with running_node(directory / "data", directory / "node.log") as url:
        yield url
