"""Settings of every test: random inputs come from one seed, which is printed so that a run can be repeated."""

import secrets

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("choir", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("choir")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(secrets.randbits(32))


def pytest_report_header(config: pytest.Config) -> str:
    seed = config.option.hypothesis_seed
    return f"random inputs: --hypothesis-seed={seed} repeats them"
