"""Sock puppets never gain, while honest co-authors with paying readers do."""

import secrets

import pytest
from bench.self_dealing import STRATEGIES, run_strategy


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_strategy_pays_and_honest_work_does(name: str) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    result = run_strategy(STRATEGIES[name], seed, days=6)
    assert result["profit"] <= 0, f"seed {seed}"
    assert result["honest_thread_reward"] > 0, f"seed {seed}"
    assert result["honest_author_rewards"] > 0, f"seed {seed}"


@pytest.mark.slow
@pytest.mark.parametrize("name", STRATEGIES)
def test_no_strategy_pays_in_the_long_run(name: str) -> None:
    for seed in range(5):
        assert run_strategy(STRATEGIES[name], seed, days=60)["profit"] <= 0, f"seed {seed}"
