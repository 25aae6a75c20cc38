"""Boot text of a module in the middle of payload: held as long as it could be one, and never lost when it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import bytewise, splits

from gateway.wire.boot import KEPT_LIMIT_BYTES, BootHolder
from gateway.wire.hint import HOLD_S, QUIET_S

BOOT = (b"\r\n+WIND: 1\r\n", b"\r\n+WIND: 13\r\n", b"\r\nRDY\r\n")
WORDS = [*BOOT, b"\r\n+CREG: 2\r\n", b"\r\n", b"\r", b"\n+WIND", b": 1", b"sent before", b"+", b"x"]


def fed(holder: BootHolder, *pieces: bytes) -> bytes:
    return b"".join(holder.feed(piece, 0.0) for piece in pieces)


@given(
    st.lists(st.sampled_from(WORDS), max_size=12)
    .map(b"".join)
    .flatmap(lambda data: st.tuples(st.just(data), splits(data)))
)
def test_payload_comes_out_as_it_went_in(case: tuple[bytes, list[bytes]]) -> None:
    data, pieces = case
    holder = BootHolder(BOOT)
    holder.sent(b"what was sent before it")
    got = fed(holder, *pieces) + holder.tick(HOLD_S)
    assert got + (holder.suspected or b"") + holder.release() in (data, data + (holder.suspected or b""))
    got = fed(holder, *pieces) + holder.release()
    assert got == data


@pytest.mark.parametrize(
    "behind", [b"", BOOT[1], b"\r\n+CREG: 2\r\n", b"sent before", BOOT[2] + b"that was sent", b"\r\n+WI"]
)
@pytest.mark.parametrize("cut", ["whole", "bytes"])
def test_what_a_module_says_is_suspected(behind: bytes, cut: str) -> None:
    """From the first line on; its own lines and the echo of what it was sent may follow."""
    holder, text = BootHolder(BOOT), BOOT[0] + behind
    holder.sent(b"something that was sent before")
    assert fed(holder, *([b"payload" + text] if cut == "whole" else bytewise(b"payload" + text))) == b"payload"
    assert holder.tick(QUIET_S) == b""
    assert holder.suspected == text
    assert holder.feed(BOOT[1], 1.0) == b"" or behind not in (b"", BOOT[1])


@pytest.mark.parametrize("behind", [b"x", b"\r\nwords\r\n", b"+CREG", b"never sent"])
def test_anything_else_shows_that_it_was_payload(behind: bytes) -> None:
    holder = BootHolder(BOOT)
    holder.sent(b"sent before")
    assert fed(holder, BOOT[0], behind) == BOOT[0] + behind
    holder.feed(BOOT[0], 1.0)
    holder.tick(1.0 + QUIET_S)
    assert holder.suspected == BOOT[0]
    assert holder.feed(behind, 2.0) == BOOT[0] + behind
    assert holder.suspected is None


def test_what_is_held_has_a_limit() -> None:
    holder = BootHolder(BOOT)
    got = fed(holder, *[b"\r\n+WIND: 1\r\n"] * (KEPT_LIMIT_BYTES // 12 + 2))
    assert len(got) > KEPT_LIMIT_BYTES


def test_nothing_is_held_where_a_module_has_no_boot_text() -> None:
    assert BootHolder(()).feed(BOOT[0], 0.0) == BOOT[0]
