"""A module that falls silent, restarts, babbles or is unplugged, in every state of a session."""

from __future__ import annotations

import pytest
from support.sim import SimBridge

START = (b"ATE0V1Q0", b"AT+CMEE=1", b"AT+WIPBR?")


class Module:
    """Answers as a module with its bearer up would, until told otherwise."""

    def __init__(self, sim: SimBridge, *, bearer: bool = True) -> None:
        self.sim = sim
        self.heard: list[bytes] = []
        self.alive = True
        self.mute = b""
        """What it gives no answer to, though it is there."""
        self.in_data = False
        self.said = {
            b"AT+WIPBR?": b"\r\n6,1\r\n\r\nOK\r\n" if bearer else b"\r\nOK\r\n",
            b"AT+WIPBR=3,6,15": b'\r\n+WIPBR: 6,15,"10.0.0.1"\r\n\r\nOK\r\n',
        }

    def answer(self) -> None:
        """Answer everything that was asked."""
        while self.alive and not self.in_data and (line := self.sim.module_hears()) is not None:
            self.heard.append(line)
            if line == self.mute:
                continue
            if line.startswith(b"AT+WIPDATA="):
                self.in_data = True
                self.sim.module(b"\r\nCONNECT\r\n")
            elif line.startswith(b"AT+WIPCREATE=2"):
                self.sim.module(b"\r\nOK\r\n\r\n+WIPREADY: 2,1\r\n")
            else:
                self.sim.module(self.said.get(line, b"\r\nOK\r\n"))

    def wait(self, seconds: float) -> None:
        """Let time pass in small steps, answering."""
        for _ in range(int(seconds * 10)):
            self.sim.wait(0.1)
            if self.in_data and self.sim.to_module.endswith(b"+++") and self.alive:
                self.sim.module_reads()
                self.sim.wait(1.0)
                self.in_data = False
                self.sim.module(b"\r\nOK\r\n")
            self.answer()


def session(*, data: bool = False) -> tuple[SimBridge, Module]:
    """A bridge with the bearer up; ``data``: and a socket in its data phase."""
    sim = SimBridge()
    sim.start(connected=True)
    module = Module(sim)
    sim.host(b'ATE0\rAT#TCPSERV=1,"10.9.8.7";#TCPPORT=1,80\r')
    sim.host_reads()
    if data:
        sim.host(b"AT#OTCP=1\r")
        module.answer()
        assert sim.host_reads() == b"\r\nOk_Info_WaitingForData\r\n"
    return sim, module


def opens(sim: SimBridge, module: Module) -> None:
    """A service works, from the start of the bearer on where that is needed."""
    sim.host(b"AT#VSTATE\r")
    if b"CONNECTED" not in sim.host_reads():
        sim.host(b"AT#CONNECTIONSTART\r")
        module.wait(3)
        assert b"Ok_Info_GprsActivation" in sim.host_reads()
    sim.host(b"AT#OTCP=1\r")
    module.wait(3)
    assert sim.host_reads() == b"\r\nOk_Info_WaitingForData\r\n"


