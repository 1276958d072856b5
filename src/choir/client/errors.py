"""What can go wrong when asking a node."""

from choir.ledger.blocks import Receipt


class ClientError(Exception):
    """The root of this package's errors."""


class NodeUnreachable(ClientError):
    """No answer came from the node; the message says what to do."""


class UnexpectedAnswer(NodeUnreachable):
    """Something answered, but not in the form of a Choir node's interface."""


class ApiError(ClientError):
    """The node refused a request.

    ``code`` and ``name`` are a row of the error table (choir.ledger.errors); ``receipt`` is there when a block holds
    the refused transaction, so that its nonce is used up and sending it again changes nothing.
    """

    def __init__(
        self,
        *,
        code: int,
        name: str,
        message: str,
        http_status: int,
        field: str | None = None,
        retry_after_seconds: float | None = None,
        request_id: str | None = None,
        receipt: Receipt | None = None,
    ) -> None:
        super().__init__(f"{name}: {message}")
        self.code = code
        self.name = name
        self.message = message
        self.http_status = http_status
        self.field = field
        self.retry_after_seconds = retry_after_seconds
        self.request_id = request_id
        self.receipt = receipt
