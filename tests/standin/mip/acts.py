"""What an eDSoft host meets on this module alone, beside the day of :mod:`standin.plays`."""

from __future__ import annotations

from email.parser import BytesParser
from threading import Thread

from support import office, postbox
from support.files import USER, Files
from support.rig import read_exactly

from standin.plays import AWKWARD, connect, of, prepare, written
from standin.site import CLOSED, ETX, OK, WAITING, Site, failure

LONG_S = 40.0
BULK_BYTES = 1 << 20


def quick(site: Site) -> None:
    """Connections one behind the other, faster than their closes: more than there are sockets."""
    server = site.server()
    for turn in range(14):
        connect(site, server, 1 + turn % 2)
        site.host.say(b"x" + ETX)
        site.hears(CLOSED)
    site.all_closed()


def loss(site: Site) -> None:
    """The network takes the link, in data mode and beside it; it comes again at once."""
    server = site.server()
    for _ in range(2):
        peer = connect(site, server)
        peer.sendall(b"abc")
        site.hears(b"abc")
        site.module.lose_bearer()
        site.host.until(ETX)
        site.host.until(b"35841\r\n", CLOSED)
        site.expect("AT#VSTATE", b'\r\n#STATE: "IDLE"\r\n' + OK)
        site.start()
    if site.module.habits.call_loss == "stats":
        return  # without a socket it says nothing
    site.module.lose_bearer()
    site.hears(failure(35841))
    site.expect("AT#VSTATE", b'\r\n#STATE: "IDLE"\r\n' + OK)
    site.start()