class TestSilence:
    def test_at_the_start_and_then_it_comes(self) -> None:
        sim = SimBridge()
        module = Module(sim, bearer=False)
        module.alive = False
        module.wait(20)
        sim.host(b"ATE0\rAT+CSQ\r")
        assert sim.host_reads() == b"ATE0\r\r\nOK\r\n\r\nERROR\r\n"
        sim.host(b"AT#CONNECTIONSTART\r")
        assert sim.host_reads() == b"\r\n#CME ERROR: 35866\r\n"
        sim.to_module = b""
        module.alive = True
        module.wait(10)
        assert module.heard[-3:] == list(START)
        sim.host(b"AT+CSQ\r")
        module.answer()
        assert sim.host_reads() == b"\r\nOK\r\n"

    def test_behind_a_command_in_a_data_mode_it_did_not_leave(self) -> None:
        sim, module = session(data=True)
        module.alive = False  # the line is dead: +++ is not answered
        sim.host(b"bye\x03")
        module.wait(30)
        assert sim.host_reads() == b"\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n\r\n#CME ERROR: 35841\r\n"
        sim.host(b"AT#OTCP=1\r")
        module.wait(5)
        assert b"#CME ERROR: " in sim.host_reads()
        module.alive, module.in_data = True, False
        sim.to_module = b""
        module.wait(20)
        opens(sim, module)

    @pytest.mark.parametrize(
        ("command", "error"),
        [
            (b"AT+WIPDATA", b"\r\n#CME ERROR: 35841\r\n"),
            (b"AT+WIPCREATE", b"\r\n#CME ERROR: 38016\r\n\r\n#CME ERROR: 35841\r\n"),
            (b"AT+CSQ", b"\r\nERROR\r\n\r\n#CME ERROR: 35841\r\n"),
        ],
    )
    def test_for_good_in_a_command(self, command: bytes, error: bytes) -> None:
        """The command's own error at its limit, then the loss of the link once the module is known to be gone."""
        sim, module = session()
        sim.host(b"AT+CSQ\r" if command == b"AT+CSQ" else b"AT#OTCP=1\r")
        while not (line := sim.module_hears() or b"").startswith(command):
            assert line, "the command never came"
            sim.module(b"\r\nOK\r\n\r\n+WIPREADY: 2,1\r\n")
        sim.wait(70)
        assert sim.host_reads() == error
        sim.module_reads()
        module.said[b"AT+WIPBR?"] = b"\r\nOK\r\n"
        module.wait(10)
        opens(sim, module)


class TestRestart:
    def test_in_a_data_phase(self) -> None:
        sim, module = session(data=True)
        sim.host(b"payload")
        sim.module(b"\r\n+WIND: 13\r\n\r\n+WIND: 1\r\n\r\n+WIND: 4\r\n")
        module.in_data = False
        module.said[b"AT+WIPBR?"] = b"\r\n+CME ERROR: 803\r\n"
        sim.module_reads()
        module.wait(15)
        said = sim.host_reads()
        assert b"\r\n#CME ERROR: " in said
        module.said[b"AT+WIPBR?"] = b"\r\nOK\r\n"
        opens(sim, module)

    def test_between_commands(self) -> None:
        sim, module = session()
        module.said[b"AT+WIPBR?"] = b"\r\n+CME ERROR: 803\r\n"
        sim.module(b"\r\n+WIND: 13\r\n\r\n+WIND: 4\r\n")
        module.wait(5)
        assert b"\r\n#CME ERROR: 35841\r\n" in sim.host_reads()
        module.said[b"AT+WIPBR?"] = b"\r\nOK\r\n"
        opens(sim, module)
        assert b"AT+WIPCFG=1" in module.heard  # from the start: the stack had to be started again

    def test_the_echo_of_a_module_that_forgot_is_not_taken_for_an_answer(self) -> None:
        sim, module = session()
        sim.host(b"AT+CSQ\r")
        assert sim.module_hears() == b"AT+CSQ"
        sim.module(b"AT+CSQ\r\r\n+CSQ: 1,99\r\n\r\nOK\r\n")
        assert sim.host_reads() == b"\r\n+CSQ: 1,99\r\n\r\nOK\r\n"
        module.answer()

    def test_at_a_prompt_that_the_host_gives_up(self) -> None:
        """ESC is answered at once by a module that still asks for text; one that does not has restarted."""
        sim, module = session()
        sim.host(b'AT+CMGS="0123456789"\r')
        sim.module_reads()
        sim.module(b"\r\n> ")
        sim.host(b"half a text\x1b")
        sim.wait(6)
        assert sim.host_reads() == b"\r\n> \r\nERROR\r\n"
        module.wait(5)
        sim.host(b"AT+CSQ\r")
        module.answer()
        assert sim.host_reads() == b"\r\nOK\r\n"

    def test_its_text_in_the_middle_of_payload_is_never_payload(self) -> None:
        sim, module = session(data=True)
        sim.host(b"payload that it echoes")
        sim.wait(1)
        sim.module(b"of the peer\r\n+WIND: 13\r\n\r\n+WIND: 16\r\npayload that it echoes")
        module.in_data = False
        module.said[b"AT+WIPBR?"] = b"\r\n+CME ERROR: 803\r\n"
        sim.module_reads()
        module.wait(15)
        assert sim.host_reads() == b"of the peer\x03\r\n#CME ERROR: 35841\r\n"

    def test_a_peer_that_sends_such_a_text_is_heard(self) -> None:
        sim, module = session(data=True)
        sim.module(b"read \r\n+WIND: 13\r\n of a log")
        assert sim.host_reads() == b"read \r\n+WIND: 13\r\n of a log"
        sim.module(b"\r\n+WIND: 13\r\n")
        module.wait(15)
        assert sim.host_reads() == b"\r\n+WIND: 13\r\n"
        assert module.heard[-1] == b"AT+WIPDATA=2,1,1"


