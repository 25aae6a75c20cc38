"""IPv6, where the host's manual has it."""

from __future__ import annotations

import socket

from support.rig import LIMIT_S, read_exactly
from support.system import HAS_IPV6

from matrix.fibocom import FibocomHost
from matrix.fibocom_sockets import FibocomConnection
from matrix.host import fails
from matrix.scenario import scenario
from matrix.scenarios.streams import EVERY
from matrix.stage import Stage


def _refused(stage: Stage, _: str) -> None:
    """Everything that a host can want of it, at once and with the number for what the module cannot."""
    host = stage.host
    with fails(host.codes["not supported"]):
        host.command('AT+MIPCALL=2,"apn"')
    host.up()
    for command in (
        'MIPOPEN=1,,"::1",80,60', "MIPOPEN=1,5000,,0,60", "MIPOPEN=1,5000,,0,61", 'MIPODM=1,,"::1",80,60',
        'MPING=2,"::1"', 'MIPDNS="a.example",1',
    ):  # fmt: skip
        with fails(host.codes["not supported"]):
            host.command(f"AT+{command}")
    host.down()


@scenario("IPv6", "mip", bearer=False, refusal=_refused)
def by_ipv6(stage: Stage, _: str) -> None:
    """Every byte there and back; where this computer itself has no address of IPv6, the bearer has none either."""
    host = stage.host
    assert isinstance(host, FibocomHost)
    host.command('AT+MIPCALL=2,"apn"')
    addresses = host.event("+MIPCALL:", limit_s=40)
    if not HAS_IPV6:
        assert addresses == "+MIPCALL: 0"
        return
    assert addresses.count(":") == 8
    with socket.socket(socket.AF_INET6) as server:
        server.bind(("::1", 0))
        server.listen()
        server.settimeout(LIMIT_S)
        host.shows("digits")
        host.command(f'AT+MIPOPEN=1,,"::1",{server.getsockname()[1]},60')
        assert host.event("+MIPOPEN: 1,", limit_s=30) == "+MIPOPEN: 1,1"
        peer, _address = server.accept()
        with peer:
            connection = FibocomConnection(host, 1, "digits")
            connection.send(EVERY)
            assert read_exactly(peer, 256) == EVERY
            peer.sendall(EVERY)
            connection.expect(EVERY)
            connection.close()
    host.command("AT+MIPCALL=0")
    assert host.event("+MIPCALL:", limit_s=30) == "+MIPCALL: 0"
