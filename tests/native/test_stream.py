"""What a connection tells, and when: also where its event loop begins to read before it is asked to."""

from __future__ import annotations

from gateway.model.causes import Cause
from gateway.native.tcp import Stream, StreamOwner


class Owner(StreamOwner):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def received(self, stream: Stream, data: bytes) -> None:
        self.told.append(data)

    def waiting(self, stream: Stream, size_bytes: int) -> None:
        self.told.append(size_bytes)

    def ended(self, stream: Stream) -> None:
        self.told.append("ended")

    def lost(self, stream: Stream, cause: Cause) -> None:
        self.told.append(cause)


def held() -> tuple[Stream, Owner]:
    """A connection whose opening was not told yet."""
    owner = Owner()
    stream = Stream(owner)
    stream.hold(True)
    return stream, owner


def test_what_comes_before_the_opening_is_told_behind_it() -> None:
    stream, owner = held()
    stream.data_received(b"220 ")
    stream.data_received(b"here")
    assert owner.told == []
    stream.hold(False)
    assert owner.told == [8]
    stream.data_received(b"!")
    assert owner.told == [8], "told once"
    stream.read(True)
    stream.data_received(b"?")
    assert owner.told == [8, b"220 here!", b"?"]


def test_an_end_that_comes_before_the_opening_is_told_behind_it() -> None:
    stream, owner = held()
    stream.eof_received()
    assert owner.told == []
    stream.hold(False)
    stream.eof_received()
    assert owner.told == ["ended"]


def test_a_loss_that_comes_before_the_opening_is_told_behind_it() -> None:
    stream, owner = held()
    stream.connection_lost(ConnectionResetError(104, "reset"))
    assert owner.told == []
    stream.hold(False)
    assert owner.told == [Cause.RESET]


def test_an_end_is_told_behind_all_that_came() -> None:
    stream, owner = held()
    stream.data_received(b"bye")
    stream.eof_received()
    stream.connection_lost(None)
    stream.hold(False)
    assert owner.told == [3]
    stream.read(True)
    assert owner.told == [3, b"bye", "ended", Cause.CLOSED_BY_PEER]


def test_a_reader_who_takes_no_more_is_still_told_of_the_end() -> None:
    """What was on the way when he said so is his."""
    stream, owner = held()
    stream.hold(False)
    stream.read(True)
    stream.hold(True)
    stream.data_received(b"late")
    stream.eof_received()
    assert owner.told == [b"late", "ended"]
