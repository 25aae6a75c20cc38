"""What an eDSoft host does in a day, act by act; each act leaves everything as it found it, the bearer up.

Answers are compared byte by byte. An act holds with every habit of the stand-in.
"""

from __future__ import annotations

import random
import socket
from contextlib import suppress

from support.rig import Server, abort, read_exactly, read_to_end, unused_port

from standin.mapping import escape
from standin.site import CLOSED, ETX, OK, WAITING, Site, failure

EVERYBODY = "255.255.255.255"
BYTES = bytes(range(256))
AWKWARD = BYTES + b"\r\nOK\r\n\x10\x10\x03\x03\x10\x03AT\r\n+WIPDATA: 2,1,5\r\n\r\nSHUTDOWN\r\n" + BYTES[::-1]
"""Every byte value, both ways round, and texts that a module or a host could mean."""


def in_pieces(data: bytes, seed: int) -> list[bytes]:
    """Some cut of the data."""
    cuts = random.Random(seed)
    pieces = []
    while data:
        size = cuts.choice((1, 1, 2, 3, 7, 50, 400))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def written(data: bytes, dle: int) -> bytes:
    """Payload as the host's line shows it."""
    return escape(data) if dle else data


def line(site: Site) -> None:
    """Command lines: pieces, ends, case, chains, pass-through with its text, unsolicited lines between."""
    for piece in (b"A", b"t#udp", b"PORT=8", b"5\r"):
        site.host.say(piece)
    site.hears(OK)
    site.host.say(b"\n\x03+++AT#UDPPORT?\r\n")
    site.hears(b"\r\n#UDPPORT: 85\r\n" + OK)
    site.expect("at+csq;+creg?;#udpport=70000;+csq", b"\r\n+CSQ: 20,0\r\n\r\n+CREG: 0,1\r\n" + failure(34882))
    site.expect("AT+CPIN?", b"\r\n+CPIN: READY\r\n" + (OK if site.module.habits.cpin_result else b""))
    site.alive()
    site.host.say(b'AT+CMGS="+336"\r')
    site.hears(b"\r\n> ")
    site.host.say(b"AT#VALL\r+++ text\x1a")
    site.hears(b"\r\n+CMGS: 5\r\n" + OK)
    assert site.module.general.message == b"AT#VALL\r+++ text"
    site.host.say(b"A/")
    site.hears(b"\r\n> ")
    site.host.say(b"\x1b")
    site.hears(OK)
    site.module.inject("+CSQ", middle=b"\r\nRING\r\n")
    site.expect("AT+CSQ", b"\r\n+CSQ: 20,0\r\n" + OK + b"\r\nRING\r\n")
    site.module.inject("+CSQ")
    site.expect("AT#NOTHING", failure(34817))
    site.expect("AT+NOTHING", b"\r\nERROR\r\n")


def bearer(site: Site) -> None:
    """Stop, state, start, addresses, a second start; a refusal, and the next attempt."""
    site.expect("AT#CONNECTIONSTOP", OK)
    site.expect("AT#VSTATE", b'\r\n#STATE: "IDLE"\r\n' + OK)
    site.expect("AT#DISPLAYIP", failure(35867))
    outcome, code = site.module.refused_bearer
    site.module.bearers.outcomes = [outcome]
    site.expect("AT#CONNECTIONSTART", failure(code))
    site.start()
    site.expect("AT#CONNECTIONSTART", failure(35840))
    site.expect("AT#VSTATE", b'\r\n#STATE: "CONNECTED"\r\n' + OK)
    assert site.says("AT#DISPLAYIP").startswith(b"\r\nMY IP: 10.1.2.3\r\n")


def prepare(site: Site, number: int, host: str, port: int, dle: int) -> None:
    """The parameters of a TCP socket."""
    of = f"{number}," if site.sockets_have_ids else ""
    site.expect(f'AT#TCPSERV={of}"{host}";#TCPPORT={of}{port};#DLEMODE={of}{dle}', OK)


def of(site: Site, number: int) -> str:
    """How a command names its socket."""
    return f"={number}" if site.sockets_have_ids else ""


