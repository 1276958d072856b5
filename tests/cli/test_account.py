"""What `choir account` says of a share: when it can be taken, and nothing where there is none."""

import pytest

from choir.cli.account import _describe_wait
from choir.client.models import AccountThread


@pytest.mark.parametrize(
    ("share", "ready_at_ms", "told"),
    [
        ("0", 0, ""),
        ("0", 1_700_000_000_000, ""),
        ("45000000", 0, ", to be divested now"),
        ("45000000", 1_700_000_000_000, ", to be divested from 2023-11-14 22:13:20 UTC"),
    ],
)
def test_when_a_share_can_be_taken(share: str, ready_at_ms: int, told: str) -> None:
    thread = AccountThread(thread_id="ab" * 16, balance="100000000", share=share, divest_ready_at_ms=ready_at_ms)
    assert _describe_wait(thread) == told