def bulk(site: Site) -> None:
    """Much both ways at once."""
    server = site.server()
    data = (AWKWARD * (BULK_BYTES // len(AWKWARD) + 1))[:BULK_BYTES]
    for dle in (0, 1):
        peer = connect(site, server, 1, dle)
        got: list[bytes] = []
        taker = Thread(target=lambda peer=peer, got=got: got.append(read_exactly(peer, len(data))))
        giver = Thread(target=peer.sendall, args=(data,))
        taker.start()
        giver.start()
        shown = written(data, dle)
        for at in range(0, len(shown), 65536):
            site.host.say(shown[at : at + 65536])
        assert site.host.take(len(shown)) == shown
        taker.join()
        giver.join()
        assert got == [data]
        peer.close()
        site.hears((ETX if dle else b"") + CLOSED)


def refusals(site: Site) -> None:
    """Whatever code a command fails with: an error of eDSoft's, and the next attempt works."""
    server = site.server()
    prepare(site, 1, "127.0.0.1", server.port, 1)
    for command, codes in {
        "+MIPOPEN": (3, 50, 2000, 2003, 2004, 2008, 2010, 2012, 2017, 2031, 9999, None),
        "+MIPCLOSE": (3, 2014, None),
        "+MIPSEND": (2007, 2013, 2024, None),
        "+MIPPUSH": (2013, 2024, None),
    }.items():
        for code in codes:
            site.module.refuse(command, code)
            site.host.say(f"AT#OTCP{of(site, 1)}\r".encode())
            heard = site.host.until(WAITING, b"ERROR: ")
            if heard.endswith(WAITING):
                site.host.say(b"x" + ETX)
                site.host.until(CLOSED, b"ERROR: ")
            site.host.silent_for(0.05)
            site.host.rest()
            site.module.refuse(command)
    connect(site, server)
    site.host.say(ETX)
    site.hears(CLOSED)
    site.all_closed()


def silence(site: Site) -> None:
    """No answer within the limit (1 s in this play): the error, and the next command works."""
    server = site.server()
    prepare(site, 1, "127.0.0.1", server.port, 1)
    site.module.silence("+CSQ")
    site.expect("AT+CSQ", b"\r\nERROR\r\n")
    site.alive()
    site.module.silence("+MIPOPEN")
    _fails(site, f"AT#OTCP{of(site, 1)}")
    site.alive()
    site.expect("AT#CONNECTIONSTOP", OK)
    site.module.silence("+MIPCALL=1")
    _fails(site, "AT#CONNECTIONSTART")
    site.alive()
    site.start()
    connect(site, server)
    site.host.say(ETX)
    site.hears(CLOSED)
    site.all_closed()


def _fails(site: Site, command: str) -> None:
    """Some error of eDSoft's."""
    site.says(command, b"\r\n#CME ERROR: ", limit_s=LONG_S)
    site.host.until(b"\r\n")


def slow(site: Site) -> None:
    """Every answer takes its time."""
    server = site.server()
    for command in ("+MIPOPEN", "+MIPSEND", "+MIPPUSH", "+MIPCLOSE", "+MIPCALL"):
        site.module.delay(command, 0.4)
    for dle in (0, 1):
        peer = connect(site, server, 1, dle)
        site.host.say(written(AWKWARD, dle))
        assert read_exactly(peer, len(AWKWARD)) == AWKWARD
        peer.sendall(AWKWARD)
        site.hears(written(AWKWARD, dle))
        peer.close()
        site.hears((ETX if dle else b"") + CLOSED)
    site.expect("AT#CONNECTIONSTOP", OK)
    site.start()
    for command in ("+MIPOPEN", "+MIPSEND", "+MIPPUSH", "+MIPCLOSE", "+MIPCALL"):
        site.module.delay(command, 0)


def files(site: Site) -> None:
    """A file there and back, an empty one too; one that is not there."""
    shelf = Files(site.folder / "shelf")
    try:
        place = f'AT#FTPSERV="127.0.0.1";#FTPPORT={shelf.place.port};#FTPUN="{USER}";#FTPPW="secret";#FTPTYPE=I'
        site.expect(place, OK)
        names = '#FTPPUTPATH=".";#FTPPUTFILENAME="f";#FTPGETPATH=".";#FTPGETFILENAME="f"'
        site.expect(f"AT#FTPMODE=1;{names}", OK)
        for content in (AWKWARD * 20, b""):
            site.expect("AT#FTPPUT", WAITING, LONG_S)
            site.host.say(written(content, 1) + ETX)
            site.hears(OK, LONG_S)
            assert (shelf.folder / "f").read_bytes() == content
            site.expect("AT#FTPGET", b"\r\nOk_Info_DataBegin\r\n", LONG_S)
            site.hears(written(content, 1) + ETX + OK, LONG_S)
        site.expect('AT#FTPGETFILENAME="none"', OK)
        _fails(site, "AT#FTPGET")
    finally:
        shelf.close()
    site.all_closed()


def mail(site: Site) -> None:
    """A mail out, one in, and none."""
    post, box = office.PostOffice(), postbox.Postbox("twisted")
    try:
        site.expect(f'AT#SMTPSERV="127.0.0.1";#SMTPPORT={post.port};#DOMAIN="meter.example"', OK)
        site.expect('AT#SENDERADDR="a@meter.example";#SENDERNAME="A";#REC1="b@meter.example";#SUBJ1="news"', OK)
        site.expect("AT#PUTMAIL", WAITING, LONG_S)
        site.host.say(b"first line\r\n.second\r\n.\r\n")
        site.hears(OK, LONG_S)
        (letter,) = post.letters
        content = letter.content
        assert letter.rcpt_tos == ["b@meter.example"] and isinstance(content, bytes)
        assert BytesParser().parsebytes(content)["Subject"] == "news"
        box.put(b"Subject: hello\r\n\r\nbody\r\n")
        login = f'#POP3UN="{postbox.USER}";#POP3PW="{postbox.PASSWORD}"'
        site.expect(f'AT#POP3SERV="127.0.0.1";#POP3PORT={box.port};{login}', OK)
        site.host.say(b"AT#GETMAIL\r")
        site.host.until(b"\r\nOk_Info_Mail\r\n", limit_s=LONG_S)
        assert b"body\r\n" in site.host.until(b"\r\n.\r\n" + OK, b"\r\n.\r\n\r\n" + OK, limit_s=LONG_S)
        assert box.count == 0
        site.expect("AT#GETMAIL", b"\r\nOk_Info_NoMail\r\n", LONG_S)
    finally:
        post.close()
        box.close()
    site.all_closed()


def garbage(site: Site) -> None:
    """Lines that nobody knows, with numbers that nobody has, in every state: nothing changes."""
    noise = (
        "+MIPRTCP: 9,0,41", "+MIPRTCP: 1,0,4", "+MIPRTCP: 1", "+MIPSTAT: 9,1", "+MIPSTAT: 2", "+MIPOPEN: 5,1",
        "+MIPCLOSE: 6,0", "+MIPRUDP: 1.2.3.4,5,6,0,41", "+MIPREAD: 1,5", "+MIPNTP: 1", "+MPINGSTAT: 1", "+MIPXOFF: 9",
    )  # fmt: skip
    server = site.server()
    for each in noise:
        site.module.announce(each)
    site.host.silent_for(0.1)
    site.host.rest()
    site.alive()
    peer = connect(site, server)
    for each in noise:
        site.module.announce(each)
        peer.sendall(b"x")
        site.hears(b"x")
    site.host.say(ETX)
    site.hears(CLOSED)
    site.host.silent_for(0.1)
    site.host.rest()
    site.all_closed()
