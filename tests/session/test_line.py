"""The line discipline of the host's side (V.250 chapters 5 and 6): the gateway is the modem."""

from __future__ import annotations

import pytest
from support.sim import SimBridge


def quiet_host(**options: object) -> SimBridge:
    """A bridge whose module is idle, and a host that wants no echo."""
    sim = SimBridge(**options)  # type: ignore[arg-type]
    sim.start()
    sim.host(b"ATE0\r")
    sim.host_reads()
    return sim


def say(sim: SimBridge, line: str) -> str:
    """Say a line; the answer with bars for line ends."""
    sim.host(line.encode("latin-1") + b"\r")
    text = sim.host_reads().decode("latin-1").replace("\r\n", "|")
    assert sim.to_module == b"", "the module heard of it"
    return text


class TestSettings:
    def test_verbosity(self) -> None:
        sim = quiet_host()
        sim.host(b"ATV0\r")
        assert sim.host_reads() == b"\r0\r"  # App. B of the eDSoft manual
        sim.host(b"AT#DIALSELECT=9\r")
        assert sim.host_reads() == b"\r\n#CME ERROR: 34882\r\n"
        sim.host(b"ATV1\r")
        assert sim.host_reads() == b"\r\nOK\r\n"

    def test_suppression_hides_results_and_text(self) -> None:
        sim = quiet_host()
        assert say(sim, "ATQ1") == ""
        assert say(sim, "AT#DIALSELECT?") == ""
        assert say(sim, "ATQ0") == "|OK|"

    def test_registers_3_4_5(self) -> None:
        sim = quiet_host()
        assert say(sim, "ATS3?;S4?") == "|013||010||OK|"
        sim.host(b"ATS3=30\r")
        assert sim.host_reads() == b"\x1e\nOK\x1e\n"
        sim.host(b"AT\x1e")
        assert sim.host_reads() == b"\x1e\nOK\x1e\n"
        sim.host(b"ATS3=13\x1e")
        assert sim.host_reads() == b"\r\nOK\r\n"
        assert say(sim, "ATS5=42") == "|OK|"
        assert say(sim, "AT#DIALX*SELECT?") == "|#DIALSELECT: 1||OK|"
        assert say(sim, "ATS3=200") == "|ERROR|"

    def test_backspace_edits(self) -> None:
        sim = quiet_host()
        assert say(sim, "AT#DIALX\bSELECT?") == "|#DIALSELECT: 1||OK|"

    def test_profile_and_factory(self) -> None:
        sim = quiet_host()
        assert say(sim, "AT+CMEE=2;&W") == "|OK|"
        assert say(sim, "AT+CMEE=0;Z;+CMEE?") == "|+CMEE: 2||OK|"
        sim.host(b"AT&F\r")
        assert sim.host_reads() == b"\r\nOK\r\n"
        sim.host(b"AT+CMEE?\r")
        assert sim.host_reads() == b"AT+CMEE?\r\r\n+CMEE: 0\r\n\r\nOK\r\n"

    def test_a_stored_profile_is_there_after_a_restart_of_the_gateway(self) -> None:
        sim = quiet_host()
        assert say(sim, "ATS5=42;+CMEE=1;&W") == "|OK|"
        assert sim.kept is not None
        assert say(sim, 'AT#APNSERV="kept"') == "|OK|"
        again = SimBridge(stored=sim.kept)
        again.start()
        again.host(b"AT+CMEE?;S5?;#VGPRS\r")
        said = again.host_reads()
        assert said.startswith(b"\r\n+CMEE: 1\r\n\r\n042\r\n")  # and no echo: E0 is of the profile
        assert b'#APNSERV: "kept"' in said

    def test_erasing_the_parameters_leaves_the_profile(self) -> None:
        sim = quiet_host()
        say(sim, "AT+CMEE=1;&W")
        say(sim, 'AT#APNSERV="x"')
        assert say(sim, "AT#DELFLASH") == "|OK|"
        assert sim.kept is not None
        assert list(sim.kept) == ["&W"]

    def test_rate_and_flow_act_on_the_hosts_port_behind_the_answer(self) -> None:
        sim = quiet_host()
        assert say(sim, "AT+IPR=9600") == "|OK|"
        assert say(sim, "AT+IPR?") == "|+IPR: 9600||OK|"
        assert say(sim, "AT+IPR=12345") == "|ERROR|"
        assert say(sim, "AT+IFC=0,0") == "|OK|"
        assert [(port.rate, port.flow) for port in sim.ports] == [(9600, None), (None, "none")]
        assert say(sim, "AT+IPR=?").startswith("|+IPR: (")

    @pytest.mark.parametrize(
        "line", ["ATE2", "ATV7", "ATQ9", "ATX9", "AT&C9", "AT+CMEE=3", "AT+CMEE", "ATS3=", "AT+ICF=9"]
    )
    def test_wrong_values(self, line: str) -> None:
        assert say(quiet_host(), line) == "|ERROR|"

    def test_online_without_a_data_mode_to_go_back_to(self) -> None:
        assert say(quiet_host(), "ATO") == "|NO CARRIER|"


