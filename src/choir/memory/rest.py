"""What has kept somebody waiting in vain is left alone for a while."""

import math
from collections.abc import Callable
from typing import Final

REST_SECONDS: Final = 30.0

Clock = Callable[[], float]


class Rest:
    """One for each thing that may fail. ``clock`` gives seconds, such as an event loop's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = -math.inf

    def begin(self) -> None:
        """It has failed just now."""
        self._until = self._clock() + REST_SECONDS

    @property
    def is_on(self) -> bool:
        """Whether it is not to be asked yet."""
        return self._clock() < self._until
