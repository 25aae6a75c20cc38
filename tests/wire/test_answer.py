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


@given(st.data())
def test_empty_lines_are_counted(data: st.DataObject) -> None:
    """The line end that stands before every answer (V.250, 5.7.1) counts as one."""
    reader, found = AnswerReader(), []
    for piece in data.draw(splits(b"\r\na\r\n\r\nb\r\n\r\n\r\nc\r\nd\r\n\n\re\r\n")):
        reader.add(piece)
        while (item := reader.take_one(False)) is not None:
            found.append(item)
    assert found == [TextLine("a", 1), TextLine("b", 1), TextLine("c", 2), TextLine("d", 0), TextLine("e", 2)]


def test_the_prompt() -> None:
    assert lines([b"\r\n> "], prompt=True) == ["> "]
    assert lines([b"\r\n>", b" \r\nOK\r\n"], prompt=True) == ["> ", "OK"]
    assert lines([b"\r\n>\r\n"], prompt=True) == ["> "]
    assert lines([b"\r\n> \r\n"]) == ["> "]


def test_what_stands_behind_connect_is_not_a_line() -> None:
    reader = AnswerReader()
    reader.add(b"\r\nCONNECT\r\n\r\nOK\r\n")
    assert reader.take_one(False) == TextLine("CONNECT", 1)
    assert reader.take_rest() == b"\r\nOK\r\n"


def test_the_line_end_of_connect_may_be_split() -> None:
    reader = AnswerReader()
    reader.add(b"\r\nCONNECT\r")
    assert reader.take_one(False) == TextLine("CONNECT", 1)
    assert reader.after_cr


def test_noise_does_not_grow_without_bound() -> None:
    reader = AnswerReader()
    reader.add(b"x" * (LINE_LIMIT_BYTES + 10))
    item = reader.take_one(False)
    assert isinstance(item, TextLine)
    assert len(item.text) == LINE_LIMIT_BYTES
