"""Which mails an eDSoft module's own commands carry, and how the module is got out of one that is given up."""

from __future__ import annotations

import itertools

import pytest
from support.sim import SimBridge

from gateway.dialect import registry
from gateway.model.services import OpenPop3, OpenSmtp, SendMail
from gateway.model.values import Endpoint, HostSocket
from gateway.translate.plan import Way, plan, way_of

ED = registry.load("edsoft-3.02").tables.module
SMTP = b'AT#SMTPSERV="smtp.example";#DOMAIN="d";#SENDERADDR="a@d.example";#REC1="b@d.example"\r'


def _plans(sim: SimBridge) -> list[tuple[str, str]]:
    return [(note.fields["what"], note.fields["way"]) for note in sim.notes if note.kind == "plan"]


def _ready() -> SimBridge:
    sim = SimBridge("edsoft-3.02", "edsoft-3.02")
    sim.start(connected=True)
    sim.host(b"ATE0\r")
    sim.host(SMTP)
    sim.to_host = b""
    return sim


def _writing(sim: SimBridge) -> None:
    """A mail whose body the module waits for."""
    sim.host(b"AT#PUTMAIL\r")
    while (line := sim.module_hears()) is not None and line != b"AT#PUTMAIL":
        sim.module(b"\r\nOK\r\n")
    sim.module(b"\r\nOk_Info_WaitingForData\r\n")
    assert sim.to_host == b"\r\nOk_Info_WaitingForData\r\n"
    sim.to_host = b""
    sim.host(b"half")
    assert sim.to_module == b"half"
    sim.to_module = b""


def test_a_host_that_wants_more_is_served_by_the_gateway() -> None:
    assert way_of("OpenSmtp", ED) is way_of("SendMail", ED) is way_of("OpenPop3", ED) is Way.POLYFILLED
    assert way_of("OpenSmtp.plain", ED) is way_of("OpenPop3.plain", ED) is Way.COMPOSED


def test_a_module_that_has_all_has_the_least() -> None:
    wip = registry.load("wipsoft-5.57").tables.module
    assert way_of("OpenSmtp.plain", wip) is way_of("OpenSmtp", wip) is not Way.POLYFILLED
    fibocom = registry.load("fibocom-l610").tables.module
    assert way_of("OpenPop3.plain", fibocom) is Way.POLYFILLED


def test_a_session_is_worked_by_who_has_opened_it() -> None:
    sim = _ready()
    _writing(sim)
    driver = sim.bridge.module.driver
    (session,) = driver.plain
    mail = SendMail(session, "a@d.example", ("b@d.example",))
    assert plan(mail, driver) is Way.COMPOSED
    assert plan(SendMail(HostSocket(99), "a@d.example", ("b@d.example",)), driver) is Way.POLYFILLED
    server = Endpoint("smtp.example", 25)
    assert plan(OpenSmtp(HostSocket(99), server), driver) is Way.POLYFILLED
    assert plan(OpenPop3(HostSocket(99), server), driver) is Way.POLYFILLED


@pytest.mark.parametrize(
    ("body", "way"), [(b"a\r\n..\r\nb", "composed"), (b"a\r\n.\r\nb", "polyfilled"), (b".", "polyfilled")]
)
def test_a_stored_mail_with_a_line_of_a_single_dot_goes_the_other_way(body: bytes, way: str) -> None:
    sim = _ready()
    sim.host(b"AT#BODY1\r" + body + b"\x1a")
    sim.host(b"AT#SENDMAIL1\r")
    assert ("OpenSmtp", way) in _plans(sim)


def test_a_host_that_leaves_in_the_middle_has_its_module_back_behind_the_silence() -> None:
    """Its DTR falls: the module hears no end, and so no half of a mail is sent."""
    sim = _ready()
    sim.host(b"AT&D2\r")
    assert sim.host_reads() == b"\r\nOK\r\n"
    _writing(sim)
    sim.bridge.terminal_ready(False, sim.now)
    sim.wait(1.0)
    sim.bridge.terminal_ready(True, sim.now)
    sim.wait(48.0)
    assert b"." not in sim.to_module
    sim.module(b"\r\n#CME ERROR: 38017\r\n")
    sim.wait(0.3)
    assert sim.to_module == b"\rAT\r"
    sim.to_module = b""
    sim.module(b"\r\nOK\r\n")
    sim.to_host = b""
    sim.host(b"AT#PUTMAIL\r")
    assert sim.module_hears() == b"AT#PUTMAIL"


def test_a_plain_error_in_the_middle_is_no_success() -> None:
    sim = _ready()
    _writing(sim)
    sim.module(b"\r\nERROR\r\n")
    for _ in range(12):
        sim.wait(0.3)
        if (line := sim.module_hears()) is not None and line:
            sim.module((b'\r\n#STATE: "CONNECTED"\r\n' if line == b"AT#VSTATE" else b"") + b"\r\nOK\r\n")
    assert sim.to_host == b"\r\n#CME ERROR: 38017\r\n"


def test_a_module_of_which_nothing_is_heard_is_left_silent_for_as_long_as_ends_a_mail() -> None:
    sim = SimBridge("edsoft-3.02", "edsoft-3.02")
    sim.tick()
    written: list[float] = []
    for _ in range(1200):
        sim.wait(0.1)
        if sim.to_module:
            written.append(sim.now)
            sim.to_module = b""
    assert max(later - before for before, later in itertools.pairwise(written)) > 50