def connect(site: Site, server: Server, number: int = 1, dle: int = 1) -> socket.socket:
    """#OTCP; the peer's end of the connection."""
    prepare(site, number, "127.0.0.1", server.port, dle)
    site.expect(f"AT#OTCP{of(site, number)}", WAITING)
    return server.arrived()


def _both_ways(site: Site, peer: socket.socket, dle: int) -> None:
    for piece in in_pieces(written(AWKWARD, dle), 1):
        site.host.say(piece)
    assert read_exactly(peer, len(AWKWARD)) == AWKWARD
    for piece in in_pieces(AWKWARD, 2):
        peer.sendall(piece)
    site.hears(written(AWKWARD, dle))


def tcp_escaped(site: Site) -> None:
    """#OTCP, #DLEMODE 1: both sockets, closed by host and by peer, a reset, the next connection at once."""
    server = site.server()
    peer = connect(site, server, 1, 1)
    _both_ways(site, peer, 1)
    site.module.announce("RING")
    site.host.say(b"last words" + ETX)
    assert read_to_end(peer) == b"last words"
    site.hears(CLOSED + b"\r\nRING\r\n")
    peer = connect(site, server, 2, 1)
    peer.sendall(b"last words")
    peer.close()
    site.hears(b"last words" + ETX + CLOSED)
    site.alive()
    site.all_closed()
    peer = connect(site, server, 1, 1)
    abort(peer)
    site.hears(ETX + (failure(37952) if site.module.tells_resets else CLOSED))
    site.expect("AT", OK)


def tcp_transparent(site: Site) -> None:
    """#OTCP, #DLEMODE 0: closed by the peer without an ETX, and by the host's +++."""
    server = site.server()
    peer = connect(site, server, 1, 0)
    _both_ways(site, peer, 0)
    peer.close()
    site.hears(CLOSED)
    peer = connect(site, server, 1, 0)
    site.host.say(b"+++ is payload")
    assert read_exactly(peer, 14) == b"+++ is payload"
    assert site.host.silent_for(1.1) == b""
    site.host.say(b"+++")
    site.hears(CLOSED)
    assert read_to_end(peer) == b""


def tcp_failures(site: Site) -> None:
    """Refused, unknown name, no answer; each tells its code, and the next attempt works."""
    for host, code in (("127.0.0.1", 38016), ("nobody.example", 38027)):
        prepare(site, 1, host, unused_port(), 1)
        site.expect(f"AT#OTCP{of(site, 1)}", failure(code))
    server = site.server()
    peer = connect(site, server, 1, 1)
    site.host.say(b"x" + ETX)
    assert read_to_end(peer) == b"x"
    site.hears(CLOSED)
    site.all_closed()


def listener(site: Site) -> None:
    """#LTCPSTART: stopped while waiting, by command and by ETX; filtered; closed by peer and by host."""
    port = unused_port()
    prepare(site, 1, EVERYBODY, port, 1)
    for stop in (f"AT#LTCPSTOP{of(site, 1)}\r".encode(), ETX):
        site.expect(f"AT#LTCPSTART{of(site, 1)}", OK)
        site.host.say(stop)
        site.hears(OK if stop != ETX else CLOSED)
        site.all_closed()
    allowed = "127.0.0.5" if site.module.tells_peer else EVERYBODY
    prepare(site, 2, allowed, port, 1)
    site.expect(f"AT#LTCPSTART{of(site, 2)}", OK)
    if allowed != EVERYBODY:
        stranger = site.call(port, "127.0.0.6")
        with suppress(ConnectionResetError):
            assert read_to_end(stranger) == b""
    site.alive()
    peer = site.call(port, "127.0.0.5")
    peer.sendall(b"early")
    site.hears(WAITING + b"early")
    _both_ways(site, peer, 1)
    peer.close()
    site.hears(ETX + CLOSED)
    site.expect(f"AT#LTCPSTART{of(site, 2)}", OK)
    peer = site.call(port, "127.0.0.5")
    site.hears(WAITING)
    site.host.say(b"\x10\x03" + ETX)
    assert read_to_end(peer) == b"\x03"
    site.hears(CLOSED)
    site.all_closed()


