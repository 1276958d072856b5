"""What every test shares: random inputs from one printed seed, and a running node for those that ask for one."""

import secrets
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.node_process import running_node

settings.register_profile("choir", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("choir")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(secrets.randbits(32))


def pytest_report_header(config: pytest.Config) -> str:
    seed = config.option.hypothesis_seed
    return f"random inputs: --hypothesis-seed={seed} repeats them"


@pytest.fixture(scope="session")
def node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One node of a development chain for all tests that ask for it; they make their own keys and threads."""
    directory = tmp_path_factory.mktemp("node")
    with running_node(directory / "data", directory / "node.log") as url:
        yield url
