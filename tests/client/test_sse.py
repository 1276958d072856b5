"""Server-Sent Events out of bytes, however they are cut."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choir.client import sse
from choir.client.errors import UnexpectedAnswer
from choir.client.sse import SseMessage, read_messages

STREAM = (
    b': still here\n\nevent: token\nid: 7\ndata: {"a":1}\n\ndata:two\ndata: lines\n\n'
    b"event: nothing\n\nid: 9\r\ndata: x\r\n\r\nretry: 5\nunknown: y\ndata\n\ndata: cut off"
)
MESSAGES = [
    SseMessage("token", b'{"a":1}', "7"),
    SseMessage("message", b"two\nlines", None),
    SseMessage("message", b"x", "9"),
    SseMessage("message", b"", None),
]


async def chunks_of(data: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    begin = 0
    for cut in [*sorted(cuts), len(data)]:
        yield data[begin:cut]
        begin = cut


async def test_messages_are_read() -> None:
    assert [message async for message in read_messages(chunks_of(STREAM, []))] == MESSAGES


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
async def test_it_does_not_matter_how_the_bytes_are_cut(cuts: list[int]) -> None:
    assert [message async for message in read_messages(chunks_of(STREAM, cuts))] == MESSAGES


@pytest.mark.parametrize("data", [b"data: " + b"x" * 2000, b"data: xxxxxxxxxxxxx\n" * 100], ids=["line", "lines"])
async def test_a_message_without_end_is_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "LARGEST_MESSAGE_BYTES", 1000)
    with pytest.raises(UnexpectedAnswer):
        _ = [message async for message in read_messages(chunks_of(data, [500, 1500]))]
