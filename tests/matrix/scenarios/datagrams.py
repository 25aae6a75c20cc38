"""UDP: a host's datagram is a datagram on the air."""

from __future__ import annotations

import select

from matrix.scenario import scenario
from matrix.scenarios.streams import EVERY
from matrix.stage import Stage

SIZES = (1, 2, 255, 256, 700)


@scenario("UDP")
def datagrams_both_ways(stage: Stage, _: str) -> None:
    with stage.servers.datagrams() as peer:
        socket = stage.host.udp("127.0.0.1", peer.getsockname()[1])
        for size in SIZES:
            data = (EVERY * 3)[-size:]
            socket.send(data)
            got, module = peer.recvfrom(9000)
            assert got == data
            peer.sendto(data[::-1], module)
            socket.expect(data[::-1])
        peer.sendto(b"one", module)
        if "told apart by silence" in stage.pair.lost("UDP"):
            socket.expect(b"one")  # it is sent when the other one is there, not with it
            peer.sendto(b"two", module)
        else:
            peer.sendto(b"two", module)
            socket.expect(b"one")
        socket.expect(b"two")
        socket.close()


@scenario("UDP")
def whoever_speaks_first_is_answered(stage: Stage, _: str) -> None:
    port = stage.servers.free_port()
    with stage.servers.datagrams() as peer:
        listening = stage.host.udp_listen(port)
        peer.sendto(b"first", (stage.servers.own_address, port))
        socket = listening.accepted()
        socket.expect(b"first")
        socket.send(b"answer")
        assert peer.recvfrom(9000) == (b"answer", (stage.servers.own_address, port))
        socket.close()


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
        socket = listening.accepted()
        socket.expect(b"first")
        socket.close()
