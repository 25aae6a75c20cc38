"""A module's lines and its prompt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.cuts import splits

from gateway.wire.answer import LINE_LIMIT_BYTES, AnswerReader, PromptSign, TextLine


def lines(pieces: list[bytes], prompt: bool = False) -> list[str]:
    reader, found = AnswerReader(), []
    for piece in pieces:
        reader.add(piece)
        while (item := reader.take_one(prompt)) is not None:
            found.append("> " if isinstance(item, PromptSign) else item.text)
    return found


@given(st.data())
def test_any_split(data: st.DataObject) -> None:
    stream = b"\r\n+CSQ: 17,99\r\n\r\nOK\r\nAT\r\r\n+CREG: 1\r\nbare\nline\r"
    assert lines(data.draw(splits(stream))) == ["+CSQ: 17,99", "OK", "AT", "+CREG: 1", "bare", "line"]


def test_an_empty_line_between_two_is_told() -> None:
    reader = AnswerReader()
    reader.add(b"\r\na\r\n\r\nb\r\n\r\n\r\nc\r\n")
    assert [reader.take_one(False) for _ in range(3)] == [TextLine("a"), TextLine("b"), TextLine("c", True)]


def test_the_prompt() -> None:
    assert lines([b"\r\n> "], prompt=True) == ["> "]
    assert lines([b"\r\n>", b" \r\nOK\r\n"], prompt=True) == ["> ", "OK"]
    assert lines([b"\r\n>\r\n"], prompt=True) == ["> "]
    assert lines([b"\r\n> \r\n"]) == ["> "]


def test_what_stands_behind_connect_is_not_a_line() -> None:
    reader = AnswerReader()
    reader.add(b"\r\nCONNECT\r\n\r\nOK\r\n")
    assert reader.take_one(False) == TextLine("CONNECT")
    assert reader.take_rest() == b"\r\nOK\r\n"


def test_the_line_end_of_connect_may_be_split() -> None:
    reader = AnswerReader()
    reader.add(b"\r\nCONNECT\r")
    assert reader.take_one(False) == TextLine("CONNECT")
    assert reader.after_cr


def test_noise_does_not_grow_without_bound() -> None:
    reader = AnswerReader()
    reader.add(b"x" * (LINE_LIMIT_BYTES + 10))
    item = reader.take_one(False)
    assert isinstance(item, TextLine)
    assert len(item.text) == LINE_LIMIT_BYTES
