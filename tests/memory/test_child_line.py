"""A thread's own way to a child process: whole frames, the right reply, and clear failures."""

import random
import socket
import threading
from collections.abc import Iterator

import pytest

from choir.memory.child_line import MAXIMUM_FRAME_BYTES, ChildDied, Line, read_frame, send_frame

SECONDS = 30.0


class Ends:
    """The line, and the other side's socket."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.line = Line(ours)


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.line.close()
    made.theirs.close()


def test_frames_of_any_length_arrive_whole(ends: Ends) -> None:
    chance = random.Random(7)
    frames = [chance.randbytes(size) for size in (0, 1, 3, 4, 5, 70_000, 200_000, 2)]

    def answer() -> None:
        while (request := read_frame(ends.theirs)) is not None:
            send_frame(ends.theirs, request[::-1])

    other = threading.Thread(target=answer)
    other.start()
    for frame in frames:
        assert ends.line.receive(ends.line.send(frame, SECONDS), SECONDS) == frame[::-1]
    ends.line.close()
    other.join()


def test_replies_that_nobody_waited_for_are_dropped(ends: Ends) -> None:
    numbers = [ends.line.send(b"ask", SECONDS) for _ in range(4)]
    for number in range(4):
        send_frame(ends.theirs, f"reply {number}".encode())
    assert ends.line.receive(numbers[1], SECONDS) == b"reply 1"
    assert ends.line.receive(numbers[3], SECONDS) == b"reply 3"
    with pytest.raises(ValueError, match="before"):
        ends.line.receive(numbers[2], SECONDS)


def test_a_process_that_is_gone(ends: Ends) -> None:
    number = ends.line.send(b"ask", SECONDS)
    ends.theirs.sendall(b"\x00\x00\x00\x09half")
    ends.theirs.close()
    with pytest.raises(ChildDied):
        ends.line.receive(number, SECONDS)
    with pytest.raises(ChildDied):
        ends.line.send(b"ask again", SECONDS)


def test_what_is_too_long_to_be_a_reply_is_none(ends: Ends) -> None:
    number = ends.line.send(b"ask", SECONDS)
    ends.theirs.sendall((MAXIMUM_FRAME_BYTES + 1).to_bytes(4))
    with pytest.raises(ChildDied, match="no reply"):
        ends.line.receive(number, SECONDS)


def test_a_process_that_does_not_answer(ends: Ends) -> None:
    number = ends.line.send(b"ask", SECONDS)
    with pytest.raises(TimeoutError):
        ends.line.receive(number, 0.01)


def test_closing_wakes_who_waits(ends: Ends) -> None:
    failures: list[Exception] = []
    number = ends.line.send(b"ask", SECONDS)

    def wait() -> None:
        try:
            ends.line.receive(number, SECONDS)
        except ChildDied as error:
            failures.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    ends.line.close()
    waiting.join()
    assert len(failures) == 1
    ends.line.close()


def test_half_a_frame_is_none(ends: Ends) -> None:
    ends.line._connection.sendall(b"\x00\x00\x00\x09half")
    ends.line.close()
    assert read_frame(ends.theirs) is None
