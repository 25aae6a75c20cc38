"""``+++`` and its silences (4111846 §6.2.4; what hosts really send)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.plus import EscapeBreaker, EscapeDetector


class TestDetector:
    def test_with_silence_on_both_sides(self) -> None:
        detector = EscapeDetector(1.0, 0.0)
        assert detector.feed(b"+++", 1.0) == (b"", None)
        assert detector.deadline == pytest.approx(2.0)
        assert detector.tick(1.9) == (b"", False)
        assert detector.tick(2.0) == (b"", True)

    def test_the_signs_can_go_to_the_peer_too(self) -> None:
        detector = EscapeDetector(1.0, 0.0, deliver_signs=True)
        detector.feed(b"+++", 1.5)
        assert detector.tick(2.5) == (b"+++", True)

    def test_sign_by_sign(self) -> None:
        detector = EscapeDetector(1.0, 0.0)
        for at in (1.0, 1.2, 1.4):
            assert detector.feed(b"+", at) == (b"", None)
        assert detector.tick(2.4) == (b"", True)

    def test_without_silence_before_it_is_payload(self) -> None:
        detector = EscapeDetector(1.0, 0.0)
        assert detector.feed(b"+++", 0.5) == (b"+++", None)
        assert detector.deadline is None

    def test_jitter_of_the_port_is_forgiven(self) -> None:
        assert EscapeDetector(1.0, 0.0).feed(b"+++", 0.9) == (b"", None)

    @pytest.mark.parametrize("payload", [b"++", b"++++", b"+++a", b"+a+"])
    def test_other_payload_in_silence(self, payload: bytes) -> None:
        detector = EscapeDetector(1.0, 0.0)
        passed, behind = detector.feed(payload, 5.0)
        late, escaped = detector.tick(6.0)
        assert (passed + late, behind, escaped) == (payload, None, False)

    def test_bytes_behind_it_make_it_payload(self) -> None:
        detector = EscapeDetector(1.0, 0.0)
        detector.feed(b"+++", 2.0)
        assert detector.feed(b"x", 2.5) == (b"+++x", None)

    def test_a_command_soon_behind_it_is_a_command(self) -> None:
        detector = EscapeDetector(1.0, 0.0)
        detector.feed(b"+++", 2.0)
        assert detector.feed(b"AT+WIPCLOSE=2,1\r", 2.1) == (b"", b"AT+WIPCLOSE=2,1\r")

    def test_free_after_the_peers_end(self) -> None:
        detector = EscapeDetector(1.0, 0.0)
        detector.feed(b"abc", 1.0)
        detector.free = True
        assert detector.feed(b"+++", 1.01) == (b"", b"")

    @given(st.lists(st.tuples(st.sampled_from([b"+", b"++", b"+++", b"a", b"AT"]), st.floats(0, 3)), max_size=12))
    def test_nothing_is_lost_or_invented(self, writes: list[tuple[bytes, float]]) -> None:
        detector, now, sent, got = EscapeDetector(1.0, 0.0, deliver_signs=True), 0.0, b"", b""
        for data, pause in writes:
            due = detector.deadline
            if due is not None and due <= now + pause:
                late, escaped = detector.tick(due)
                got += late
                if escaped:
                    break
            now += pause
            sent += data
            passed, behind = detector.feed(data, now)
            got += passed
            if behind is not None:
                sent = sent[: len(sent) - len(behind)]
                break
        else:
            got += detector.tick(now + 2)[0]
        assert got == sent


class TestBreaker:
    def test_a_lone_escape_is_sent_in_two(self) -> None:
        breaker = EscapeBreaker(1.0, 0.0)
        assert breaker.feed(b"+++", 2.0) == b"++"
        assert breaker.holding
        assert breaker.tick(3.0) == b""
        assert breaker.tick(3.2) == b"+"
        assert not breaker.holding

    def test_sign_by_sign(self) -> None:
        breaker = EscapeBreaker(1.0, 0.0)
        assert [breaker.feed(b"+", at) for at in (2.0, 2.1, 2.2)] == [b"+", b"+", b""]

    def test_with_payload_behind_it_goes_at_once(self) -> None:
        breaker = EscapeBreaker(1.0, 0.0)
        breaker.feed(b"+++", 2.0)
        assert breaker.feed(b"x", 2.5) == b"+x"

    @pytest.mark.parametrize("payload", [b"+++a", b"a+++", b"++++", b"abc"])
    def test_other_payload_passes(self, payload: bytes) -> None:
        assert EscapeBreaker(1.0, 0.0).feed(payload, 2.0) == payload

    def test_right_after_other_payload_it_passes(self) -> None:
        breaker = EscapeBreaker(1.0, 0.0)
        breaker.feed(b"abc", 2.0)
        assert breaker.feed(b"+++", 2.1) == b"+++"

    @given(st.lists(st.tuples(st.sampled_from([b"+", b"++", b"+++", b"a"]), st.floats(0, 4)), max_size=12))
    def test_a_module_never_sees_an_escape_and_loses_nothing(self, writes: list[tuple[bytes, float]]) -> None:
        breaker, module, now = EscapeBreaker(1.0, 0.0), EscapeDetector(1.0, 0.0), 0.0
        sent = got = b""

        def write(data: bytes, at: float) -> bytes:
            due = module.deadline
            late = b""
            if due is not None and due <= at:
                late, escaped = module.tick(due)
                assert not escaped
            if not data:
                return late
            passed, behind = module.feed(data, at)
            assert behind is None
            return late + passed

        for data, pause in [*writes, (b"", 4.0)]:
            while (due := breaker.deadline) is not None and due <= now + pause:
                got += write(breaker.tick(due), due)
            now += pause
            sent += data
            got += write(breaker.feed(data, now) if data else b"", now)
        got += write(b"", now + 2)
        assert got == sent
