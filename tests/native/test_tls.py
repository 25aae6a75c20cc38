"""TLS's two directions, each with an end of its own from TLS 1.3 on; who is believed.

The servers are Python's blocking sockets: another program's reading of TLS than asyncio's.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support import certificate
from support.client import EVERY
from support.pipe import PipeDialer
from support.rig import LIMIT_S, Server

from gateway.errors import InputError
from gateway.model.causes import Cause
from gateway.model.values import Endpoint
from gateway.native import tls
from gateway.native.network import NetworkFailure
from gateway.native.tcp import Stream, StreamOwner
from gateway.native.tunnel import Tunnel

WAYS = ("computer", "tunnel")


class Owner(StreamOwner):
    """Keeps what a stream tells."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.has_ended = False
        self.cause: Cause | None = None
        self.was_congested = False
        self._news = asyncio.Event()

    def received(self, stream: Stream, data: bytes) -> None:
        assert not self.has_ended, "bytes behind the end"
        self.data += data
        self._news.set()

    def ended(self, stream: Stream) -> None:
        self.has_ended = True
        self._news.set()

    def lost(self, stream: Stream, cause: Cause) -> None:
        self.cause = cause
        self._news.set()

    def congestion(self, stream: Stream) -> None:
        self.was_congested = self.was_congested or stream.congested
        self._news.set()

    async def until(self, wanted: Callable[[], bool]) -> None:
        while not wanted():
            self._news.clear()
            await self._news.wait()


class Sides:
    """A client's trust and servers that it trusts."""

    def __init__(self, folder: Path) -> None:
        self.context, self.trust = certificate.make(folder)
        self.owner = Owner()
        self._servers: list[Server] = []
        self._pipe: PipeDialer | None = None

    def server(self, serve: Callable[[ssl.SSLSocket], None]) -> Server:
        self._servers.append(Server(certificate.secured(self.context, serve)))
        return self._servers[-1]

    async def connect(self, way: str, server: Server, name: str = "127.0.0.1") -> Stream:
        place = Endpoint("127.0.0.1", server.port)
        if way == "computer":
            stream = await tls.connect(place, self.owner, self.trust, name)
        else:
            self._pipe = PipeDialer()
            stream = Stream(self.owner)
            await tls.secure(await self._pipe.tunnel(place), stream, self.trust, name)
        stream.read(True)
        return stream

    async def close(self, stream: Stream) -> None:
        stream.close()
        if self._pipe is not None:
            await self._pipe.close()

    def end(self) -> None:
        for server in self._servers:
            server.close()


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[Sides]:
    made = Sides(tmp_path)
    yield made
    made.end()


async def send(stream: Stream, owner: Owner, data: bytes) -> None:
    """As a host does that waits where it is asked to."""
    for at in range(0, len(data), 5000):
        await owner.until(lambda: not stream.congested)
        stream.write(data[at : at + 5000])


@pytest.mark.parametrize("way", WAYS)
async def test_the_sending_ends_and_the_reading_goes_on(sides: Sides, way: str) -> None:
    """The server says nothing before it has heard the end, and then everything."""
    data = EVERY * (2000 if way == "computer" else 40)
    stream = await sides.connect(way, sides.server(certificate.answer_at_the_end))
    await send(stream, sides.owner, data)
    stream.shutdown()
    stream.write(b"too late: nothing is sent behind the end")
    await sides.owner.until(lambda: sides.owner.has_ended)
    assert bytes(sides.owner.data) == b"%d:" % len(data) + data
    await sides.close(stream)


@pytest.mark.parametrize("way", WAYS)
async def test_bytes_that_lie_unread_when_the_sending_ends_are_read_later(sides: Sides, way: str) -> None:
    def serve(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"before")
        certificate.answer_at_the_end(connection)

    stream = await sides.connect(way, sides.server(serve))
    await sides.owner.until(lambda: bytes(sides.owner.data) == b"before")
    stream.hold(True)
    stream.write(b"question")
    stream.shutdown()
    stream.hold(False)
    await sides.owner.until(lambda: sides.owner.has_ended)
    assert bytes(sides.owner.data) == b"before8:question"
    await sides.close(stream)


@pytest.mark.parametrize("way", WAYS)
async def test_the_peers_sending_ends_and_it_reads_on(sides: Sides, way: str) -> None:
    heard: list[bytes] = []
    served = threading.Event()

    def serve(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"all that I have to say")
        connection.settimeout(0)
        with pytest.raises(ssl.SSLWantReadError):
            connection.unwrap()  # its own end is said, ours is not there yet
        connection.settimeout(10)
        with suppress(ssl.SSLZeroReturnError):  # how both ends together look to Python
            while data := connection.recv(65536):
                heard.append(data)
        served.set()

    server = sides.server(serve)
    stream = await sides.connect(way, server)
    await sides.owner.until(lambda: sides.owner.has_ended)
    assert bytes(sides.owner.data) == b"all that I have to say"
    data = EVERY * 100
    await send(stream, sides.owner, data)
    stream.shutdown()
    assert await asyncio.to_thread(served.wait, LIMIT_S)
    assert b"".join(heard) == data
    await sides.close(stream)


