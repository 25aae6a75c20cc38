"""Multimedia messages: to a centre that takes them, to one that does not, to none."""

from __future__ import annotations

from contextlib import closing

from support.pages import EVERY, PAGE, confirmation

from matrix.host import fails
from matrix.proxy import ways_through
from matrix.scenario import scenario
from matrix.scenarios.web import SecureSite, Site
from matrix.stage import NOBODY, REFUSED, SERVER, Stage
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_mms import (
    ANY_FILE,
    BCC_MAIL,
    CC_PHONE,
    CHUNKED,
    CLASS,
    FILE,
    FROM,
    HIDDEN,
    JPEG,
    PRIORITY,
    RELATED,
    SMIL,
    SUBJECT,
    TO_MAIL,
    TO_PHONE,
    US_ASCII,
    WipsoftMms,
)  # fmt: skip

CENTRE = "http://mms.example/mms"
"""Reached by way of the proxy alone."""
TEXT = b"The reading is 0815.4 kWh.\r\n"
SAYS = {
    0x82: "890", 0x83: "891", 0x84: "892", 0x85: "893", 0x86: "894", 0x87: "895", 0x88: "896", 0x81: "897",
    0xC1: "892", 0xC3: "894", 0xE1: "890", 0xE2: "891", 0xE5: "895", 0xFF: "897",
}  # fmt: skip
"""What a centre says of a message to the module's number for it (10.1)."""


def mms_of(stage: Stage, kind: type[Site] = Site) -> tuple[WipsoftMms, Site]:
    """The verbs of a pair's host, and its server as if new: a proxy and a centre in one."""
    assert isinstance(stage.host, WipsoftHost)
    site = stage.servers.of(kind)
    site.forget()
    return WipsoftMms(stage.host), site


def write(mms: WipsoftMms, picture: bytes = PAGE) -> None:
    """A message with a text and a picture."""
    mms.option(TO_PHONE, "+41791234567")
    mms.option(SUBJECT, "Reading")
    mms.option(FILE, US_ASCII, len(TEXT), "1.txt")
    mms.option(FILE, JPEG, len(picture), "2.jpeg", "<002>")
    mms.file(TEXT, "1.txt")
    mms.file(picture, "2.jpeg", "<002>")


@scenario("MMS")
def a_text_and_a_picture(stage: Stage, _: str) -> None:
    """By way of the proxy; the length told before or not, as option 95 says; 25 KiB of picture."""
    mms, site = mms_of(stage)
    picture = PAGE + EVERY * 100
    for chunked in (1, 0):
        mms.open(SERVER, site.port, CENTRE)
        mms.option(CHUNKED, chunked)
        write(mms, picture)
        mms.send()
        request, body = site.web.requests.pop(), site.web.bodies.pop()
        assert (request.method, str(request.url)) == ("POST", CENTRE)
        assert request.headers["Content-Type"] == "application/vnd.wap.mms-message"
        assert ("Content-Length" in request.headers) == (not chunked)
        assert body.startswith(b"\x8c\x80")
        assert b"\x97+41791234567/TYPE=PLMN\0" in body
        assert b"\x96Reading\0" in body
        assert b"\x84\xa3\x02" in body, "mixed, of two parts"
        assert body.index(TEXT) < body.index(picture)
        assert body.endswith(picture)


@scenario("MMS")
def a_message_that_the_centre_does_not_take(stage: Stage, _: str) -> None:
    """Each word of its has its number; the session goes on, and the same message can be sent again."""
    mms, site = mms_of(stage)
    mms.open(SERVER, site.port, CENTRE)
    write(mms)
    for status, code in SAYS.items():
        site.confirmation = confirmation(status)
        with fails(code):
            mms.send()
    site.confirmation = b"what"
    with fails("866"):
        mms.send()
    site.forget()
    mms.send()
    assert site.web.bodies[0].endswith(PAGE)