def udp(site: Site) -> None:
    """#OUDP: datagrams keep their bounds, up and down; a pause of #UDPTXDELAY divides them."""
    peer = site.datagrams()
    port = peer.getsockname()[1]
    site.expect(f'AT#UDPSERV="127.0.0.1";#UDPPORT={port};#UDPTXDELAY=200', OK)
    site.expect("AT#OUDP", WAITING)
    for datagram in (b"one", AWKWARD, b"\x03", b"\x10"):
        site.host.say(escape(datagram))
        data, address = peer.recvfrom(65536)
        assert data == datagram
    for datagram in (b"two", AWKWARD, b"\r\nOK\r\n\r\n"):
        peer.sendto(datagram, address)
    site.hears(escape(b"two" + AWKWARD + b"\r\nOK\r\n\r\n"))
    site.host.say(b"three" + ETX)
    assert peer.recv(65536) == b"three"
    site.hears(CLOSED)
    site.alive()
    site.all_closed()


def udp_listener(site: Site) -> None:
    """#LUDPSTART: stopped while waiting; the first datagram of an allowed peer opens it, for that peer alone."""
    port = unused_port(socket.SOCK_DGRAM)
    site.expect(f'AT#UDPSERV="127.0.0.5";#UDPPORT={port};#UDPTXDELAY=100', OK)
    site.expect("AT#LUDPSTART", OK)
    site.expect("AT#LUDPSTOP", OK)
    since = len(site.module.commands)
    site.expect("AT#LUDPSTART", OK)
    stranger, peer = site.datagrams("127.0.0.6"), site.datagrams("127.0.0.5")
    stranger.sendto(b"from a stranger", ("127.0.0.1", port))
    site.alive()
    first = b"first"
    if not site.module.reads_offline:
        # Such a module makes the socket anew for every datagram that waits: behind the stranger's, and to find the peer.
        first = b""
        site.module.wait(lambda: len(site.module.heard_since(since, "AT+WIPCREATE=1")) == 2)
    peer.sendto(b"first", ("127.0.0.1", port))
    site.hears(WAITING + first)
    site.host.say(b"answer")
    assert peer.recv(100) == b"answer"
    peer.sendto(AWKWARD, ("127.0.0.1", port))
    site.hears(escape(AWKWARD))
    site.host.say(ETX)
    site.hears(CLOSED)
    site.all_closed()


def ping(site: Site) -> None:
    """#PING: answers, one that never comes, an unknown name."""
    site.expect('AT#PINGREMOTE="10.0.0.9";#PINGNUM=3;#PINGDELAY=1', OK)
    alive = b'\r\n"10.0.0.9" is alive : time = %d ms\r\n'
    site.expect("AT#PING", alive % 5 + b'\r\nNO answer from "10.0.0.9"\r\n' + alive % 30 + OK)
    site.expect('AT#PINGREMOTE="nobody.example"', OK)
    site.expect("AT#PING", failure(38027))


def gsm(site: Site) -> None:
    """A dialled bearer: its texts, a line that is busy, and back to GPRS."""
    site.expect('AT#CONNECTIONSTOP;#GPRSMODE=0;#DIALN1="0860000000";#REDIALCOUNT=0;#ISPUN="me";#ISPPW="pw"', OK)
    dialled = b"\r\nDIALING\r\n\r\n0860000000\r\n"
    site.module.bearers.outcomes = [807]
    site.expect("AT#CONNECTIONSTART", dialled + b"\r\nBUSY\r\n")
    site.host.say(b"AT#CONNECTIONSTART\r")
    said = site.host.until(b"\r\nOk_Info_PPP\r\n")
    assert said.startswith(dialled + b"\r\nCONNECT ") and b"\r\n10.1.2.3\r\n" in said
    assert b"PEER IP: 10.1.2.254" in site.says("AT#DISPLAYIP")
    site.expect("AT#CONNECTIONSTOP;#GPRSMODE=1", OK)
    site.start()


