"""Peers that call the host."""

from __future__ import annotations

import pytest
from support.rig import read_exactly, read_to_end

from matrix.scenario import scenario
from matrix.scenarios.streams import EVERY
from matrix.stage import Stage
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_sockets import WipsoftListening


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
