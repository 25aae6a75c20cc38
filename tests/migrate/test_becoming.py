"""What each command becomes on each module is what the table of pairs says of its service."""

from __future__ import annotations

import pytest

from gateway.dialect import registry
from gateway.migrate.becoming import Becoming, becoming
from gateway.translate.plan import Way
from gateway.translate.services import pairs

WORKERS = {
    "edsoft-3.02": {
        "AT#CONNECTIONSTART": "bearer",
        "AT#OTCP=1": "TCP client",
        "AT#LTCPSTART=2": "TCP server",
        "AT#OUDP": "UDP",
        "AT#PING": "ping",
        "AT#FTPGET": "FTP",
        "AT#FTPPUT": "FTP",
        "AT#PUTMAIL": "mail out",
        "AT#SENDMAIL1": "mail out",
        "AT#GETMAIL": "mail in",
    },
    "wipsoft-5.57": {
        "AT+WIPBR=4,6,0": "bearer",
        'AT+WIPCREATE=2,2,"other.example",80': "TCP client",
        "AT+WIPCREATE=3,1,80,5,8": "TCP server",
        'AT+WIPCREATE=1,3,"192.0.2.1",4000': "UDP",
        'AT+WIPCREATE=9,1,"other.example",443': "TLS",
        'AT+WIPPING="192.0.2.1"': "ping",
        'AT+WIPCREATE=4,1,"other.example",21,"user","password"': "FTP",
        'AT+WIPFILE=4,1,1,"file"': "FTP",
        'AT+WIPFILE=4,1,2,"file"': "FTP",
        "AT+WIPFILE=6,1,2": "mail out",
        'AT+WIPFILE=7,1,1,"1"': "mail in",
        'AT+WIPFILE=5,1,1,"http://server.example/"': "web",
        'AT+WIPFILE=5,1,2,"http://server.example/"': "web",
    },
    "wipsoft-2.01": {
        'AT+WIPCREATE=2,2,"other.example",80': "TCP client",
        'AT+WIPPING="192.0.2.1"': "ping",
        'AT+WIPFILE=4,1,1,"file"': "FTP",
    },
    "fibocom-l610": {
        "AT+MIPCALL=1": "bearer",
        'AT+MIPOPEN=1,,"other.example",80,0': "TCP client",
        "AT+MIPOPEN=3,4000,,0,0": "TCP server",
        'AT+MIPOPEN=4,,"192.0.2.1",4000,1': "UDP",
        'AT+MIPOPEN=5,,"other.example",443,2': "TLS",
        'AT+MPING=1,"192.0.2.1"': "ping",
        'AT+MIPDNS="server.example"': "names",
        'AT+MIPNTP="server.example",123': "time",
    },
}
"""Host to a command of each of its services that works it."""
ONLY_LOGGED_IN_LATER = "AT+WIPCREATE=4"
"""The module does nothing yet where a session is each of its transfers."""
ORDER = list(Way)


def on(command: str, host: str, module: str) -> Becoming:
    return next(one for one in becoming(command, registry.load(host)) if one.dialect == module)


@pytest.mark.parametrize(
    ("host", "command"), [(host, command) for host, commands in WORKERS.items() for command in commands]
)
def test_what_works_a_service_goes_to_the_module_in_the_way_of_the_table(host: str, command: str) -> None:
    for one in becoming(command, registry.load(host)):
        service = WORKERS[host][command]
        table = next(each for each in pairs(registry.load(host), registry.load(one.dialect)) if each.service == service)
        if table.way is Way.REFUSED:
            assert (one.way, one.commands) == ("refused", ()), one
            assert "ERROR" in one.answer, one
            continue
        assert not one.answer, one
        nothing = not (one.commands or one.speaks or command.startswith(ONLY_LOGGED_IN_LATER))
        assert not nothing, f"{command} became nothing on {one.dialect}"
        if table.way is Way.POLYFILLED:
            assert one.way == "polyfilled", one
        else:
            assert ORDER.index(Way(one.way)) <= ORDER.index(table.way), f"{one}: the table says {table.way}"


def test_what_the_gateway_speaks_itself_is_named_and_its_socket_shown() -> None:
    mail = on("AT#PUTMAIL", "edsoft-3.02", "fibocom-l610")
    assert mail.speaks == "SMTP"
    assert mail.commands[0] == 'AT+MIPOPEN=1,,"server.example",25,0'
    assert on('AT+WIPFILE=5,1,1,"http://a.example:81/"', "wipsoft-5.57", "wipsoft-2.01").speaks == "HTTP"
    assert on('AT+MIPNTP="a.example",123', "fibocom-l610", "wipsoft-5.57").commands[0].startswith("AT+WIPCREATE=1,")


def test_what_is_only_kept_is_nothing_to_the_module() -> None:
    for one in becoming("AT#TCPPORT=1,80", registry.load("edsoft-3.02")):
        assert (one.commands, one.answer, one.speaks) == ((), "", "")


def test_no_question_of_the_gateways_own_is_shown() -> None:
    """It asks an idle module whether its bearer is there: that is none of the host's command."""
    assert on("AT#OTCP=1", "edsoft-3.02", "fibocom-l610").commands == ('AT+MIPOPEN=1,,"server.example",80,0',)


def test_the_hosts_own_error_is_told() -> None:
    refused = on('AT+MIPDNS="server.example"', "fibocom-l610", "edsoft-3.02")
    assert refused.answer == "+CME ERROR: 4"


def test_an_address_is_not_looked_up() -> None:
    """On a module whose way to look up a name is a socket, it would cost one."""
    for module in ("wipsoft-5.57", "fibocom-l610"):
        assert len(on('AT+MPING=1,"192.0.2.1",1', "fibocom-l610", module).commands) == 1
        assert len(on('AT+WIPPING="192.0.2.1"', "wipsoft-5.57", module).commands) == 1


@pytest.mark.parametrize(
    ("host", "command", "becomes"),
    [
        ("wipsoft-5.57", "AT+WIPCLOSE=2,1", "AT+MIPCLOSE=1"),
        ("fibocom-l610", "AT+MIPPUSH=1", "AT+MIPPUSH=1"),
        ("fibocom-l610", "AT+MIPCLOSE=1", "AT+MIPCLOSE=1"),
    ],
)
def test_what_ends_or_moves_something_is_shown_behind_its_begin(host: str, command: str, becomes: str) -> None:
    assert becomes in on(command, host, "fibocom-l610").commands
