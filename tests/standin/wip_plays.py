"""What a WIPSoft host does in a day, act by act, on whatever module; each act leaves the bearer up and no socket.

Answers are compared byte by byte, as the guides of 2006 and of 5.57 have them (erratum X14 for the end of a stream).
"""

from __future__ import annotations

import socket
from functools import partial

from support.rig import abort, read_exactly, read_to_end, unused_port

from standin.mapping import escape
from standin.plays import AWKWARD, in_pieces
from standin.site import ETX, OK, Site

CONNECT = b"\r\nCONNECT\r\n"
GUARD_S = 1.1


def _line(text: str) -> bytes:
    return f"\r\n{text}\r\n".encode()


def _is_old(site: Site) -> bool:
    return site.host_dialect == "wipsoft-2.01"


def start(site: Site) -> None:
    """Stack, bearer, access point; everything a second time is the 'already' code."""
    site.expect("AT+CMEE=1;+WIPCFG=1;+WIPBR=1,6", OK)
    site.expect("AT+WIPBR=1,6", _line("+CME ERROR: 804"))
    site.expect('AT+WIPBR=2,6,11,"internet"', OK)
    site.expect("AT+WIPBR=4,6,0", OK)
    site.expect("AT+WIPBR?", _line("6,1") + OK)
    site.expect("AT+WIPBR=3,6,15", _line('+WIPBR: 6,15,"10.1.2.3"') + OK)


def bearer(site: Site) -> None:
    """Stopped and started again."""
    site.expect("AT+WIPBR=5,6", OK)
    site.expect("AT+WIPBR?", _line("6,0") + OK)
    site.expect("AT+WIPBR=4,6,0", OK)


def _create(site: Site, index: int, port: int) -> None:
    site.expect(f'AT+WIPCREATE=2,{index},"127.0.0.1",{port}', OK + _line(f"+WIPREADY: 2,{index}"))


def _escapes(site: Site) -> None:
    """+++ with its silences."""
    assert site.host.silent_for(GUARD_S) == b""
    site.host.say(b"+++")


def _close(site: Site, protocol: int, index: int) -> None:
    """The host closes; the 2006 module tells so (X12)."""
    line = _line(f"+WIPPEERCLOSE: {protocol},{index}") if _is_old(site) else b""
    site.expect(f"AT+WIPCLOSE={protocol},{index}", OK + line)


def continuous(site: Site) -> None:
    """+WIPDATA mode 1: every byte both ways, left and entered again, closed by the host."""
    server = site.server()
    _create(site, 1, server.port)
    peer = server.arrived()
    site.expect("AT+WIPDATA=2,1,1", CONNECT)
    for piece in in_pieces(escape(AWKWARD), 1):
        site.host.say(piece)
    assert read_exactly(peer, len(AWKWARD)) == AWKWARD
    for piece in in_pieces(AWKWARD, 2):
        peer.sendall(piece)
    site.hears(escape(AWKWARD))
    _escapes(site)
    site.hears(OK)
    if not _is_old(site):
        assert read_exactly(peer, 3) == b"+++"  # option 13 is 0 (X17)
    peer.sendall(b"meanwhile")
    site.hears(_line("+WIPDATA: 2,1,9"))
    site.expect("AT+WIPDATA=2,1,1", CONNECT + b"meanwhile")
    _escapes(site)
    site.hears(OK)
    _close(site, 2, 1)
    read_to_end(peer)
    site.all_closed()


def ends(site: Site) -> None:
    """The peer closes in data mode behind its last bytes, and in command mode; the next connection at once."""
    server = site.server()
    end = ETX if _is_old(site) else _line("SHUTDOWN")
    _create(site, 1, server.port)
    peer = server.arrived()
    site.expect("AT+WIPDATA=2,1,1", CONNECT)
    peer.sendall(b"last words")
    peer.close()
    site.hears(b"last words" + end)
    site.host.say(b"+++")
    site.hears(OK + _line("+WIPPEERCLOSE: 2,1"))
    _close(site, 2, 1)
    _create(site, 1, server.port)
    server.arrived().close()
    site.hears(_line("+WIPPEERCLOSE: 2,1"))
    _close(site, 2, 1)
    _create(site, 2, server.port)
    abort(server.arrived())
    site.hears(_line("+WIPPEERCLOSE: 2,2"))
    _close(site, 2, 2)
    site.all_closed()


