"""What goes wrong with a provider, in the chorus's words. Nothing of the provider's own text is kept: it may repeat
keys and prompts."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
from pydantic_ai import exceptions as theirs

from choir.chorus.errors import (
    ModelAnswerInvalid,
    ModelError,
    ModelFailed,
    ModelRateLimited,
    ModelRefused,
    ModelTimeout,
    ModelUnauthorised,
    ModelUnreachable,
)


class RequestNotAccepted(ModelFailed):
    """The provider did not accept the request's form."""

    @property
    def name(self) -> str:
        return ModelFailed.__name__


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise ``ModelError`` for every failure of a request. Faults of our own stay as they are."""
    try:
        yield
    except (theirs.AgentRunError, httpx2.HTTPError) as error:
        raise _translate(error) from None


def _translate(error: Exception) -> ModelError:
    status = f" (HTTP {error.status_code})" if isinstance(error, theirs.ModelHTTPError) else ""
    match error:
        case theirs.ContentFilterError():
            return ModelRefused("The model will not answer this.")
        case theirs.ModelRateLimitError():
            return ModelRateLimited(f"The provider asks for fewer requests{status}.", error.retry_after)
        case theirs.ModelQuotaExceededError():
            return ModelUnauthorised(f"The account at the provider is used up{status}.")
        case theirs.ModelTimeoutError() | theirs.ModelRequestTimeout() | httpx2.TimeoutException():
            return ModelTimeout("The provider gave no answer in time.")
        case theirs.ModelConnectionError() | httpx2.HTTPError():
            return ModelUnreachable("There is no connection to the provider, or it broke.")
        case theirs.ModelAuthenticationError():
            return ModelUnauthorised(f"The provider does not accept the key, or not for this model{status}.")
        case theirs.ModelContextWindowExceededError():
            return ModelFailed(f"The question with its messages is too long for the model{status}.")
        case theirs.ModelNotFoundError():
            return ModelFailed(f"The provider does not have this model{status}.")
        case theirs.ModelRequestRejectedError():
            return RequestNotAccepted(f"The provider did not accept the request{status}.")
        case theirs.ModelAPIError():
            return ModelFailed(f"The provider failed{status}.")
    return ModelAnswerInvalid("The provider's answer cannot be understood.")