def early_end(site: Site) -> None:
    """A peer that calls, speaks and is gone before its connection is taken: what it said, then the end."""
    for words in (b"", b"last words"):
        port = unused_port()
        prepare(site, 1, EVERYBODY, port, 1)
        site.expect(f"AT#LTCPSTART{of(site, 1)}", OK)
        peer = site.call(port)
        peer.sendall(words)
        peer.close()
        site.hears(WAITING + words + ETX + CLOSED)
        site.all_closed()


def _booted(site: Site) -> None:
    """The gateway has the module again; its boot text is for the host too."""
    site.module.wait(lambda: site.module.general.error_codes and not site.module.is_busy)
    site.host.silent_for(0.1)
    site.host.rest()


def restart_in_data(site: Site) -> None:
    """A module that restarts in a data mode, of a stream or of datagrams: the loss is told, all works again at once."""
    connect(site, site.server())
    site.module.restart()
    site.host.until(ETX + failure(35841))
    _booted(site)
    site.start()
    peer = site.datagrams()
    site.expect(f'AT#UDPSERV="127.0.0.1";#UDPPORT={peer.getsockname()[1]}', OK)
    site.expect("AT#OUDP", WAITING)
    site.module.restart()
    site.host.until(ETX + failure(35841))
    _booted(site)
    site.start()
    tcp_failures(site)


def restart_unnoticed(site: Site) -> None:
    """A module that restarts without a word: the next service tells it, the one behind works."""
    server = site.server()
    prepare(site, 1, "127.0.0.1", server.port, 1)
    site.module.restart(after_s=0.0, boot=False)
    site.module.wait(lambda: not site.module.is_dumb)
    site.expect(f"AT#OTCP{of(site, 1)}", failure(35841))
    site.expect("AT#VSTATE", b'\r\n#STATE: "IDLE"\r\n' + OK)
    site.start()
    connect(site, server)
    site.host.say(ETX)
    site.hears(CLOSED)


def silence(site: Site) -> None:
    """No answer, or a late one, within the limit (of 1 s in this play): the error, and the next command works."""
    server = site.server()
    site.module.silence("+CSQ")
    site.expect("AT+CSQ", b"\r\nERROR\r\n")
    site.alive()
    site.module.delay("+CSQ", 1.5)
    site.expect("AT+CSQ", b"\r\nERROR\r\n")
    site.module.delay("+CSQ", 0)
    site.alive()
    for command in ("+WIPCREATE=2", "+WIPDATA"):
        prepare(site, 1, "127.0.0.1", server.port, 1)
        site.module.silence(command)
        site.expect(f"AT#OTCP{of(site, 1)}", failure(38016))
    site.alive()
    site.host.say(b"AT#CONNECTIONSTOP\r")
    site.hears(OK)
    site.module.silence("+WIPBR=4")
    site.expect("AT#CONNECTIONSTART", failure(35866))
    site.alive()
    site.start()
    connect(site, server)
    site.module.dumb()
    site.host.say(b"into the void" + ETX)
    site.hears(CLOSED, 30)
    assert b"ERROR" in site.says("AT+CSQ")
    since = len(site.module.commands)
    site.module.dumb(False)
    site.module.heard("AT+WIPBR?", since)
    site.host.silent_for(0.1)
    site.host.rest()
    site.alive()


def refusals(site: Site) -> None:
    """Whatever code a command of the module's fails with: an error of eDSoft's, and the next attempt works."""
    server = site.server()
    prepare(site, 1, "127.0.0.1", server.port, 1)
    for command, codes in {
        "+WIPCREATE=2": (803, 830, 831, 838, 839, 840, 841, 845, 860, 999, None),
        "+WIPDATA": (831, 837, 842, 847, None),
        "+WIPCLOSE": (831, None),
    }.items():
        for code in codes:
            site.module.refuse(command, code)
            site.host.say(f"AT#OTCP{of(site, 1)}\r".encode())
            heard = site.host.until(WAITING, b"ERROR: ")
            if heard.endswith(WAITING):
                site.host.say(ETX)
                site.hears(CLOSED)
            else:
                site.host.until(b"\r\n")
            site.module.refuse(command)
    connect(site, server)
    site.host.say(ETX)
    site.hears(CLOSED)


DAY = (line, bearer, tcp_escaped, tcp_transparent, tcp_failures, listener, udp, udp_listener, ping)
