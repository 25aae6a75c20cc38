"""UDP: a host's datagram is a datagram on the air."""

from __future__ import annotations

import select
import socket

from gateway.translate.plan import Way
from matrix.fibocom import FibocomHost
from matrix.fibocom_sockets import FibocomDatagrams
from matrix.host import fails
from matrix.scenario import scenario
from matrix.scenarios.streams import EVERY
from matrix.stage import Stage

SIZES = (1, 2, 255, 256, 700)


@scenario("UDP")
def datagrams_both_ways(stage: Stage, _: str) -> None:
    with stage.servers.datagrams() as peer:
        local = stage.host.udp("127.0.0.1", peer.getsockname()[1])
        for size in SIZES:
            data = (EVERY * 3)[-size:]
            local.send(data)
            got, module = peer.recvfrom(9000)
            assert got == data
            peer.sendto(data[::-1], module)
            local.expect(data[::-1])
        peer.sendto(b"one", module)
        if "told apart by silence" in stage.pair.lost("UDP"):
            local.expect(b"one")  # it is sent when the other one is there, not with it
            peer.sendto(b"two", module)
        else:
            peer.sendto(b"two", module)
            local.expect(b"one")
        local.expect(b"two")
        local.close()


@scenario("UDP")
def whoever_speaks_first_is_answered(stage: Stage, _: str) -> None:
    port = stage.servers.free_port()
    with stage.servers.datagrams() as peer:
        listening = stage.host.udp_listen(port)
        peer.sendto(b"first", (stage.servers.own_address, port))
        local = listening.accepted()
        local.expect(b"first")
        local.send(b"answer")
        assert peer.recvfrom(9000) == (b"answer", (stage.servers.own_address, port))
        local.close()


@scenario("UDP", "mip")
def peers_that_are_named_with_each_datagram(stage: Stage, _: str) -> None:
    """They go from the socket's own port, and all who are named are heard."""
    port = stage.servers.free_port(socket.SOCK_DGRAM)
    assert isinstance(stage.host, FibocomHost)
    stage.host.udp_listen(port)
    local = FibocomDatagrams(stage.host, 1)
    with stage.servers.datagrams() as one, stage.servers.datagrams("127.0.0.8") as two:
        if stage.pair.way_of("SendDatagram") is Way.REFUSED:
            with fails(stage.host.codes["not supported"]):
                local.send_to(b"refused", one.getsockname())
            local.close()
            return
        for number, peer in enumerate((one, two, one)):
            local.send_to(b"datagram %d" % number, peer.getsockname())
            assert peer.recvfrom(9000) == (b"datagram %d" % number, (stage.servers.own_address, port))
        for peer in (two, one):
            peer.sendto(b"answer", (stage.servers.own_address, port))
            local.expect_from(b"answer", peer.getsockname())
    local.close()


@scenario("UDP", "edsoft")
def only_one_address_may_speak(stage: Stage, _: str) -> None:
    """A module may lose what waits behind a stranger's datagram with it: who means it says it again."""
    port = stage.servers.free_port()
    with stage.servers.datagrams() as stranger, stage.servers.datagrams("127.0.0.8") as peer:
        listening = stage.host.udp_listen(port, allowed="127.0.0.8")
        stranger.sendto(b"stranger", (stage.servers.own_address, port))
        for _time in range(10):
            peer.sendto(b"first", (stage.servers.own_address, port))
            if select.select([stage.line.fd], [], [], 1.0)[0]:
                break
        local = listening.accepted()
        local.expect(b"first")
        local.close()
