"""Data phases as a host and as the gateway see them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import payloads, splits

from gateway.wire import dle
from gateway.wire.gather import Gatherer
from gateway.wire.hint import HOLD_S, QUIET_S, HintHolder
from gateway.wire.module_phase import ModulePhase
from gateway.wire.phase import Etx, HostPhase
from gateway.wire.plus import EscapeDetector

SHUTDOWN = b"\r\nSHUTDOWN\r\n"


class TestGatherer:
    def test_a_packet_ends_with_its_time_from_the_first_byte(self) -> None:
        gather = Gatherer(0.2, 100)
        assert gather.feed(b"a", 1.0) == []
        assert gather.feed(b"b", 1.1) == []
        assert gather.deadline == pytest.approx(1.2)
        assert gather.tick(1.2) == [b"ab"]
        assert gather.deadline is None

    def test_or_when_it_is_full(self) -> None:
        gather = Gatherer(0.2, 3)
        assert gather.feed(b"abcdefgh", 1.0) == [b"abc", b"def"]
        assert gather.flush() == [b"gh"]

    def test_without_delay_each_write_is_one(self) -> None:
        gather = Gatherer(0, 3)
        assert gather.feed(b"ab", 1.0) == [b"ab"]
        assert gather.feed(b"abcd", 1.0) == [b"abc", b"d"]

    @given(st.lists(st.binary(max_size=50), max_size=20), st.integers(1, 64))
    def test_nothing_is_lost(self, writes: list[bytes], limit: int) -> None:
        gather, got = Gatherer(0.1, limit), []
        for number, data in enumerate(writes):
            got += gather.tick(number * 0.07) + gather.feed(data, number * 0.07)
        got += gather.flush()
        assert b"".join(got) == b"".join(writes)
        assert all(0 < len(packet) <= limit for packet in got)


class TestHints:
    @given(st.data())
    def test_payload_comes_out_as_it_went_in(self, data: st.DataObject) -> None:
        payload = data.draw(payloads)
        holder, got, now = HintHolder((SHUTDOWN,)), b"", 0.0
        for piece in data.draw(splits(payload)):
            now += 0.001
            got += holder.feed(piece, now)
        got += holder.tick(now + 1)
        assert got + (holder.suspected or b"") == payload
        assert holder.suspected == (SHUTDOWN if payload.endswith(SHUTDOWN) else None)

    def test_a_beginning_is_held_shortly(self) -> None:
        holder = HintHolder((SHUTDOWN,))
        assert holder.feed(b"line\r\n", 0.0) == b"line"
        assert holder.tick(HOLD_S) == b"\r\n"

    def test_what_follows_shows_that_it_was_payload(self) -> None:
        holder = HintHolder((SHUTDOWN,))
        holder.feed(SHUTDOWN, 0.0)
        holder.tick(QUIET_S)
        assert holder.suspected == SHUTDOWN
        assert holder.feed(b"x", 1.0) == SHUTDOWN + b"x"
        assert holder.suspected is None

    def test_the_end_of_the_phase_is_as_good_as_silence(self) -> None:
        holder = HintHolder((SHUTDOWN,))
        assert holder.feed(b"text" + SHUTDOWN, 0.0) == b"text"
        assert holder.end() == b""
        assert holder.suspected == SHUTDOWN
        holder.feed(b"\r\nSHUT", 1.0)
        assert holder.end() == b"\r\nSHUT"

    def test_a_slow_line_does_not_hide_it(self) -> None:
        holder = HintHolder((SHUTDOWN,))
        holder.feed(b"\r\nSH", 0.0)
        assert holder.tick(0.1) == b"\r\nSH"
        holder.feed(b"UTDOWN\r\n", 0.2)
        holder.tick(1.0)
        assert holder.suspected is not None


def collect(phase: HostPhase, pieces: list[bytes]) -> bytes:
    got = b""
    for number, piece in enumerate(pieces):
        got += b"".join(phase.from_host(piece, number * 0.001).payload)
    return got + b"".join(phase.finish())


class TestHostPhase:
    @given(st.data())
    def test_every_payload_in_any_split(self, data: st.DataObject) -> None:
        payload = data.draw(payloads)
        gather = data.draw(st.sampled_from([None, Gatherer(0.1, 16), Gatherer(0, 7)]))
        escaped = HostPhase(escaped=True, etx=Etx.ENDS, gather=gather)
        assert collect(escaped, data.draw(splits(dle.encode(payload)))) == payload
        plain = HostPhase(escaped=False, plus=EscapeDetector(1.0, 0.0))
        assert collect(plain, data.draw(splits(payload))) == payload

    def test_etx_ends_a_session(self) -> None:
        taken = HostPhase(escaped=True, etx=Etx.ENDS, gather=Gatherer(1, 100)).from_host(b"ab\x03AT\r", 0.0)
        assert (taken.payload, taken.ended, taken.rest) == ([b"ab"], True, b"AT\r")

    def test_etx_ends_the_sending(self) -> None:
        phase = HostPhase(escaped=True, etx=Etx.SHUTS, plus=EscapeDetector(1.0, 0.0))
        taken = phase.from_host(b"ab\x03cd", 0.1)
        assert (taken.payload, taken.shutdown, taken.ended, taken.dropped) == ([b"ab"], True, False, 2)
        assert not phase.from_host(b"\x03", 0.2).shutdown

    def test_etx_divides_datagrams(self) -> None:
        phase = HostPhase(escaped=True, etx=Etx.DIVIDES, gather=Gatherer(0, 8192))
        assert phase.from_host(b"one\x03two\x10\x03\x03th", 0.0).payload == [b"one", b"two\x03"]
        assert phase.finish() == [b"th"]
        assert phase.to_host(b"x\x03") == b"x\x10\x03\x03"

    def test_a_lone_escape_behind_a_datagram_goes_with_the_next_one(self) -> None:
        plus = EscapeDetector(1.0, 0.0, deliver_signs=True)
        phase = HostPhase(escaped=True, etx=Etx.DIVIDES, gather=Gatherer(0, 8192), plus=plus)
        phase.from_host(b"one\x03", 0.0)
        phase.from_host(b"+++", 1.5)
        taken = phase.tick(2.5)
        assert (taken.escaped, taken.payload, phase.carry) == (True, [], b"+++")


class TestModulePhase:
    @given(st.data())
    def test_what_a_module_sends_in_any_split(self, data: st.DataObject) -> None:
        payload = data.draw(payloads)
        phase, got, now = ModulePhase(escaped=True, divided=False, guard_s=1.0, hints=(SHUTDOWN,)), b"", 0.0
        for piece in data.draw(splits(dle.encode(payload))):
            got += b"".join(phase.feed(piece, now).payload)
        got += b"".join(phase.tick(now + 1)[1].payload) + b"".join(phase.finish())
        assert got + phase.suspected == payload

    @given(st.lists(st.binary(max_size=60), max_size=6), st.data())
    def test_datagrams_keep_their_boundaries(self, datagrams: list[bytes], data: st.DataObject) -> None:
        phase, got = ModulePhase(escaped=True, divided=True, guard_s=1.0), []
        stream = b"".join(dle.encode(one) + b"\x03" for one in datagrams)
        for piece in data.draw(splits(stream)):
            got += phase.feed(piece, 0.0).payload
        assert got == datagrams

    @pytest.mark.parametrize("behind", [b"", b"\x03"])
    def test_a_word_of_the_modules_that_comes_byte_by_byte(self, behind: bytes) -> None:
        """Though its line ends may begin a boot text too."""
        boot = (b"\r\nRDY\r\n",)
        phase = ModulePhase(escaped=True, divided=False, guard_s=1.0, hints=(SHUTDOWN,), boot=boot)
        got, now, marks = b"", 0.0, set()
        for byte in b"last words" + SHUTDOWN + behind:
            fed = phase.feed(bytes([byte]), now)
            got += b"".join(fed.payload)
            marks.add(fed.mark)
            for _ in range(5):
                now += 0.005
                if phase.deadline is not None and now >= phase.deadline:
                    got += b"".join(phase.tick(now)[1].payload)
        marks |= {phase.tick(now + 1)[1].mark, phase.tick(now + 2)[1].mark}
        assert got == b"last words"
        assert marks - {None} == {behind or SHUTDOWN}

    @given(st.data())
    def test_all_that_came_before_an_end_is_payload(self, data: st.DataObject) -> None:
        """Also what might have become a module's own word; which nothing but all of it is."""
        payload = data.draw(payloads) + data.draw(st.sampled_from([b"", b"\r\n", b"a\r\nSH", b"\r\nSHUTDOWN\r"]))
        own = data.draw(st.sampled_from([b"", SHUTDOWN])) if not payload.endswith(SHUTDOWN) else b""
        phase, got, mark = ModulePhase(escaped=True, divided=False, guard_s=1.0, hints=(SHUTDOWN,)), b"", None
        for piece in data.draw(splits(dle.encode(payload) + own + b"\x03")):
            fed = phase.feed(piece, 0.0)
            got += b"".join(fed.payload)
            mark = mark or fed.mark
        assert mark == b"\x03"
        assert got in (payload, payload.removesuffix(SHUTDOWN))

    def test_etx_is_the_end_of_a_stream(self) -> None:
        fed = ModulePhase(escaped=True, divided=False, guard_s=1.0).feed(b"a\x10\x03\x03\r\n+CME ERROR: 843\r\n", 0.0)
        assert (fed.payload, fed.mark, fed.rest) == ([b"a\x03"], b"\x03", b"\r\n+CME ERROR: 843\r\n")
