"""DLE escaping (S000333 ch. 5; 4111846 §6.2.2.3, §6.2.2.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import payloads, splits

from gateway.wire.dle import DleDecoder, encode


@pytest.mark.parametrize(
    ("payload", "line"),
    [(b"abc", b"abc"), (b"\x03", b"\x10\x03"), (b"\x10", b"\x10\x10"), (b"\x10\x03", b"\x10\x10\x10\x03")],
)
def test_one_table_both_directions(payload: bytes, line: bytes) -> None:
    assert encode(payload) == line
    assert DleDecoder().decode(line) == (payload, None)


def test_every_byte_value() -> None:
    every = bytes(range(256))
    assert DleDecoder().decode(encode(every)) == (every, None)


def test_a_bare_etx_ends_the_data_and_keeps_what_follows() -> None:
    assert DleDecoder().decode(b"ab\x03AT\r") == (b"ab", b"AT\r")


def test_a_lone_dle_waits_for_its_partner() -> None:
    decoder = DleDecoder()
    assert decoder.decode(b"a\x10") == (b"a", None)
    assert decoder.decode(b"\x03b") == (b"\x03b", None)


def test_a_dle_before_another_byte_is_dropped() -> None:
    assert DleDecoder().decode(b"a\x10bc") == (b"abc", None)


@given(st.data())
def test_any_split(data: st.DataObject) -> None:
    payload = data.draw(payloads)
    decoder = DleDecoder()
    got = [decoder.decode(piece) for piece in data.draw(splits(encode(payload)))]
    assert b"".join(part for part, _ in got) == payload
    assert all(rest is None for _, rest in got)


@given(st.data())
def test_the_end_is_found_in_any_split(data: st.DataObject) -> None:
    payload, behind = data.draw(payloads), data.draw(st.binary(max_size=20))
    decoder = DleDecoder()
    got, rest = b"", None
    for piece in data.draw(splits(encode(payload) + b"\x03" + behind)):
        if rest is not None:
            rest += piece
            continue
        part, rest = decoder.decode(piece)
        got += part
    assert (got, rest) == (payload, behind)
