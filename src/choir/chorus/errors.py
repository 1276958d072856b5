"""What can go wrong in a run, as names that the events carry. Messages never hold keys, prompts or texts."""

from typing import Final

DEFAULT_WAIT_SECONDS: Final = 2.0
MAX_WAIT_SECONDS: Final = 30.0


class ChorusError(Exception):
    """An expected failure of one attempt. The message is fit for the asker's eyes."""

    @property
    def name(self) -> str:
        """What the events call it."""
        return type(self).__name__

    @property
    def wait_seconds(self) -> float:
        """How long to wait before the retry."""
        return 0.0


class ModelError(ChorusError):
    """The model gave no usable answer."""


class ModelUnreachable(ModelError):
    """No connection, or it broke."""


class ModelTimeout(ModelError):
    """No answer in time."""


class ModelRateLimited(ModelError):
    """The provider asks for fewer requests. ``retry_after_seconds`` is its own word, if it gave one."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds

    @property
    def wait_seconds(self) -> float:
        wanted = DEFAULT_WAIT_SECONDS if self.retry_after_seconds is None else self.retry_after_seconds
        return min(max(wanted, 0.0), MAX_WAIT_SECONDS)


class ModelRefused(ModelError):
    """The model, or a filter of its provider, will not answer this."""


class ModelAnswerInvalid(ModelError):
    """The answer is not of the step's form."""


class ModelTruncated(ModelError):
    """The answer ended before it was complete."""


class ModelUnauthorised(ModelError):
    """The provider does not accept the key, or the key may not use the model."""


class ModelFailed(ModelError):
    """The provider answered with a fault of its own, or did not accept the request."""


class SearchFailed(ChorusError):
    """The network's memory could not be searched."""


class PriorsWithdrawn(ChorusError):
    """The asker lost the right to read messages of the thread, or priors twice in one run."""


class RunTooLong(ChorusError):
    """The run as a whole took longer than it may."""


class InternalError(ChorusError):
    """A fault of this program; the node's log has it."""


class ModelMisconfigured(ValueError):
    """A model's configuration cannot be used; the message says what to change, without the key."""
