"""One process at a time (S000333 ch. 2 to 7): 37123 for a parameter, 37122 for another service, 35867 without a link."""

from __future__ import annotations

import pytest
from support.sim import SimBridge

from gateway.dialect import registry
from gateway.dialect.schema import Parameter

DIALECT = registry.load("edsoft-3.02")
PARAMETERS = DIALECT.tables.parameters
SERVICES = [
    "AT#GETMAIL",
    "AT#SENDMAIL1",
    "AT#SENDMAIL2",
    "AT#SENDMAIL3",
    "AT#PUTMAIL",
    "AT#FTPGET",
    "AT#FTPPUT",
    "AT#LTCPSTART=1",
    "AT#LTCPSTART=2",
    "AT#OTCP=1",
    "AT#OTCP=2",
    "AT#LUDPSTART",
    "AT#OUDP",
    "AT#PING",
]
READY = (
    'AT#TCPSERV=1,"255.255.255.255";#TCPPORT=1,23;#TCPSERV=2,"10.0.0.2";#TCPPORT=2,80;#UDPSERV="10.0.0.2";#UDPPORT=5000'
)


def says(sim: SimBridge, command: str) -> str:
    """What the host reads back for one command, the module saying OK to all that it is asked."""
    sim.host(command.encode() + b"\r")
    while sim.module_hears() is not None:
        sim.module(b"\r\nOK\r\n")
    said, sim.to_host = sim.to_host.decode(), b""
    return said


def silent(started: bool) -> SimBridge:
    sim = SimBridge()
    sim.start(connected=started)
    sim.host(b"ATE0\r")
    sim.host_reads()
    return sim


@pytest.fixture
def listening() -> SimBridge:
    """A host whose first socket listens."""
    sim = silent(started=True)
    assert says(sim, READY) == "\r\nOK\r\n"
    assert says(sim, "AT#LTCPSTART=1") == "\r\nOK\r\n"
    return sim


def setting(name: str, parameter: Parameter) -> str:
    value = {
        "int": str(parameter.minimum),
        "enum": next(iter(parameter.values), ""),
        "letter": "A",
        "port": "80",
        "ip": '"10.0.0.1"',
        "phone": '"0123"',
        "caller": '"*"',
    }.get(parameter.kind, '"a"')
    return f"AT#{name}={'2,' if parameter.indexed else ''}{value}"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_needs_a_link(service: str) -> None:
    assert says(silent(started=False), service) == "\r\n#CME ERROR: 35867\r\n"


def test_all_services_are_here() -> None:
    asked = {line.removeprefix("AT").partition("=")[0] for line in SERVICES}
    others = {"#ACCEPT", "#CONNECTIONSTART", "#CONNECTIONSTOP", "#LTCPSTOP", "#LUDPSTOP", "#DELFLASH", "+WOPEN"}
    shown = {name for name in DIALECT.tables.commands if name.startswith("#V") or name == "#DISPLAYIP"}
    assert asked | others | shown == set(DIALECT.tables.commands)


@pytest.mark.parametrize("service", SERVICES)
def test_a_second_service_is_refused(listening: SimBridge, service: str) -> None:
    assert says(listening, service) == "\r\n#CME ERROR: 37122\r\n"


def test_no_parameter_is_set_while_a_service_runs(listening: SimBridge) -> None:
    for name, parameter in PARAMETERS.items():
        assert says(listening, setting(name, parameter)) == "\r\n#CME ERROR: 37123\r\n", name
    for entry in ("AT#REC1ADD", "AT#REC2ADD", "AT#REC3ADD", "AT#BODY1", "AT#BODY2", "AT#BODY3"):
        assert says(listening, entry) == "\r\n#CME ERROR: 37123\r\n", entry


def test_what_is_wrong_is_told_as_wrong_also_while_a_service_runs(listening: SimBridge) -> None:
    assert says(listening, "AT#PINGNUM=0") == "\r\n#CME ERROR: 34882\r\n"
    assert says(listening, "AT#NOTHING=0") == "\r\n#CME ERROR: 34817\r\n"
    assert says(listening, "AT#PINGNUM=") == "\r\n#CME ERROR: 34882\r\n"
    assert says(listening, "AT#PING=1") == "\r\n#CME ERROR: 34819\r\n"


def test_parameters_and_displays_are_shown_while_a_service_runs(listening: SimBridge) -> None:
    for name, parameter in PARAMETERS.items():
        shown = says(listening, f"AT#{name}=1" if parameter.indexed else f"AT#{name}?")
        assert shown.startswith(f"\r\n#{name}: "), name
        assert shown.endswith("\r\nOK\r\n"), name
    for name, command in DIALECT.tables.commands.items():
        if command.shows:
            assert says(listening, f"AT{name}").endswith("\r\nOK\r\n"), name


def test_all_is_free_again_when_the_service_has_ended(listening: SimBridge) -> None:
    assert says(listening, "AT#LTCPSTOP=1") == "\r\nOK\r\n"
    for name, parameter in PARAMETERS.items():
        assert says(listening, setting(name, parameter)) == "\r\nOK\r\n", name


@pytest.mark.parametrize(
    ("key", "value"), [("GPRSCID", "99"), ("GPRSCID", 99), ("APNSERV", "x" * 500), ("TCPPORT.1", "80x")]
)
def test_a_stored_value_that_cannot_be_is_the_default(key: str, value: str | int) -> None:
    """A state file that was edited by hand."""
    sim = SimBridge(stored={key: value, "APNUN": "kept"})
    sim.host(b"ATE0\r")
    sim.host_reads()
    name = key.partition(".")[0]
    default = sim.bridge.host.dialect.tables.parameters[name].default
    sim.host(f"AT#{name}?\r".encode())
    assert str(default) in sim.host_reads().decode().partition("OK")[0]
    assert str(value) not in sim.host_reads().decode()
    sim.host(b"AT#APNUN?\r")
    assert b'"kept"' in sim.host_reads()
