"""Several connections at once, as many as the host's dialect has, or the module's."""

from __future__ import annotations

from support.rig import read_exactly

from matrix.fibocom import FibocomHost
from matrix.host import Connection, fails
from matrix.scenario import scenario
from matrix.scenarios.streams import noise
from matrix.stage import HOLD, HOLD_PORT, Stage
from matrix.wipsoft import WipsoftHost


@scenario("TCP client", "wipsoft")
def several_sockets_one_line(stage: Stage, _: str) -> None:
    """Data that come for a socket that is not mapped are told, and wait."""
    host = stage.host
    assert isinstance(host, WipsoftHost)
    room = min(stage.pair.clients or host.sockets, host.sockets)
    opened = []
    for number in range(1, room + 1):
        connection = host.connect(HOLD, HOLD_PORT, number=number, aside=True)
        opened.append((connection, stage.servers.hold.arrived()))
    if room < host.sockets:
        with fails(host.codes["no free socket"]):
            host.connect(HOLD, HOLD_PORT, number=room + 1, aside=True)
    if len(opened) > 1:
        opened[-1][1].sendall(b"early")
        host.event(f"+WIPDATA: 2,{room},5")
    for connection, peer in dict.fromkeys((opened[0], opened[-1])):
        connection.select()
        if peer is opened[-1][1] and len(opened) > 1:
            connection.expect(b"early")
        connection.send(b"to the peer")
        assert read_exactly(peer, 11) == b"to the peer"
        peer.sendall(b"to the host")
        connection.expect(b"to the host")
        connection.release()
    for connection, peer in opened:
        connection.close()
        assert peer.recv(1) == b""


@scenario("TCP client", "wipsoft")
def all_sockets_move_data(stage: Stage, _: str) -> None:
    """All peers speak before anybody listens; then each is read and answered: by digits where the host has them."""
    host = stage.host
    assert isinstance(host, WipsoftHost)
    form = "" if host.older else "offline"
    opened = []
    for number in range(1, min(stage.pair.clients or host.sockets, host.sockets) + 1):
        connection = host.connect(HOLD, HOLD_PORT, form, number=number, aside=True)
        opened.append((connection, stage.servers.hold.arrived(), noise(300 + number)))
    for _, peer, words in opened:
        peer.sendall(words)
    for connection, peer, words in opened:
        connection.select()
        connection.expect(words)
        connection.send(words[::-1])
        assert read_exactly(peer, len(words)) == words[::-1]
        connection.release()
    for connection, peer, _ in opened:
        connection.close()
        assert peer.recv(1) == b""


@scenario("TCP client", "mip")
def several_sockets_by_turns(stage: Stage, _: str) -> None:
    """Each command names its socket, and so does each line of data."""
    host = stage.host
    assert isinstance(host, FibocomHost)
    room = min(stage.pair.clients or host.sockets, host.sockets)
    opened = []
    for number in range(1, room + 1):
        connection = host.connect(HOLD, HOLD_PORT, number=number)
        opened.append((connection, stage.servers.hold.arrived()))
    if room < host.sockets:
        with fails(host.codes["no free socket"], f"+MIPSTAT: {room + 1},1"):
            host.connect(HOLD, HOLD_PORT, number=room + 1)
    for turn in range(2):
        for number, (connection, peer) in enumerate(opened):
            words = b"turn %d of %d" % (turn, number)
            peer.sendall(words)
            connection.expect(words)
            connection.send(words)
            assert read_exactly(peer, len(words)) == words
    for connection, peer in opened:
        connection.close()
        assert peer.recv(1) == b""


@scenario("TCP client", "mip")
def several_sockets_at_once(stage: Stage, _: str) -> None:
    """All peers speak at the same time and the host to all of them, much and of every value; one leaves in between."""
    host = stage.host
    assert isinstance(host, FibocomHost)
    room = min(stage.pair.clients or host.sockets, host.sockets)
    opened = []
    for number in range(1, room + 1):
        connection = host.connect(HOLD, HOLD_PORT, number=number)
        opened.append((connection, stage.servers.hold.arrived(), noise(4000 + number)))
    for _, peer, words in opened:
        peer.sendall(words)
    for connection, _, words in opened:
        connection.send(words[::-1])
    for connection, peer, words in opened:
        connection.expect(words)
        assert read_exactly(peer, len(words)) == words[::-1]
    opened[0][1].close()
    opened.pop(0)[0].closed_by_peer()
    for connection, peer, _ in opened:
        connection.send(b"and on")
        assert read_exactly(peer, 6) == b"and on"
        peer.sendall(b"as before")
        connection.expect(b"as before")
        connection.close()


@scenario("TCP client", "wipsoft", "mip")
def other_commands_beside_an_open_socket(stage: Stage, _: str) -> None:
    """They pass through; a module whose sockets are its data mode hears none, and the host an error at once."""
    host = stage.host
    assert isinstance(host, WipsoftHost | FibocomHost)
    if isinstance(host, WipsoftHost):
        connection: Connection = host.connect(HOLD, HOLD_PORT, aside=True)
    else:
        connection = host.connect(HOLD, HOLD_PORT)
    peer = stage.servers.hold.arrived()
    if "hears no other command" in stage.pair.lost("TCP client"):
        with fails("ERROR"):
            host.command("AT+CSQ", limit_s=3)
    else:
        assert host.command("AT+CSQ", limit_s=10).startswith("+CSQ: ")
        stage.line.say(b'AT+CMGS="0123456789"\r')
        assert stage.line.until(b"> ") == b"\r\n> "
        stage.line.say(b"some text\x1a")
        assert host.lines_until("OK")[0].startswith("+CMGS: ")
    connection.close()
    assert peer.recv(1) == b""