class TestLines:
    def test_stops_at_the_first_error(self) -> None:
        sim = quiet_host()
        assert say(sim, "AT#DIALSELECT=2;#DIALSELECT=9;#DIALSELECT=1") == "|#CME ERROR: 34882|"
        assert say(sim, "AT#DIALSELECT?") == "|#DIALSELECT: 2||OK|"

    def test_a_semicolon_in_quotes_parts_nothing(self) -> None:
        sim = quiet_host()
        assert say(sim, 'AT#APNUN="a;b,c";#APNUN?') == '|#APNUN: "a;b,c"||OK|'

    @pytest.mark.parametrize("prefix", ["AT", "at"])
    def test_both_cases(self, prefix: str) -> None:
        assert say(quiet_host(), prefix + "#dialselect?") == "|#DIALSELECT: 1||OK|"
        assert say(quiet_host(), prefix + "#DiALselect = 2") == "|OK|"

    def test_again(self) -> None:
        sim = quiet_host()
        say(sim, "AT#DIALSELECT?")
        sim.host(b"A/")
        assert sim.host_reads() == b"\r\n#DIALSELECT: 1\r\n\r\nOK\r\n"
        sim.host(b"a/")
        assert sim.host_reads() == b"\r\n#DIALSELECT: 1\r\n\r\nOK\r\n"

    def test_a_line_that_is_too_long(self) -> None:
        sim = quiet_host()
        assert say(sim, "AT#APNSERV=" + "x" * 5000) == "|#CME ERROR: 34881|"
        assert say(sim, "AT" + "x" * 5000) == "|ERROR|"
        assert say(sim, "AT") == "|OK|"

    def test_half_a_line_and_silence_spoils_nothing(self) -> None:
        sim = quiet_host()
        sim.host(b"AT#DIALSEL")
        sim.wait(60)
        sim.host_reads()
        assert say(sim, "AT") == "|OK|"

    def test_a_pause_of_seconds_within_a_line(self) -> None:
        sim = quiet_host()
        sim.host(b"AT#DIALS")
        sim.wait(4)
        assert say(sim, "ELECT?") == "|#DIALSELECT: 1||OK|"

    def test_the_next_line_before_the_answer(self) -> None:
        sim = quiet_host()
        sim.host(b"AT+CSQ\rAT#DIALSELECT?\r")
        assert sim.host_reads() == b""
        assert sim.module_hears() == b"AT+CSQ"
        sim.module(b"\r\n+CSQ: 9,99\r\n\r\nOK\r\n")
        assert sim.host_reads() == b"\r\n+CSQ: 9,99\r\n\r\nOK\r\n\r\n#DIALSELECT: 1\r\n\r\nOK\r\n"

    def test_an_unsolicited_line_waits_for_the_end_of_a_typed_line(self) -> None:
        sim = quiet_host()
        sim.host(b"AT#DIAL")
        sim.module(b"\r\nRING\r\n")
        assert sim.host_reads() == b""
        assert say(sim, "SELECT?") == "|#DIALSELECT: 1||OK||RING|"


class TestPolicy:
    def test_strict_refuses_what_has_no_effect(self) -> None:
        assert say(quiet_host(), "AT#PPPMODE=3") == "|OK|"
        strict = quiet_host(policy="strict")
        assert say(strict, "AT#PPPMODE=3").startswith("|#CME ERROR: ")
        assert say(strict, 'AT#APNSERV="x"') == "|OK|"


class TestErased:
    """#DELFLASH takes effect at the next reset (ch. 8)."""

    def test_by_a_reset_of_the_hosts(self) -> None:
        sim = quiet_host()
        say(sim, 'AT#APNSERV="x"')
        say(sim, "AT#DELFLASH")
        assert '"x"' in say(sim, "AT#APNSERV?")
        sim.host(b"AT+CFUN=1\r")
        assert sim.module_hears() == b"AT+CFUN=1"
        sim.module(b"\r\nOK\r\n")
        assert sim.host_reads() == b"\r\nOK\r\n"
        sim.to_module = b""
        sim.host(b"AT#APNSERV?\r")
        assert sim.host_reads() == b'\r\n#APNSERV: ""\r\n\r\nOK\r\n'

    def test_what_is_set_behind_it_stays(self) -> None:
        sim = quiet_host()
        say(sim, 'AT#APNSERV="x"')
        say(sim, "AT#DELFLASH")
        say(sim, 'AT#APNUN="new"')
        assert sim.kept == {"APNUN": "new"}
