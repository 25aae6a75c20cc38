"""What a Fibocom host does in a day, act by act, on whatever module; each act leaves the link up and no socket.

Answers are compared byte by byte, in the forms that the errata list says to emit.
"""

from __future__ import annotations

from support.rig import abort, read_exactly, read_to_end, unused_port

from standin.plays import AWKWARD, in_pieces
from standin.site import OK, Site

GUARD_S = 1.1


def _line(text: str) -> bytes:
    return f"\r\n{text}\r\n".encode()


def start(site: Site) -> None:
    """The link, its state, a second time."""
    site.expect("AT+CMEE=1;+MIPCALL?", _line("+MIPCALL: 0") + OK)
    site.expect('AT+MIPCALL=1,"internet","me","secret",2', OK + _line("+MIPCALL: 10.1.2.3"))
    site.expect("AT+MIPCALL?", _line("+MIPCALL: 1,10.1.2.3") + OK)
    site.expect("AT+MIPOPEN?", _line("+MIPOPEN: 1,2,3,4,5,6") + OK)


def bearer(site: Site) -> None:
    """Released and had again."""
    site.expect("AT+MIPCALL=0", OK + _line("+MIPCALL: 0"))
    site.expect("AT+MIPCALL=1", OK + _line("+MIPCALL: 10.1.2.3"))


def _open(site: Site, number: int, port: int) -> None:
    site.expect(f'AT+MIPOPEN={number},,"127.0.0.1",{port},0', OK + _line(f"+MIPOPEN: {number},1"))


def _close(site: Site, number: int) -> None:
    site.expect(f"AT+MIPCLOSE={number}", OK + _line(f"+MIPCLOSE: {number},0"))


def digits(site: Site) -> None:
    """+MIPSEND with digits, +MIPPUSH, +MIPRTCP; the accumulating buffer as the manual has it."""
    server = site.server()
    _open(site, 1, server.port)
    peer = server.arrived()
    site.expect('AT+MIPSEND=1,"313233"', _line("+MIPSEND: 1,0,2045") + OK)
    site.expect("AT+MIPSEND?", _line("+MIPSEND: 1,2045") + OK)
    site.expect("AT+MIPFLUSH=1", _line("+MIPFLUSH: 1") + OK)
    site.expect("AT+MIPPUSH=1", _line("+MIPPUSH: 1,2") + OK)
    site.expect(f'AT+MIPSEND=1,"{AWKWARD.hex()}"', _line(f"+MIPSEND: 1,0,{2048 - len(AWKWARD)}") + OK)
    site.expect("AT+MIPPUSH=1", _line("+MIPPUSH: 1,0") + OK)
    assert read_exactly(peer, len(AWKWARD)) == AWKWARD
    peer.sendall(b"\x00\xff\r\n")
    site.hears(_line("+MIPRTCP: 1,0,00FF0D0A"))
    site.expect('AT+MIPSEND=1,"313"', _line("+CME ERROR: 2000"))
    site.expect('AT+MIPSEND=2,"31"', _line("+CME ERROR: 2024"))
    _close(site, 1)
    assert read_to_end(peer) == b""
    site.all_closed()


def prompted(site: Site) -> None:
    """+MIPSEND with its prompt, by length and by Ctrl-Z."""
    server = site.server()
    _open(site, 2, server.port)
    peer = server.arrived()
    sent = OK + _line("+MIPPUSH: 2,0") + _line("+MIPSEND: 2,0,2048") + OK
    site.expect(f"AT+MIPSEND=2,{len(AWKWARD)}", b"\r\n>\r\n")
    for piece in in_pieces(AWKWARD, 1):
        site.host.say(piece)
    site.hears(sent)
    assert read_exactly(peer, len(AWKWARD)) == AWKWARD
    site.expect("AT+MIPSEND=2", b"\r\n>\r\n")
    site.host.say(b"AT+CSQ\r\n\x1a")
    site.hears(sent)
    assert read_exactly(peer, 8) == b"AT+CSQ\r\n"
    _close(site, 2)
    site.all_closed()


def formats(site: Site) -> None:
    """Received data raw with a header, and by +MIPREAD."""
    server = site.server()
    _open(site, 1, server.port)
    peer = server.arrived()
    site.expect('AT+GTSET="IPRFMT",2', OK)
    peer.sendall(AWKWARD)
    site.hears(f"\r\n+MIPRTCP: 1,{len(AWKWARD)},".encode() + AWKWARD + b"\r\n")
    site.expect('AT+GTSET="IPRFMT",5', OK)
    peer.sendall(AWKWARD)
    site.hears(_line(f"+MIPREAD: 1,{len(AWKWARD)}"))
    site.expect("AT+MIPREAD=1,2048", f"\r\n+MIPDATA: 1,{len(AWKWARD)}\r\n".encode() + AWKWARD + b"\r\n" + OK)
    site.expect("AT+MIPREAD=1,2048", _line("+MIPREAD: 1,0") + OK)
    site.expect('AT+GTSET="IPRFMT",0', OK)
    _close(site, 1)
    site.all_closed()