def many(site: Site) -> None:
    """Six sockets at once, each spoken to and spoken by in turn."""
    server = site.server()
    peers = {}
    for index in range(1, 7):
        _create(site, index, server.port)
        peers[index] = server.arrived()
    site.host.say(f'AT+WIPCREATE=2,7,"127.0.0.1",{server.port}\r'.encode())
    assert b"ERROR" in site.host.until(b"ERROR", b"+WIPREADY")
    site.host.until(b"\r\n")
    for index, peer in peers.items():
        peer.sendall(b"to %d" % index)
        site.hears(_line(f"+WIPDATA: 2,{index},4"))
    for index, peer in reversed(peers.items()):
        site.expect(f"AT+WIPDATA=2,{index},1", CONNECT + b"to %d" % index)
        site.host.say(b"from %d" % index)
        assert read_exactly(peer, 6) == b"from %d" % index
        _escapes(site)
        site.hears(OK)
    for index in peers:
        _close(site, 2, index)
    site.all_closed()


def failures(site: Site) -> None:
    """Refused and unknown: an error or +CME ERROR behind OK, and the socket is free again."""
    for host in ("127.0.0.1", "nobody.example"):
        site.host.say(f'AT+WIPCREATE=2,1,"{host}",{unused_port()}\r'.encode())
        site.host.until(b"+CME ERROR: ")
        code = site.host.until(b"\r\n")
        assert code in ((b"3\r\n",) if _is_old(site) else (b"842\r\n", b"819\r\n", b"847\r\n")), code
        site.alive()
    site.all_closed()


def server(site: Site) -> None:
    """+WIPCREATE=3: two clients one after the other, then one is spoken to; closed."""
    port = unused_port()
    site.expect(f"AT+WIPCREATE=3,1,{port},5,6", OK)
    accepted = "+WIPACCEPT: 3,1,{}" if _is_old(site) else "+WIPACCEPT: 1,{}"
    callers = {}
    for index in (5, 6):
        callers[index] = _caller(site, port)
        site.hears(_line(accepted.format(index)))
    callers[5].sendall(b"hello")
    site.hears(_line("+WIPDATA: 2,5,5"))
    site.expect("AT+WIPDATA=2,5,1", CONNECT + b"hello")
    site.host.say(b"answer")
    assert read_exactly(callers[5], 6) == b"answer"
    _escapes(site)
    site.hears(OK)
    callers[6].close()
    site.hears(_line("+WIPPEERCLOSE: 2,6"))
    _close(site, 2, 6)
    _close(site, 2, 5)
    _close(site, 3, 1)
    site.all_closed()


def _caller(site: Site, port: int) -> socket.socket:
    """A peer that calls as soon as the module listens (again)."""
    calls = partial(site.call, port)
    found: list[socket.socket] = []

    def called() -> bool:
        try:
            found.append(calls())
        except ConnectionRefusedError:
            return False
        return True

    site.module.wait(called)
    return found[0]


def udp(site: Site) -> None:
    """Datagrams by ETX, which leaves no data mode (X15); several up, one down."""
    peer = site.datagrams()
    port = peer.getsockname()[1]
    site.expect(f'AT+WIPCREATE=1,1,{unused_port(socket.SOCK_DGRAM)},"127.0.0.1",{port}', OK + _line("+WIPREADY: 1,1"))
    site.expect("AT+WIPDATA=1,1,1", CONNECT)
    address = None
    for datagram in (b"one", AWKWARD, b"\x03", b"\x10"):
        site.host.say(escape(datagram) + ETX)
        data, address = peer.recvfrom(65536)
        assert data == datagram
    assert address is not None
    peer.sendto(AWKWARD, address)
    site.hears(escape(AWKWARD) + ETX)
    _escapes(site)
    site.hears(OK)
    _close(site, 1, 1)
    site.all_closed()


def ping(site: Site) -> None:
    """An answer, none, an answer."""
    site.expect('AT+WIPPING="10.0.0.9",3,300,250', OK + b"".join(map(_line, ("+WIPPING: 0,0,5", "+WIPPING: 1,1,0"))))
    site.hears(_line("+WIPPING: 0,2,30"))


DAY = (start, bearer, continuous, ends, many, failures, server, udp, ping)