class TestUnplugged:
    def test_in_a_data_phase_and_back(self) -> None:
        sim, module = session(data=True)
        sim.bridge.module_link(False, sim.now)
        sim.tick()
        said = sim.host_reads()
        assert said.startswith(b"\x03\r\n#CME ERROR: ")
        sim.host(b"AT+CSQ\r")
        assert sim.host_reads() == b"\r\nERROR\r\n"
        module.in_data = False
        sim.module_reads()
        sim.bridge.module_link(True, sim.now)
        module.said[b"AT+WIPBR?"] = b"\r\nOK\r\n"
        module.wait(5)
        opens(sim, module)

    def test_in_the_middle_of_a_command(self) -> None:
        sim, _ = session()
        sim.host(b"AT#OTCP=1\r")
        sim.bridge.module_link(False, sim.now)
        sim.tick()
        assert sim.host_reads() == b"\r\n#CME ERROR: 35841\r\n"


class TestNoise:
    def test_garbage_between_and_inside_answers(self) -> None:
        sim, _ = session()
        sim.module(b"\xff\xfe\x00garbage\r\n\r\r\n\n\x03\x10")
        sim.host(b"AT#DIALSELECT?\r")
        assert b"#DIALSELECT: 1\r\n\r\nOK\r\n" in sim.host_reads()
        sim.host(b"AT+CSQ\r")
        sim.module_reads()
        sim.module(b"\x80\x81\r\n\r\n+CSQ: 5,99\r\n\r\nOK\r\n")
        assert sim.host_reads().endswith(b"\r\n+CSQ: 5,99\r\n\r\nOK\r\n")

    def test_noise_is_not_the_hosts(self) -> None:
        """Nor is the echo of a command that comes when nobody waits for it any more."""
        sim, module = session()
        sim.module(b"\xff\xfe\x80garbage\r\n\r\nplain text of a module\r\nAT+WIPBR=3,6,15\r\n")
        assert sim.host_reads() == b"\r\nplain text of a module\r\n"
        assert [note.fields["what"] for note in sim.notes if note.kind == "finding"] == ["odd"]
        module.answer()

    def test_a_line_that_never_ends_is_bounded(self) -> None:
        sim, module = session()
        for _ in range(300):
            sim.module(b"x" * 10000)
        sim.module(b"\r\n")
        sim.host(b"AT+CSQ\r")
        sim.module_reads()
        sim.module(b"\r\nOK\r\n")
        assert sim.host_reads().endswith(b"\r\nOK\r\n")
        assert len(sim.host_reads()) < 100_000
        module.answer()

    def test_an_answer_that_nobody_asked_for(self) -> None:
        sim, _ = session()
        sim.module(b"\r\nOK\r\n\r\nERROR\r\n\r\n+CME ERROR: 849\r\n")
        sim.host_reads()
        sim.host(b"AT+CSQ\r")
        sim.module_reads()
        sim.module(b"\r\n+CSQ: 5,99\r\n\r\nOK\r\n")
        assert sim.host_reads() == b"\r\n+CSQ: 5,99\r\n\r\nOK\r\n"