def ends(site: Site) -> None:
    """Closed by the peer behind its last bytes; reset; refused; a name that nobody has."""
    server = site.server()
    _open(site, 1, server.port)
    peer = server.arrived()
    peer.sendall(b"last")
    peer.close()
    site.hears(_line("+MIPRTCP: 1,0,6C617374") + _line("+MIPSTAT: 1,1"))
    site.expect("AT+MIPCLOSE=1", _line("+CME ERROR: 3"))
    _open(site, 1, server.port)
    abort(server.arrived())
    site.hears(_line("+MIPSTAT: 1,1"))
    for host in ("127.0.0.1", "nobody.example"):
        site.expect(f'AT+MIPOPEN=1,,"{host}",{unused_port()},0', OK + _line("+MIPSTAT: 1,1"))
    site.alive()
    site.all_closed()


def many(site: Site) -> None:
    """Six sockets at once; the seventh number is none."""
    server = site.server()
    peers = {}
    for number in range(1, 7):
        _open(site, number, server.port)
        peers[number] = server.arrived()
    site.expect("AT+MIPOPEN?", _line("+MIPOPEN: 0") + OK)
    for number, peer in peers.items():
        peer.sendall(b"%d" % number)
        site.hears(_line(f"+MIPRTCP: {number},0,3{number}"))
        site.expect(f'AT+MIPSEND={number},"41"', _line(f"+MIPSEND: {number},0,2047") + OK)
        site.expect(f"AT+MIPPUSH={number}", _line(f"+MIPPUSH: {number},0") + OK)
        assert read_exactly(peer, 1) == b"A"
    for number in peers:
        _close(site, number)
    site.all_closed()


def listener(site: Site) -> None:
    """Port 0: the listener becomes the connection."""
    port = unused_port()
    site.expect(f'AT+MIPOPEN=3,{port},"0.0.0.0",0,0', OK)
    site.alive()
    peer = site.call(port)
    address, from_port = peer.getsockname()
    site.hears(_line(f"+MIPOPEN: 3,1,{address},{from_port}"))
    peer.sendall(b"A")
    site.hears(_line("+MIPRTCP: 3,0,41"))
    site.expect('AT+MIPSEND=3,"42"', _line("+MIPSEND: 3,0,2047") + OK)
    site.expect("AT+MIPPUSH=3", _line("+MIPPUSH: 3,0") + OK)
    assert read_exactly(peer, 1) == b"B"
    _close(site, 3)
    site.all_closed()


def udp(site: Site) -> None:
    """A datagram a push; to the peer, and to another."""
    peer, other = site.datagrams(), site.datagrams()
    port = peer.getsockname()[1]
    site.expect(f'AT+MIPOPEN=1,,"127.0.0.1",{port},1', OK + _line("+MIPOPEN: 1,1"))
    for datagram in (b"one", AWKWARD):
        site.expect(f'AT+MIPSEND=1,"{datagram.hex()}"', _line(f"+MIPSEND: 1,0,{2048 - len(datagram)}") + OK)
        site.expect("AT+MIPPUSH=1", _line("+MIPPUSH: 1,0") + OK)
        data, address = peer.recvfrom(65536)
        assert data == datagram
    peer.sendto(b"AB", address)
    site.hears(_line(f"+MIPRUDP: 127.0.0.1,{port},1,0,4142"))
    site.expect('AT+MIPSEND=1,"43"', _line("+MIPSEND: 1,0,2047") + OK)
    site.expect(f'AT+MIPPUSH=1,"127.0.0.1",{other.getsockname()[1]}', _line("+MIPPUSH: 1,0") + OK)
    assert other.recv(100) == b"C"
    _close(site, 1)
    site.all_closed()


def online(site: Site) -> None:
    """+MIPODM: transparent, left by +++ and entered by ATO, closed by the host."""
    server = site.server()
    site.expect(f'AT+MIPODM=1,,"127.0.0.1",{server.port},0', OK + _line("+MIPODM: 1,1"))
    peer = server.arrived()
    for piece in in_pieces(AWKWARD, 1):
        site.host.say(piece)
    assert read_exactly(peer, len(AWKWARD)) == AWKWARD
    peer.sendall(AWKWARD)
    site.hears(AWKWARD)
    assert site.host.silent_for(GUARD_S) == b""
    site.host.say(b"+++")
    site.hears(OK)
    site.alive()
    peer.sendall(b"waits")
    site.hears(_line("+MIPDATA: 1,5"))
    site.expect("ATO", b"\r\nCONNECT\r\nwaits")
    assert site.host.silent_for(GUARD_S) == b""
    site.host.say(b"+++")
    site.hears(OK)
    _close(site, 1)
    site.all_closed()


def ping(site: Site) -> None:
    """Answers and their sum; a name looked up."""
    told = ("+MPING: 10.0.0.9,0,0,5", '+MPINGSTAT: 0,"10.0.0.9",1,1,5')
    site.expect('AT+MPING=1,"10.0.0.9",1,32,64,0,1000', OK + b"".join(map(_line, told)))
    site.expect('AT+MIPDNS="meter.example"', _line('+MIPDNS: "meter.example",127.0.0.1') + OK)
    site.expect('AT+MIPDNS="nobody.example"', _line("+CME ERROR: 2002"))


DAY = (start, bearer, digits, prompted, formats, ends, many, listener, udp, online, ping)
