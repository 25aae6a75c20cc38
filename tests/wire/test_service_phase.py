"""A data mode that is a service: S000333 ch. 5, ch. 6, App. B."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import payloads, splits

from gateway.wire import dle
from gateway.wire.service_phase import CLOSED_QUIET_S, LINGER_S, QUIET, ServicePhase

CLOSED = b"\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"
CLOSING = (CLOSED, b"\r\nOk_Info_SocketClosed\r\n", b"\r\nOK\r\n")
BOOT = b"\r\n+WIND: 13\r\n"


def stream() -> ServicePhase:
    return ServicePhase(closing=CLOSING, boot=(BOOT,))


def play(phase: ServicePhase, parts: list[bytes], now: float = 0.0) -> tuple[bytes, bytes | None, bytes]:
    """Payload, the sign of the end, and what stood behind it; time goes on when all has come."""
    payload, mark, rest = b"", None, b""
    for part in parts:
        fed = phase.feed(part, now)
        payload += b"".join(fed.payload)
        if fed.mark is not None:
            mark, rest = fed.mark, fed.rest
            break
    while mark is None and phase.deadline is not None and phase.deadline <= now + 1.0:
        fed = phase.tick(phase.deadline)[1]
        payload += b"".join(fed.payload)
        mark = fed.mark
    return payload, mark, rest


@given(payloads, st.data())
def test_every_byte_and_an_end(data: bytes, draw: st.DataObject) -> None:
    sent = stream().encode(data, 0.0) + dle.ETX + b"behind"
    payload, mark, rest = play(stream(), draw.draw(splits(sent)))
    assert payload == data
    assert mark == dle.ETX
    assert b"behind".startswith(rest)


@pytest.mark.parametrize("words", CLOSING)
@pytest.mark.parametrize("before", [b"", b"late", CLOSED, b"\r\nOk_Info_", b"\x10\x03\x10\x10"])
@given(draw=st.data())
def test_the_modules_words_end_it_where_they_are_the_last(before: bytes, words: bytes, draw: st.DataObject) -> None:
    phase = stream()
    assert phase.end() == dle.ETX
    payload, mark, _ = play(phase, draw.draw(splits(before + words)))
    whole = before + words
    longest = next(closing for closing in CLOSING if whole.endswith(closing))
    assert mark == longest
    assert dle.encode(payload) == whole.removesuffix(longest)


@pytest.mark.parametrize("words", [*CLOSING, BOOT])
@pytest.mark.parametrize("own", [b'\r\n+CREG: 2,"00FF"\r\n', b"\r\n#CME ERROR: 35866\r\n", BOOT + b"\r\n+WIND: 4\r\n"])
@given(draw=st.data())
def test_its_own_lines_may_stand_behind_its_last_words(words: bytes, own: bytes, draw: st.DataObject) -> None:
    phase = stream()
    phase.end()
    payload, mark, _ = play(phase, draw.draw(splits(b"late" + words + own)))
    assert (payload, mark) == (b"late", words + own)
    assert phase.restarted == (words == BOOT)


@pytest.mark.parametrize("behind", [b"\r\nno line of its own\r\n", b"\r\n+CREG: 1\r\nmore", b"x"])
@given(draw=st.data())
def test_words_like_its_last_are_payload_where_more_of_it_follows(behind: bytes, draw: st.DataObject) -> None:
    phase = stream()
    phase.end()
    sent = CLOSED + behind
    payload, mark, _ = play(phase, draw.draw(splits(sent)))
    assert (payload, mark) == (sent, None)


def test_an_end_of_the_peers_meets_the_hosts() -> None:
    phase = stream()
    phase.end()
    fed = phase.feed(b"late\r\nOk\x03\r\nOk_Info", 0.0)
    assert (b"".join(fed.payload), fed.mark, fed.rest) == (b"late\r\nOk", dle.ETX, b"\r\nOk_Info")


def test_a_boot_text_is_only_suspected() -> None:
    phase = stream()
    assert play(phase, [b"x" + BOOT]) == (b"x", BOOT, b"")
    assert phase.suspected == BOOT
    assert phase.feed(b"y", 2.0).payload == [BOOT + b"y"]
    assert phase.suspected == b""
    play(phase, [BOOT], 3.0)
    assert phase.absolve() == [BOOT]
    assert phase.absolve() == []


def test_nothing_more_from_either_side() -> None:
    phase = stream()
    assert phase.end_sending(0.0) == b""
    phase.feed(b"answer", 4.0)
    assert phase.tick(LINGER_S)[1].mark is None
    assert phase.tick(4.0 + LINGER_S)[1].mark == QUIET
    assert phase.deadline is None


class TestDatagrams:
    """Divided by silence alone (ch. 6 #UDPTXDELAY)."""

    def phase(self) -> ServicePhase:
        return ServicePhase(closing=CLOSING, boot=(BOOT,), gap_s=0.04, spacing_s=0.1)

    def test_received(self) -> None:
        phase = self.phase()
        assert phase.feed(b"o\x10", 0.0).payload == []
        assert phase.feed(b"\x03ne", 0.03).payload == []
        assert phase.tick(0.07)[1].payload == [b"o\x03ne"]
        fed = phase.feed(b"two\x03[", 1.0)
        assert (fed.payload, fed.mark, fed.rest) == ([b"two"], dle.ETX, b"[")

    def test_sent(self) -> None:
        phase = self.phase()
        assert phase.encode(b"a\x03", 0.0) == b"a\x10\x03"
        assert phase.holds and phase.deadline is None
        phase.drained(2.0)  # it took so long on the line
        assert phase.deadline == 2.1
        phase.tick(2.1)
        assert not phase.holds

    def test_a_restart_is_suspected_in_them_too(self) -> None:
        phase = self.phase()
        phase.feed(BOOT, 0.0)
        fed = phase.tick(0.04)[1]
        assert (fed.payload, fed.mark) == ([], BOOT)
        assert phase.feed(b"more", 0.1).payload == [BOOT]
        assert phase.tick(0.14)[1].payload == [b"more"]


def test_the_words_are_given_out_soon() -> None:
    phase = stream()
    phase.end()
    phase.feed(CLOSED, 5.0)
    assert phase.deadline == 5.0 + CLOSED_QUIET_S
