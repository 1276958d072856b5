"""An account's history in words."""

from typing import Any

import pytest

from choir.cli.account import describe_event, describe_wait
from choir.client.models import AccountThread

ME, OTHER = "me", "other"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"type": "transferred", "sender": ME, "to": OTHER, "amount": "2500000"}, "sent 2.5 CHOIR"),
        ({"type": "transferred", "sender": OTHER, "to": ME, "amount": "1000000"}, "received 1 CHOIR"),
        ({"type": "spec_submitted", "author": ME, "stake": "100000000"}, "staked 100 CHOIR"),
        ({"type": "spec_submitted", "author": OTHER, "stake": "100000000"}, "a spec came in with 100 CHOIR"),
        ({"type": "approval_cast", "approve": False, "spec_id": "ab"}, "voted against ab"),
        (
            {"type": "spec_settled", "outcome": "approved", "to_approvers": {ME: "50000000"}},
            "spec approved, received 50 CHOIR",
        ),
        ({"type": "spec_settled", "outcome": "expired", "to_approvers": {}}, "spec expired"),
        ({"type": "divested", "amount": "45000000"}, "divested, 45 CHOIR"),
        ({"type": "co_author_added"}, "co author added"),
    ],
)
def test_events_in_words(event: dict[str, Any], words: str) -> None:
    assert describe_event(event, ME) == words


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
    assert describe_wait(thread) == told
