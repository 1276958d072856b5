"""What may stand in a path or a query, and how it is refused."""

import re
from typing import Annotated, Any, Final

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import HeaderParameter, Parameter

from choir.ledger.errors import Code, Rejected
from choir.primitives.addresses import AddressError, SmallOrderKeyError, decode_address

AnyConnection = ASGIConnection[Any, Any, Any, Any]
_THREAD_ID: Final = re.compile(r"[0-9a-f]{32}")

Limit = Annotated[int, Parameter(ge=1, le=200, description="the most items to answer with")]
Cursor = Annotated[str | None, Parameter(description="`next_cursor` of the page before")]
Before = Annotated[
    str | None, Parameter(description="`previous_cursor` of the page after; `end` for the newest messages")
]
Around = Annotated[str | None, Parameter(description="the hash of a message of the thread")]
AddressQuery = Annotated[str | None, Parameter(description="an address: base58 of a public key")]
ThreadQuery = Annotated[str | None, Parameter(description="a thread's id: 32 lowercase hex digits")]


def validate_address(address: str | None, field: str = "address") -> None:
    """Rejects what is not the address of a key; None was not asked for."""
    if address is None:
        return
    try:
        decode_address(address)
    except SmallOrderKeyError:
        raise Rejected(Code.SmallOrderKey, field=field) from None
    except AddressError:
        raise Rejected(Code.InvalidAddress, field=field) from None


def validate_thread_id(thread_id: str | None) -> None:
    """Rejects what cannot be the id of a thread; None was not asked for."""
    if thread_id is not None and not _THREAD_ID.fullmatch(thread_id):
        raise Rejected(Code.InvalidRequest, "A thread's id is 32 lowercase hex digits.", field="thread_id")


async def refuse_unknown_parameters(connection: AnyConnection, handler: BaseRouteHandler) -> None:
    """A guard of routes: what is asked for and would be passed over is refused. A filter with a misspelt name would
    otherwise answer with everything."""
    if connection.scope.get("method") != "GET" or not connection.query_params:
        return
    known = [
        name
        for name, field in handler.parsed_fn_signature.parameters.items()
        if name != "request"
        and name not in connection.path_params
        and not isinstance(field.kwarg_definition, HeaderParameter)
    ]
    unknown = next((name[:80] for name in connection.query_params if name not in known), None)
    if unknown is not None:
        those = f"Those of this route are {', '.join(known)}." if known else "This route has none."
        raise Rejected(Code.InvalidRequest, f"There is no parameter {unknown!a} here. {those}", field=unknown)
