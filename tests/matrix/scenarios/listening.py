"""Peers that call the host."""

from __future__ import annotations

import pytest
from support.rig import read_exactly, read_to_end

from matrix.fibocom import FibocomHost
from matrix.host import fails
from matrix.scenario import scenario
from matrix.scenarios.streams import EVERY
from matrix.stage import HOLD, HOLD_PORT, Stage
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_sockets import WipsoftConnection, WipsoftListening


@scenario("TCP server")
def a_peer_calls(stage: Stage, _: str) -> None:
    """It speaks first, it is answered, the host closes."""
    port = stage.servers.free_port()
    listening = stage.host.listen(port)
    with stage.servers.call(port) as peer:
        connection = listening.accepted()
        peer.sendall(EVERY)
        connection.expect(EVERY)
        connection.send(EVERY)
        assert read_exactly(peer, 256) == EVERY
        connection.close()
        assert read_to_end(peer) == b""
    if listening.stays:
        listening.stop()


@scenario("TCP server")
def a_peer_calls_and_leaves(stage: Stage, _: str) -> None:
    port = stage.servers.free_port()
    listening = stage.host.listen(port)
    with stage.servers.call(port) as peer:
        connection = listening.accepted()
        peer.sendall(b"only this")
        connection.expect(b"only this")
    connection.closed_by_peer()
    if listening.stays:
        listening.stop()


@scenario("TCP server")
def listening_is_stopped(stage: Stage, _: str) -> None:
    port = stage.servers.free_port()
    stage.host.listen(port).stop()
    with pytest.raises(ConnectionRefusedError):
        stage.servers.call(port)


@scenario("TCP server", "edsoft")
def only_one_address_may_call(stage: Stage, _: str) -> None:
    """SEMANTICS 5.3: the filter is the gateway's to enforce."""
    port = stage.servers.free_port()
    listening = stage.host.listen(port, allowed="127.0.0.7")
    with stage.servers.call(port) as stranger:
        assert stranger.recv(1) == b""
    with stage.servers.call(port, source="127.0.0.7", patient=True) as peer:
        connection = listening.accepted()
        peer.sendall(b"allowed")
        connection.expect(b"allowed")
        connection.close()
        assert read_to_end(peer) == b""


@scenario("TCP server", "wipsoft")
def more_peers_than_reserved_indices(stage: Stage, _: str) -> None:
    """A peer beyond them is accepted and closed at once; where the module has one socket, nobody else gets in."""
    port = stage.servers.free_port()
    assert isinstance(stage.host, WipsoftHost)
    listening = stage.host.listen(port)
    with stage.servers.call(port) as one:
        first = listening.accepted(aside=True)
        if stage.pair.clients == 1:
            with pytest.raises(ConnectionRefusedError):
                stage.servers.call(port)
        else:
            _second_and_third(stage, listening, port)
        first.select()
        first.send(b"first")
        assert read_exactly(one, 5) == b"first"
        first.close()
    listening.stop()


def _second_and_third(stage: Stage, listening: WipsoftListening, port: int) -> None:
    with stage.servers.call(port, patient=True) as two:
        second = listening.accepted(aside=True)
        with stage.servers.call(port, patient=True) as three:
            assert three.recv(1) == b""
        second.select()
        second.send(b"second")
        assert read_exactly(two, 6) == b"second"
        second.close()


@scenario("TCP server", "wipsoft", "mip")
def a_client_beside_a_listener(stage: Stage, _: str) -> None:
    """Before a peer calls, and beside it; what it has reserved is nobody else's, and free again behind it. A module that
    has one socket at a time goes on listening."""
    host, port = stage.host, stage.servers.free_port()
    assert isinstance(host, WipsoftHost | FibocomHost)
    if stage.pair.clients == 1:
        listening = host.listen(port)
        with fails(host.codes["no free socket"], "+MIPSTAT: 2,1"):
            host.connect(HOLD, HOLD_PORT, number=2)
        with stage.servers.call(port) as caller:
            called = listening.accepted()
            called.close()
            assert read_to_end(caller) == b""
        if listening.stays:
            listening.stop()
        return
    aside: dict[str, bool] = {"aside": True} if isinstance(host, WipsoftHost) else {}
    for _round in range(2):
        listening = host.listen(port)
        first = host.connect(HOLD, HOLD_PORT, number=2, **aside)
        peer = stage.servers.hold.arrived()
        with stage.servers.call(port) as caller:
            called = listening.accepted(**aside)
            if listening.stays:
                listening.stop()
            second = host.connect(HOLD, HOLD_PORT, number=3, **aside)
            others = ((first, peer), (called, caller), (second, stage.servers.hold.arrived()))
            for at, (connection, other) in enumerate(others):
                words = b"words of %d" % at
                if isinstance(connection, WipsoftConnection):
                    connection.select()
                connection.send(words)
                assert read_exactly(other, len(words)) == words
                if isinstance(connection, WipsoftConnection):
                    connection.release()
            for connection, other in others:
                connection.close()
                assert read_to_end(other) == b""
