"""Multimedia messages to a centre (SEMANTICS 7.5; OMA-TS-MMS-ENC 1.2, WAP-230-WSP)."""

from __future__ import annotations

import pytest
from aiohttp import web
from support.client import EVERY, ONE, WAYS, client
from support.web import Web, proxy, web_server

from gateway.model.causes import Cause
from gateway.model.results import Done, Failed
from gateway.model.services import MmsPart, OpenMms, SendMms
from gateway.native import mmscodec
from gateway.native.mmscodec import Confirmation

TEXT = MmsPart("text/plain; charset=utf-8", "2.txt", "Grüezi".encode())
SMILE = MmsPart("application/smil", "1.smil", b"<smil/>")
PICTURE = MmsPart("image/jpeg", "<003>", EVERY * 200)
CONFIRMED = b"\x8c\x81\x98T1\0\x8d\x92\x92\x80\x8bid-7\0"


def test_a_message_byte_by_byte() -> None:
    message = SendMms(ONE, ("+41791234567",), subject="Hi", parts=(MmsPart("text/plain", "a", b"x"),))
    assert mmscodec.encode(message, "T1") == (
        b"\x8c\x80"  # M-Send.req
        b"\x98T1\0"
        b"\x8d\x92"  # 1.2
        b"\x89\x01\x81"  # the centre knows who we are
        b"\x97+41791234567/TYPE=PLMN\0"
        b"\x96Hi\0"
        b"\x8a\x80\x8f\x81\x94\x81"  # personal, normal, shown
        b"\x84\xa3"  # mixed
        b"\x01"  # one part
        b"\x0e\x01"  # 14 bytes of header, 1 of data
        b'\x04\x83\x85a\0\xc0"<a>\0\x8ea\0x'
    )


def test_every_field_of_a_message() -> None:
    message = SendMms(
        ONE,
        ("a@x.example", "+1/TYPE=PLMN"),
        ("2",),
        ("3",),
        sender="4",
        subject="Zürich".encode().decode("latin-1"),
        date="2/29/2024 12:00:00",
        message_class="advertisement",
        priority="HIGH",
        hide_sender=True,
        related=True,
        parts=(SMILE, TEXT, PICTURE),
    )
    data = mmscodec.encode(message, "T")
    for piece in (
        b"\x85\x04" + (1709208000).to_bytes(4, "big"),
        b"\x89\x0d\x804/TYPE=PLMN\0",
        b"\x97a@x.example\0\x97+1/TYPE=PLMN\0\x822/TYPE=PLMN\0\x813/TYPE=PLMN\0",
        b"\x96\x09\xeaZ\xc3\xbcrich\0",
        b"\x8a\x81\x8f\x82\x94\x80",
        b"\x84\x1d\xb3\x89application/smil\0\x8a<1.smil>\0\x03",
        b'\x83\x81\xea\x852.txt\0\xc0"<2.txt>\0\x8e2.txt\0' + TEXT.data,
        b'\x01\x9e\xc0"<003>\0' + PICTURE.data,
    ):
        assert piece in data, piece


@pytest.mark.parametrize(
    ("number", "data"), [(0, b"\0"), (127, b"\x7f"), (128, b"\x81\0"), (8193, b"\xc0\x01"), (2097151, b"\xff\xff\x7f")]
)
def test_a_length_of_any_size(number: int, data: bytes) -> None:
    assert mmscodec.uintvar(number) == data


@pytest.mark.parametrize(
    ("data", "confirmation"),
    [
        (CONFIRMED, Confirmation(0x80, "", "id-7")),
        (b"\x8c\x81X-Other\0v\0\x92\xe1\x93No\0", Confirmation(0xE1, "No")),
        (b"\x8c\x81\x92\x86\x93\x07\xeaZ\xc3\xbcri\0", Confirmation(0x86, "Züri")),
        (b"\x8c\x81\x92\x86\x93\x1f\x05\x02\x03\xe8a\0", Confirmation(0x86, "a")),
    ],
)
def test_what_a_centre_says(data: bytes, confirmation: Confirmation) -> None:
    assert mmscodec.decode(data) == confirmation


@pytest.mark.parametrize(
    "data", [b"", b"\x8c\x80\x92\x80", b"\x8c", b"\x8c\x81\x92", b"\x8c\x81\x8bx", b"\x8c\x81\x89\x1f\xff", b"<html>"]
)
def test_what_is_no_confirmation(data: bytes) -> None:
    with pytest.raises(ValueError):
        mmscodec.decode(data)


def centre(answer: bytes, status: int = 200) -> object:
    async def handle(server: Web, request: web.Request) -> web.Response:
        return web.Response(body=answer, status=status, content_type="application/vnd.wap.mms-message")

    return handle


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_message_is_posted_through_a_proxy(way: str, chunked: bool) -> None:
    async with web_server(centre(CONFIRMED)) as server, proxy() as between, client(way) as host:  # type: ignore[arg-type]
        url = f"http://localhost:{server.place.port}/mms"
        await host.done(OpenMms(ONE, url, between.place))
        message = SendMms(ONE, ("+41",), parts=(TEXT, PICTURE), chunked=chunked)
        assert await host.ask(message) == Done("id-7")
        assert between.lines == [f"POST {url} HTTP/1.1".encode()]
        (request,) = server.requests
        assert request.headers["Content-Type"] == "application/vnd.wap.mms-message"
        assert ("Content-Length" in request.headers) != chunked
        assert server.bodies[0].endswith(PICTURE.data)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("answer", "status", "cause"),
    [
        (b"\x8c\x81\x92\x82", 200, Cause.SERVER_DENIED),
        (b"\x8c\x81\x92\x83", 200, Cause.SERVER_FORMAT),
        (b"\x8c\x81\x92\xe3", 200, Cause.SERVER_ADDRESS),
        (b"\x8c\x81\x92\x81\x93why\0", 200, Cause.SERVER_UNSPECIFIED),
        (b"what", 200, Cause.SERVER_NOT_READY),
        (CONFIRMED, 503, Cause.SERVER_NOT_READY),
        (b"x" * 100000, 200, Cause.SERVER_NOT_READY),
    ],
)
async def test_a_centre_that_says_no(way: str, answer: bytes, status: int, cause: Cause) -> None:
    async with web_server(centre(answer, status)) as server, client(way) as host:  # type: ignore[arg-type]
        await host.done(OpenMms(ONE, server.url("/")))
        assert (await host.fails(SendMms(ONE, ("+41",), parts=(TEXT,)))).cause is cause


async def test_a_message_that_cannot_be_one() -> None:
    async with client("computer") as host:
        assert isinstance(await host.ask(OpenMms(ONE, "mms:centre")), Failed)
        await host.done(OpenMms(ONE, "http://127.0.0.1:1/"))
        for message in (SendMms(ONE, ("a\0b",)), SendMms(ONE, ("1",), date="soon"), SendMms(ONE, ("1",), priority="?")):
            assert (await host.fails(message)).cause is Cause.BAD_VALUE
