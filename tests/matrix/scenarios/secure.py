"""TLS: payload, ends, and servers that are not what they say."""

from __future__ import annotations

from support.rig import read_exactly, read_to_end

from matrix.host import fails
from matrix.scenario import scenario
from matrix.scenarios.streams import EVERY, noise
from matrix.secure import SecureEcho, SecureHold, Stranger, connect
from matrix.stage import ECHO, REFUSED, SERVER, Stage


@scenario("TLS", each_form=True)
def every_byte_by_tls(stage: Stage, form: str) -> None:
    connection = connect(stage.host, SERVER, stage.servers.of(SecureEcho).port, form)
    connection.careless(EVERY)
    connection.expect(EVERY)
    connection.exchange(noise(5000))
    connection.close()


@scenario("TLS")
def much_by_tls(stage: Stage, _: str) -> None:
    connection = connect(stage.host, SERVER, stage.servers.of(SecureEcho).port)
    connection.exchange(noise(1 << 20 if stage.pair.longest("TLS") else 1 << 17))
    connection.close()


@scenario("TLS")
def the_host_closes_by_tls(stage: Stage, _: str) -> None:
    server = stage.servers.of(SecureHold)
    connection = connect(stage.host, SERVER, server.port)
    data = noise(20_000)
    connection.send(data)
    with server.arrived() as peer:
        most = read_exactly(peer, 19_000)  # the line is not full any more: the host's silence is one for the gateway too
        connection.close()
        assert most + read_to_end(peer) == data


@scenario("TLS", each_form=True)
def the_peer_closes_by_tls(stage: Stage, form: str) -> None:
    server = stage.servers.of(SecureHold)
    connection = connect(stage.host, SERVER, server.port, form)
    with server.arrived() as peer:
        connection.send(b"hello")
        assert read_exactly(peer, 5) == b"hello"
        peer.sendall(noise(20_000))
    connection.expect(noise(20_000))
    connection.closed_by_peer()


@scenario("TLS")
def servers_that_cannot_prove_who_they_are(stage: Stage, _: str) -> None:
    """Nobody stands for the one, the other has another's name, the third is not there; then there is a good one."""
    host, good = stage.host, stage.servers.of(SecureEcho)
    for what, name, port in (
        ("unproven", SERVER, stage.servers.of(Stranger).port),
        ("unproven", ECHO, good.port),
        ("unproven", SERVER, stage.servers.echo.port),
        ("refused", REFUSED, stage.servers.refused_port),
    ):
        with fails(host.codes[what]):
            connect(host, name, port)
    connection = connect(host, SERVER, good.port)
    connection.exchange(b"better")
    connection.close()