class TestEnd:
    """SIGTERM: nothing is left open in the module (CONTRACT, Ready)."""

    def test_in_a_data_phase(self) -> None:
        sim, module = session(data=True)
        sim.bridge.finish(sim.now)
        sim._collect()
        module.wait(6)
        assert sim.bridge.finished
        assert module.heard[-1:] != [b"AT+WIPDATA=2,1,1"]
        assert b"AT+WIPCLOSE=2,1" in module.heard
        assert not module.in_data

    def test_while_a_socket_is_opened(self) -> None:
        sim, module = session()
        sim.host(b"AT#OTCP=1\r")
        sim.bridge.finish(sim.now)
        sim._collect()
        module.wait(5)
        assert sim.bridge.finished
        assert b"AT+WIPCLOSE=2,1" in module.heard

    def test_with_a_silent_module_it_ends_all_the_same(self) -> None:
        sim, module = session(data=True)
        module.alive = False
        sim.bridge.finish(sim.now)
        sim._collect()
        module.wait(40)
        assert sim.bridge.finished


def test_a_module_found_at_its_prompt_is_brought_back() -> None:
    """A gateway that was killed in the middle left it there: only ESC is heard (3GPP TS 27.005, 3.5.1)."""
    sim = SimBridge()
    sim.tick()
    sent = b""
    for _ in range(200):
        sent += sim.module_reads()
        if b"\x1b" in sent:
            break
        sim.wait(0.1)
    assert sent.endswith(b"\x1b")
    for _ in range(20):
        sim.wait(0.3)
        if sim.module_hears():
            sim.module(b"\r\nOK\r\n")
    sim.host(b"ATE0\r")
    sim.host_reads()
    sim.host(b"AT+CSQ\r")
    assert sim.module_hears() == b"AT+CSQ"


class TestSilentAboutItsBearer:
    """It answers everything but the question what its bearer does: what is not of its bearer goes on."""

    @pytest.mark.parametrize(
        ("dialect", "question"),
        [
            ("wipsoft-5.57", b"AT+WIPBR?"),
            ("wipsoft-2.01", b"AT+WIPBR?"),
            ("fibocom-l610", b"AT+MIPCALL?"),
            ("edsoft-3.02", b"AT#VSTATE"),
        ],
    )
    def test_it_is_found_all_the_same(self, dialect: str, question: bytes) -> None:
        sim = SimBridge(module=dialect)
        module = Module(sim)
        module.mute = question
        module.said[b"AT+CSQ"] = b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n"
        sim.tick()
        module.answer()
        module.wait(12)
        assert module.heard.count(question) == 1
        sim.host(b"ATE0\rAT+CSQ\r")
        module.answer()
        assert sim.host_reads().endswith(b"\r\n+CSQ: 17,99\r\n\r\nOK\r\n")
        module.wait(60)
        assert module.heard.count(question) == 1

    def test_a_bearer_is_started(self) -> None:
        sim = SimBridge()
        module = Module(sim)
        module.mute = b"AT+WIPBR?"
        sim.tick()
        module.answer()
        module.wait(12)
        sim.host(b'ATE0\rAT#GPRSMODE=1;#APNSERV="x"\rAT#CONNECTIONSTART\r')
        module.wait(1)
        assert b"Ok_Info_GprsActivation" in sim.host_reads()
        module.heard.clear()
        module.wait(120)
        assert module.heard == []  # it would be silent for a limit each time

    def test_it_falls_silent_about_it(self) -> None:
        """Nothing is known to be lost."""
        sim, module = session()
        module.mute = b"AT+WIPBR?"
        module.wait(60)
        assert sim.host_reads() == b""
        sim.host(b"AT#OTCP=1\r")
        module.wait(1)
        assert sim.host_reads() == b"\r\nOk_Info_WaitingForData\r\n"

    def test_a_module_that_is_not_there(self) -> None:
        sim = SimBridge()
        module = Module(sim)
        module.mute = b"AT+WIPBR?"
        sim.tick()
        module.answer()
        module.alive = False
        sim.wait(14)
        sim.host(b"ATE0\rAT+CSQ\r")
        assert sim.host_reads().endswith(b"\r\nERROR\r\n")
