"""The command line as hosts in the field send it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import bytewise, splits

from gateway.wire.command import Abandoned, CommandLineReader, Control, Item, Line, Repeat, TooLong
from gateway.wire.settings import LineSettings


def read(pieces: list[bytes], limit: int = 100) -> tuple[list[Item], bytes]:
    reader, items, echo = CommandLineReader(LineSettings(), limit), [], b""
    for piece in pieces:
        position = 0
        while position < len(piece):
            item, position = reader.feed(piece, position, 0.0)
            echo += bytes(reader.echo)
            reader.echo.clear()
            if item is not None:
                items.append(item)
    return items, echo


CASES = [
    (b"AT\r", [Line(b"AT")]),
    (b"at#otcp=1\r", [Line(b"at#otcp=1")]),
    (b"AT\r\n", [Line(b"AT")]),
    (b"AT\n", [Line(b"AT")]),
    (b"AT\n\r", [Line(b"AT")]),
    (b"AT\r\nATI\r\n", [Line(b"AT"), Line(b"ATI")]),
    (b"\r\n\r\nAT\r", [Line(b"AT")]),
    (b"+++AT\r", [Line(b"AT")]),
    (b"\x03\x03AT\r", [Control(3), Control(3), Line(b"AT")]),
    (b"AT#A\x03=1\r", [Control(3), Line(b"AT#A=1")]),
    (b"ATX\x081\r", [Line(b"AT1")]),
    (b"xyzAT\r", [Line(b"AT")]),
    (b"AAT\r", [Line(b"AT")]),
    (b"hello\r", []),
    (b"A/", [Repeat()]),
    (b"a/AT\r", [Repeat(), Line(b"AT")]),
    (b"AT\x00\x01\x02E0\r", [Line(b"ATE0")]),
    (b"AT\xff\x80\r", [Line(b"AT\xff\x80")]),
]


@pytest.mark.parametrize(("data", "items"), CASES)
def test_lines_in_one_go_and_byte_by_byte(data: bytes, items: list[Item]) -> None:
    assert read([data])[0] == items
    assert read(list(bytewise(data)))[0] == items


@given(st.data())
def test_any_split_gives_the_same_lines(data: st.DataObject) -> None:
    stream = b"".join(data.draw(st.lists(st.sampled_from([case for case, _ in CASES if case != b"AT\n\r"]), max_size=6)))
    assert read(data.draw(splits(stream)))[0] == read([stream])[0]


@given(st.lists(st.binary(max_size=80), max_size=10))
def test_noise_never_raises_and_never_hides_a_good_line(noise: list[bytes]) -> None:
    items, _ = read([*noise, b"\r", b"AT+CSQ\r"])
    assert items[-1] == Line(b"AT+CSQ")


def test_echo_is_what_was_sent() -> None:
    assert read([b"AT#A=1\r"])[1] == b"AT#A=1\r"
    assert read([b"AT\r\n"])[1] == b"AT\r\n"
    assert read(list(bytewise(b"AT#A\x08B\r")))[1] == b"AT#A\x08B\r"


def test_a_lf_that_comes_late_is_swallowed_silently() -> None:
    assert read([b"AT\r", b"\n"]) == ([Line(b"AT")], b"AT\r")


def test_a_line_beyond_the_limit() -> None:
    assert read([b"AT" + b"x" * 200 + b"\r", b"AT\r"], limit=50)[0] == [TooLong(b"AT" + b"x" * 48), Line(b"AT")]


def test_other_line_characters() -> None:
    settings = LineSettings()
    settings.registers[3] = 0x0D
    settings.registers[5] = 0x7E
    reader = CommandLineReader(settings, 100)
    assert reader.feed(b"ATX~V1\r", 0, 0.0)[0] == Line(b"ATV1")


def test_half_a_command_and_silence() -> None:
    reader = CommandLineReader(LineSettings(), 100)
    assert reader.feed(b"AT#TCPPO", 0, 5.0)[0] is None
    assert reader.tick(14.9) is None
    assert reader.tick(15.0) == Abandoned(b"AT#TCPPO")
    assert reader.feed(b"AT\r", 0, 16.0)[0] == Line(b"AT")


def test_a_host_that_begins_anew_loses_no_command() -> None:
    reader = CommandLineReader(LineSettings(), 100)
    reader.feed(b"AT#TCPPO", 0, 5.0)
    assert reader.feed(b"AT#VSTATE\r", 0, 8.0)[0] == Line(b"AT#VSTATE")


def test_pieces_of_one_command_may_come_slowly() -> None:
    reader = CommandLineReader(LineSettings(), 100)
    reader.feed(b"AT", 0, 0.0)
    reader.feed(b'#APNSERV="', 0, 3.0)
    reader.feed(b"AT.example", 0, 6.0)
    assert reader.feed(b'"\r', 0, 9.0)[0] == Line(b'AT#APNSERV="AT.example"')


class TestLateLineFeed:
    """A LF that comes when a data phase has opened."""

    def test_belongs_to_the_command_of_a_host_that_ends_lines_with_it(self) -> None:
        reader = CommandLineReader(LineSettings(), 100)
        reader.feed(b"AT\r\n", 0, 0.0)
        reader.feed(b"AT#OTCP\r", 0, 1.0)
        assert reader.late_lf(10)

    def test_is_payload_of_a_host_that_does_not(self) -> None:
        reader = CommandLineReader(LineSettings(), 100)
        reader.feed(b"AT\r", 0, 0.0)
        reader.feed(b"AT#OTCP\r", 0, 1.0)
        assert not reader.late_lf(10)

    def test_of_a_host_that_is_not_known_belongs_to_the_command(self) -> None:
        reader = CommandLineReader(LineSettings(), 100)
        reader.feed(b"AT#OTCP\r", 0, 1.0)
        assert reader.late_lf(10)
        assert not reader.late_lf(10)
