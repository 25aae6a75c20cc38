"""``--fault``: a bad day on demand, and what is told about a wrong one."""

from __future__ import annotations

import pytest

from gateway.errors import InputError
from gateway.model.causes import Cause
from gateway.native.engine import Trouble
from gateway.native.faults import HELP, Faults


def parse(*texts: str) -> Faults:
    return Faults.parse(list(texts))


class TestKinds:
    """Each kind that ``--faults`` shows."""

    def test_none(self) -> None:
        faults = parse()
        assert faults.trouble == Trouble()
        assert not faults.swallows("+WIPCREATE=1") and not faults.restarts("+WIPCREATE=1")
        assert faults.spoil(b"\r\nOK\r\n") == b"\r\nOK\r\n"

    def test_bearer_refused(self) -> None:
        assert parse("bearer-refused").trouble.bearer_refused is Cause.BEARER_FAILED
        assert parse("bearer-refused").trouble.bearer_refusals == 0
        assert parse("bearer-refused=no_carrier").trouble.bearer_refused is Cause.NO_CARRIER
        trouble = parse("bearer-refused=authentication:2").trouble
        assert (trouble.bearer_refused, trouble.bearer_refusals) == (Cause.AUTHENTICATION, 2)

    def test_times(self) -> None:
        trouble = parse("bearer-slow=1.5", "bearer-lost=30", "connect-slow=0.25").trouble
        assert (trouble.bearer_delay_s, trouble.bearer_lost_s, trouble.connect_delay_s) == (1.5, 30, 0.25)
        assert parse("slow=0.1").slow_s == 0.1

    def test_ping_loss(self) -> None:
        assert parse("ping-loss=0").trouble.ping_losses == {0}
        assert parse("ping-loss=0,2,5").trouble.ping_losses == {0, 2, 5}

    def test_silent(self) -> None:
        faults = parse("silent=+wipcreate")
        for _ in range(3):
            assert faults.swallows("+WIPCREATE=2,1")
        assert faults.swallows("+wipCreate?")
        assert not faults.swallows("+WIPCFG=1")

    def test_a_command_with_its_at(self) -> None:
        assert parse("silent=at+wipcreate").swallows("+WIPCREATE=2,1")
        assert parse("restart=AT+WIPDATA").restarts("+WIPDATA=2,1,1")
        assert parse("silent=ATD").swallows("D123;")
        assert not parse("silent=ATD").swallows("+CSQ")
        for line in ("", "+CSQ", "E0V1Q0"):
            assert parse("silent=AT").swallows(line)

    def test_silent_so_many_times(self) -> None:
        faults = parse("silent=+WIPCREATE:2")
        assert [faults.swallows("+WIPCREATE=2,1") for _ in range(4)] == [True, True, False, False]

    def test_restart_after_a_time(self) -> None:
        assert parse("restart=5").restart_s == 5
        assert parse("restart=0.5").restart_s == 0.5
        assert not parse("restart=5").restarts("5")

    def test_restart_on_a_command(self) -> None:
        faults = parse("restart=+wipdata")
        assert faults.restart_s is None
        assert not faults.restarts("+WIPCREATE=1")
        assert [faults.restarts("+WIPDATA=2,1,1") for _ in range(2)] == [True, False], "once, or it never comes up"

    def test_noise(self) -> None:
        """Noise comes besides the bytes of an answer, is no ASCII, about one byte in COUNT, and the same each time."""
        faults = parse("noise=10")
        clean = b"\r\nOK\r\n" * 500
        spoilt = b"".join(faults.spoil(clean[at : at + 6]) for at in range(0, len(clean), 6))
        assert bytes(byte for byte in spoilt if byte < 128) == clean
        assert 200 < len(spoilt) - len(clean) < 400
        again = parse("noise=10")
        assert b"".join(again.spoil(clean[at : at + 6]) for at in range(0, len(clean), 6)) == spoilt

    def test_several(self) -> None:
        faults = parse("bearer-slow=1", "silent=+WIPCREATE:1", "noise=40", "slow=0.5")
        assert (faults.trouble.bearer_delay_s, faults.noise_every, faults.slow_s) == (1, 40, 0.5)
        assert faults.swallows("+WIPCREATE=1")

    def test_a_call(self) -> None:
        trouble = parse("call=at+clip").trouble
        assert (trouble.called_on, trouble.caller, trouble.rings) == ("+CLIP", "", 10)
        trouble = parse("call=+CLIP:+49123:2").trouble
        assert (trouble.called_on, trouble.caller, trouble.rings) == ("+CLIP", "+49123", 2)
        assert Faults().trouble.called_on is None

    def test_every_kind_is_tested_here(self) -> None:
        bearer = {"bearer-refused", "bearer-slow", "bearer-lost"}
        assert set(HELP) == bearer | {
            "call", "connect-slow", "ping-loss", "silent", "slow", "restart", "noise"
        }  # fmt: skip


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("bearer-los=1", "bearer-lost"),
            ("BEARER_SLOW=1", "bearer-slow"),
            ("pingloss=1", "ping-loss"),
            ("silence=+X", "silent"),
            ("restarts=1", "restart"),
        ],
    )
    def test_an_unknown_kind(self, text: str, meant: str) -> None:
        with pytest.raises(InputError, match=f"did you mean '{meant}'") as caught:
            parse(text)
        assert repr(text) in str(caught.value)

    @pytest.mark.parametrize("text", ["", "=", "qqqqq"])
    def test_a_kind_like_no_other(self, text: str) -> None:
        with pytest.raises(InputError) as caught:
            parse(text)
        for name in HELP:
            assert name in str(caught.value)

    @pytest.mark.parametrize(
        "text",
        [
            "bearer-refused=nonsense",
            "bearer-refused=no_carrier:often",
            "bearer-slow",
            "bearer-slow=",
            "bearer-slow=soon",
            "bearer-lost=soon",
            "connect-slow=1s",
            "ping-loss",
            "ping-loss=",
            "ping-loss=a",
            "ping-loss=1,,2",
            "slow",
            "slow=fast",
            "silent=+X:often",
            "restart",
            "restart=",
            "noise",
            "noise=0",
            "noise=-1",
            "noise=much",
        ],
    )
    def test_a_wrong_value(self, text: str) -> None:
        """The sentence says what the value is to be."""
        with pytest.raises(InputError) as caught:
            parse("connect-slow=1", text)
        message = str(caught.value)
        assert repr(text) in message and HELP[text.partition("=")[0]] in message and "\n" not in message

    def test_a_wrong_cause(self) -> None:
        with pytest.raises(InputError, match=r"causes are bearer_failed, .*not_registered.*authentication"):
            parse("bearer-refused=no_network")

    @pytest.mark.parametrize("text", ["silent", "silent=", "silent=:2"])
    def test_silent_to_nothing(self, text: str) -> None:
        with pytest.raises(InputError):
            parse(text)

    @pytest.mark.parametrize(
        "text",
        [
            "bearer-slow=-1",
            "bearer-lost=-1",
            "connect-slow=nan",
            "slow=inf",
            "slow=-1",
            "ping-loss=-1",
            "silent=+X:-2",
            "bearer-refused=no_carrier:-1",
            "restart=-1",
            "restart=nan",
            "restart=inf",
            "restart=?",
            "bearer-slow=1e300",
        ],
    )
    def test_a_number_that_makes_no_sense(self, text: str) -> None:
        with pytest.raises(InputError):
            parse(text)
