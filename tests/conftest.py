"""What every test shares: random inputs from one printed seed, and a running node for those that ask for one.

The seed is the same in every run, so that a change fails by its own fault only; the long runs (`make test-slow`) draw
a new one each time, and so look further.
"""

import secrets
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.node_process import running_node

FIXED_SEED = 0

# No check that judges by time or by luck.
_CHANCE = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile("choir", deadline=None, print_blob=True, suppress_health_check=_CHANCE)
settings.load_profile("choir")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.hypothesis_seed is None:
        is_long = "slow" in config.option.markexpr and "not slow" not in config.option.markexpr
        config.option.hypothesis_seed = str(secrets.randbits(32) if is_long else FIXED_SEED)


def pytest_report_header(config: pytest.Config) -> str:
    seed = config.option.hypothesis_seed
    return f"random inputs: --hypothesis-seed={seed} repeats them"


@pytest.fixture(scope="session")
def node_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One node of a development chain for all tests that ask for it; they make their own keys and threads."""
    directory = tmp_path_factory.mktemp("node")
    with running_node(directory / "data", directory / "node.log") as url:
        yield url


@pytest.fixture
def unused_tcp_port() -> Iterator[int]:
    """A port where nobody answers: it is held, so that no other process gets it meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
