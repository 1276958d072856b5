"""How long to wait for a file that cannot be written: a full disk passes, a lock too."""

import itertools
from collections.abc import Iterator
from typing import Final

RETRY_SECONDS: Final = (0.2, 1.0, 5.0)


def retry_pauses() -> Iterator[float]:
    """Seconds to wait before the next attempt, ever longer up to the last; without end."""
    return itertools.chain(RETRY_SECONDS, itertools.repeat(RETRY_SECONDS[-1]))