@pytest.mark.parametrize("way", WAYS)
async def test_before_1_3_the_end_is_kept_for_the_close(sides: Sides, way: str, caplog: pytest.LogCaptureFixture) -> None:
    """There, a peer that hears of an end has to end too (RFC 5246, 7.2.1): its answer would be lost."""
    caplog.set_level("INFO")
    sides.context.maximum_version = ssl.TLSVersion.TLSv1_2
    ended: list[bytes] = []

    def serve(connection: ssl.SSLSocket) -> None:
        connection.sendall(connection.recv(100))
        ended.append(connection.recv(100))

    stream = await sides.connect(way, sides.server(serve))
    stream.write(b"question")
    stream.shutdown()
    await sides.owner.until(lambda: bytes(sides.owner.data) == b"question")
    assert not ended
    assert "half-close" in caplog.text
    await sides.close(stream)


async def test_a_certificate_is_explained_to_whoever_runs_the_gateway(
    sides: Sides, caplog: pytest.LogCaptureFixture
) -> None:
    server = sides.server(certificate.answer_at_the_end)
    with pytest.raises(NetworkFailure, match="certificate") as failed:
        await sides.connect("computer", server, "evil.example")
    assert failed.value.cause is Cause.OPEN_FAILED
    assert "evil.example" in caplog.text


@pytest.mark.parametrize("name", [".example", "", "a..b", "x" * 300])
async def test_a_name_that_nobody_can_have(sides: Sides, name: str) -> None:
    with pytest.raises(NetworkFailure):
        await sides.connect("computer", sides.server(certificate.answer_at_the_end), name)


@pytest.mark.parametrize("way", WAYS)
async def test_a_server_that_speaks_no_tls(sides: Sides, way: str) -> None:
    server = Server(lambda connection: connection.sendall(b"220 welcome\r\n" * 10))
    with pytest.raises(NetworkFailure) as failed:
        await sides.connect(way, server)
    assert failed.value.cause is Cause.OPEN_FAILED
    server.close()


async def test_a_connection_that_is_spoilt(sides: Sides) -> None:
    """Bytes that are no TLS, behind the handshake: the connection is gone, and what was said before is kept."""

    def serve(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"before")
        connection.recv(100)
        with socket.socket(fileno=connection.detach()) as below:
            below.sendall(b"nonsense" * 100)
            while below.recv(100):
                pass

    stream = await sides.connect("computer", sides.server(serve))
    await sides.owner.until(lambda: bytes(sides.owner.data) == b"before")
    stream.write(b"go")
    await sides.owner.until(lambda: sides.owner.cause is not None)
    assert sides.owner.cause is Cause.RESET


async def test_more_authorities(sides: Sides, tmp_path: Path) -> None:
    """What stands between certificates is skipped, whatever it is."""
    (tmp_path / "authority.pem").write_bytes(b"M\xfcller's authority\n" + (tmp_path / "certificate.pem").read_bytes())
    sides.trust = tls.trusting((tmp_path / "authority.pem",))
    await sides.close(await sides.connect("computer", sides.server(certificate.answer_at_the_end)))


@pytest.mark.parametrize("wrong", ["nothing", "words", "key", "half", "folder", "der"])
def test_what_is_no_authority(tmp_path: Path, wrong: str) -> None:
    certificate.make(tmp_path)
    good = (tmp_path / "certificate.pem").read_text()
    path = tmp_path / "wrong"
    match wrong:
        case "words":
            path.write_text("certificates of nobody\n")
        case "key":
            path = tmp_path / "key.pem"
        case "half":
            path.write_text(good[: len(good) // 2])
        case "der":
            path.write_bytes(ssl.PEM_cert_to_DER_cert(good))
        case "folder":
            path.mkdir()
    with pytest.raises(InputError, match=str(path)):
        tls.trusting((path,))


async def test_what_comes_behind_a_handshake_that_has_failed() -> None:
    """Before whoever waited for it has given up."""
    layer = tls.Layer(tls.context(), "server.example")
    sent: list[bytes] = []
    below = Tunnel(sent.append)
    below.start(layer)
    below.feed(b"220 no TLS here\r\n")
    below.feed(b"221 bye\r\n")
    below.feed_eof()
    below.lost()
    await asyncio.sleep(0)
    with pytest.raises(ssl.SSLError):
        await layer.up
    layer.abort()
