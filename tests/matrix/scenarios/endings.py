"""How connections end: by the host, by the peer, in half, by a reset."""

from __future__ import annotations

import socket

from support.rig import abort, read_exactly, read_to_end

from gateway.translate.plan import Way
from matrix.host import Connection
from matrix.scenario import scenario
from matrix.scenarios.streams import noise
from matrix.stage import HOLD, HOLD_PORT, Stage
from matrix.wipsoft_sockets import WipsoftConnection

SAME_AS_A_CLOSE = ("mip",)
"""Families whose modules say one thing for a reset and for a close (L610 1.1.11, F35)."""


def same_as_a_close(stage: Stage) -> bool:
    """Whether the pair's module tells a reset as it tells a close."""
    module = stage.pair.dialect
    return module is not None and module.tables.family in SAME_AS_A_CLOSE


def held(stage: Stage, form: str = "") -> tuple[Connection, socket.socket]:
    """A connection and its peer."""
    connection = stage.host.connect(HOLD, HOLD_PORT, form)
    return connection, stage.servers.hold.arrived()


@scenario("TCP client")
def the_host_closes_behind_its_last_bytes(stage: Stage, _: str) -> None:
    connection, peer = held(stage)
    data = noise(20_000)
    connection.send(data)
    connection.close()
    assert read_to_end(peer) == data


@scenario("TCP client", each_form=True)
def the_peer_closes_behind_its_last_bytes(stage: Stage, form: str) -> None:
    """All bytes received before the close are delivered before it is told; so is the begin of what modules say."""
    connection, peer = held(stage, form)
    data = noise(20_000) + b"\r\n"
    peer.sendall(data)
    peer.close()
    connection.expect(data)
    connection.closed_by_peer()


@scenario("TCP client", each_form=True)
def the_peer_closes_in_silence(stage: Stage, form: str) -> None:
    connection, peer = held(stage, form)
    connection.send(b"hello")
    assert read_exactly(peer, 5) == b"hello"
    peer.shutdown(socket.SHUT_RDWR)
    connection.closed_by_peer()


@scenario("TCP client")
def the_peer_resets(stage: Stage, _: str) -> None:
    connection, peer = held(stage)
    connection.send(b"hello")
    assert read_exactly(peer, 5) == b"hello"
    abort(peer)
    if same_as_a_close(stage):
        connection.closed_by_peer()
    else:
        connection.reset_by_peer()


@scenario("TCP client", "wipsoft")
def the_host_ends_its_sending(stage: Stage, _: str) -> None:
    """SEMANTICS 5.5: ETX shuts one direction. On a module without half-close the peer hears it when the host closes
    (emulated), or the end of the sending is made of the end of the connection (composed)."""
    connection, peer = held(stage)
    assert isinstance(connection, WipsoftConnection)
    connection.send(b"the last")
    connection.end_sending()
    assert read_exactly(peer, 8) == b"the last"
    way = stage.pair.way_of("ShutdownTcp")
    if way is not Way.EMULATED:
        assert peer.recv(1) == b""
    if way is Way.COMPOSED:
        connection.closed_by_peer()
        return
    peer.sendall(b"not yet")
    connection.expect(b"not yet")
    connection.close()
    assert read_to_end(peer) == b""