@scenario("MMS")
def no_centre(stage: Stage, _: str) -> None:
    """Nobody there, nobody of the proxy's name, no such page."""
    mms, site = mms_of(stage)
    for proxy, port, path, code in (
        (REFUSED, stage.servers.refused_port, "mms", "894"), (NOBODY, 8080, "mms", "894"),
        (SERVER, site.port, "status/404", "866"),
    ):  # fmt: skip
        with mms.session(proxy, port, f"http://mms.example/{path}"):
            write(mms)
            with fails(code):
                mms.send()


@scenario("MMS")
def messages_that_cannot_be(stage: Stage, _: str) -> None:
    """A part that is missing, too long or unknown, too many recipients, too much in all."""
    mms, site = mms_of(stage)
    mms.open(SERVER, site.port, CENTRE)
    for number in range(12):
        mms.option(TO_MAIL, f"{number}@there.example")
    with fails("801"):
        mms.option(TO_PHONE, "13")
    with fails("801"):
        mms.option(FILE, JPEG, 307_201, "large.jpeg")
    with fails("851"):
        mms.option(FILE, JPEG, 5)
    mms.option(FILE, US_ASCII, 5, "1.txt")
    with fails("831"):
        mms.send()
    with fails("801"):
        mms.file(b"12345", "2.txt")
    mms.file(b"1234567", "1.txt")
    stage.host.hear(b"\r\n+WIPFILE: 8,1,5\r\n")
    mms.send()
    assert site.web.bodies[0].endswith(b"12345")


@scenario("MMS")
def a_centre_by_tls(stage: Stage, _: str) -> None:
    """By a way through the proxy."""
    mms, site = mms_of(stage, SecureSite)
    with closing(ways_through(site.port)) as proxy:
        mms.open(SERVER, proxy.port, site.url("mms"))
        write(mms)
        mms.send()
    assert site.web.bodies[0].endswith(PAGE)


@scenario("MMS", bearer=False)
def a_message_of_the_guide(stage: Stage, _: str) -> None:
    """9.9."""
    mms, site = mms_of(stage)
    stage.host.up()
    mms.open(SERVER, site.port, CENTRE)
    mms.option(TO_MAIL, "Mr,Smith <smith@example.com>")
    mms.option(CC_PHONE, "+33623456789")
    mms.option(CC_PHONE, "0654321987")
    mms.option(BCC_MAIL, "X <x@y.com>")
    for option, value in ((CLASS, 1), (PRIORITY, 2), (HIDDEN, 1)):
        mms.option(option, value)
    mms.option(FROM, "me@y.com")
    mms.option(RELATED, 1, "application/smil", "<001>")
    files = (
        (FILE, SMIL, "1.smil", "<001>"), (FILE, 2, "2.txt", ""), (FILE, US_ASCII, "", "<003>"),
        (FILE, JPEG, "4.jpeg", "<004>"), (FILE, 5, "5.gif", "<005>"), (ANY_FILE, "audio/xyz", "6.xyz", "<XYZ>"),
    )  # fmt: skip
    for number, (option, kind, name, content_id) in enumerate(files, 1):
        mms.option(option, kind, 100 * number, name, content_id)
    contents = [bytes([64 + number]) * 100 * number for number in range(1, len(files) + 1)]
    for data, (_option, _kind, name, content_id) in zip(contents, files, strict=True):
        names = f'"{name}"' if name else ""
        mms.moving.give(f"8,1,2,{names}" + (f',"{content_id}"' if content_id else ""), data)
    mms.send()
    (body,) = site.web.bodies
    for wanted in (
        b"\x82+33623456789/TYPE=PLMN\0\x820654321987/TYPE=PLMN\0", b"smith@example.com", b"x@y.com",
        b"\x8a\x82", b"\x8f\x82", b"\x94\x80", b"\xb3\x89application/smil\0\x8a<001>\0", b"audio/xyz\0",
    ):  # fmt: skip
        assert wanted in body, wanted
    places = [body.index(data) for data in contents]
    assert places == sorted(places)
    stage.host.down()
