"""A transport whose bytes somebody else carries (the promises of asyncio's transports and protocols)."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from support import certificate
from support.client import EVERY
from support.pipe import PipeDialer

from gateway.model.values import Endpoint
from gateway.native import tls
from gateway.native.relay import Relay
from gateway.native.tunnel import Tunnel, streams


class Noted(asyncio.Protocol):
    """What a protocol was told."""

    def __init__(self, *, keeps_open: bool = True) -> None:
        self.told: list[object] = []
        self.keeps_open = keeps_open

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> bool:
        self.told.append("end")
        return self.keeps_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(("lost", exc))

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


class Owner:
    """What an owner was asked."""

    def __init__(self, *, half_close: bool = True) -> None:
        self.asked: list[object] = []
        finish = (lambda: self.asked.append("finish")) if half_close else None
        self.tunnel = Tunnel(
            self.asked.append,
            finish=finish,
            reading=lambda wanted: self.asked.append(("reading", wanted)),
            closed=lambda at_once: self.asked.append(("closed", at_once)),
            extra={"peername": ("192.0.2.1", 7)},
        )


def made(**options: bool) -> tuple[Owner, Noted]:
    owner, protocol = Owner(), Noted(**options)
    owner.tunnel.start(protocol)
    return owner, protocol


async def test_bytes_go_both_ways() -> None:
    owner, protocol = made()
    owner.tunnel.write(b"a")
    owner.tunnel.write(b"")
    owner.tunnel.writelines([b"b", bytearray(b"c")])
    owner.tunnel.feed(b"d")
    owner.tunnel.feed(b"")
    assert owner.asked == [b"a", b"bc"]
    assert protocol.told == ["made", b"d"]
    assert owner.tunnel.get_extra_info("peername") == ("192.0.2.1", 7)


async def test_what_came_before_there_was_a_protocol_is_kept() -> None:
    owner, protocol = Owner(), Noted()
    owner.tunnel.feed(b"early")
    owner.tunnel.feed_eof()
    owner.tunnel.start(protocol)
    assert protocol.told == ["made", b"early", "end"]


async def test_nothing_is_delivered_while_nothing_is_wanted() -> None:
    owner, protocol = made()
    owner.tunnel.pause_reading()
    owner.tunnel.pause_reading()
    assert not owner.tunnel.is_reading()
    owner.tunnel.feed(b"1")
    owner.tunnel.feed(b"2")
    owner.tunnel.feed_eof()
    assert protocol.told == ["made"]
    owner.tunnel.resume_reading()
    owner.tunnel.resume_reading()
    assert protocol.told == ["made", b"1", b"2", "end"]
    assert owner.asked == [("reading", False), ("reading", True)]


async def test_one_who_stops_in_the_middle_gets_no_more() -> None:
    owner, protocol = made()
    owner.tunnel.pause_reading()
    owner.tunnel.feed(b"1")
    owner.tunnel.feed(b"2")
    take = protocol.data_received
    protocol.data_received = lambda data: (take(data), owner.tunnel.pause_reading())  # type: ignore[assignment, func-returns-value]
    owner.tunnel.resume_reading()
    assert protocol.told == ["made", b"1"]
    assert owner.asked == [("reading", False), ("reading", False)], "never told that more is wanted"


async def test_a_loss_is_told_behind_the_bytes() -> None:
    owner, protocol = made()
    owner.tunnel.pause_reading()
    owner.tunnel.feed(b"last")
    cause = ConnectionResetError("gone")
    owner.tunnel.lost(cause)
    owner.tunnel.lost(None)
    owner.tunnel.feed(b"too late")
    assert owner.tunnel.is_closing()
    await asyncio.sleep(0)
    assert protocol.told == ["made"]
    owner.tunnel.resume_reading()
    await asyncio.sleep(0)
    assert protocol.told == ["made", b"last", ("lost", cause)]
    owner.tunnel.write(b"nobody is there")
    owner.tunnel.close()
    await asyncio.sleep(0)
    assert owner.asked == [("reading", False)]
    assert len(protocol.told) == 3


@pytest.mark.parametrize("at_once", [True, False])
async def test_closing_is_asked_once_and_told_later(at_once: bool) -> None:
    owner, protocol = made()
    (owner.tunnel.abort if at_once else owner.tunnel.close)()
    owner.tunnel.close()
    owner.tunnel.abort()
    owner.tunnel.feed(b"x")
    owner.tunnel.lost(None)
    owner.tunnel.write(b"x")
    owner.tunnel.congestion(True)
    assert protocol.told == ["made"]
    await asyncio.sleep(0)
    assert protocol.told == ["made", ("lost", None)]
    assert owner.asked == [("closed", at_once)]


async def test_the_end_closes_unless_the_protocol_keeps_it_open() -> None:
    owner, _ = made(keeps_open=False)
    owner.tunnel.feed_eof()
    assert owner.asked == [("closed", False)]
    owner, _ = made(keeps_open=True)
    owner.tunnel.feed_eof()
    owner.tunnel.write(b"still")
    assert owner.asked == [b"still"]


async def test_half_close_where_there_is_one() -> None:
    owner, _ = made()
    assert owner.tunnel.can_write_eof()
    owner.tunnel.write_eof()
    owner.tunnel.write_eof()
    owner.tunnel.write(b"x")
    assert owner.asked == ["finish"]
    bare = Owner(half_close=False).tunnel
    assert not bare.can_write_eof()
    with pytest.raises(NotImplementedError):
        bare.write_eof()


async def test_congestion_is_told_once() -> None:
    owner, protocol = made()
    for congested in (False, True, True, False):
        owner.tunnel.congestion(congested)
    assert protocol.told == ["made", "pause", "resume"]


async def test_a_writer_waits_while_the_far_side_takes_nothing() -> None:
    owner = Owner()
    _, writer = streams(owner.tunnel)
    owner.tunnel.congestion(True)
    writer.write(b"x")
    drained = asyncio.ensure_future(writer.drain())
    await asyncio.sleep(0)
    assert not drained.done()
    owner.tunnel.congestion(False)
    await drained
    writer.close()
    await writer.wait_closed()


async def test_a_reader_that_is_full_holds_the_far_side() -> None:
    owner = Owner()
    reader, writer = streams(owner.tunnel)
    owner.tunnel.feed(bytes(200000))
    assert owner.asked == [("reading", False)]
    assert len(await reader.readexactly(200000)) == 200000
    assert owner.asked == [("reading", False), ("reading", True)]
    writer.close()


class Small(asyncio.BufferedProtocol):
    """A protocol with a buffer of its own, smaller than what comes."""

    def __init__(self) -> None:
        self.buffer = bytearray(3)
        self.got = b""

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.got += bytes(self.buffer[:nbytes])


async def test_a_protocol_that_brings_its_own_buffer() -> None:
    owner, protocol = Owner(), Small()
    owner.tunnel.start(protocol)
    owner.tunnel.feed(EVERY)
    assert protocol.got == EVERY


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@pytest.mark.parametrize("how", ["the loop's", "ours", "in a relay"])
@pytest.mark.parametrize("sizes", [(1,), (1, 7, 512), (100000,)], ids=["1", "odd", "big"])
async def test_tls_through_a_tunnel(tmp_path: Path, how: str, sizes: tuple[int, ...]) -> None:
    context, trust = certificate.make(tmp_path)
    server = await asyncio.start_server(_serve, "127.0.0.1", 0, ssl=context)
    dialer = PipeDialer(trust=trust, sizes=sizes)
    place = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    if how == "ours":
        reader, writer = await dialer.open(place, secure=True)
    else:
        reader, writer = await dialer.open(place)
        if how == "in a relay":
            reader, writer = await tls.upgrade(reader, writer, trust, "127.0.0.1")
        else:
            await writer.start_tls(trust, server_hostname="127.0.0.1")
    data = EVERY * (20 if sizes == (1,) else 4000)

    async def send() -> None:
        for at in range(0, len(data), 5000):
            writer.write(data[at : at + 5000])
            await writer.drain()

    sending = asyncio.ensure_future(send())
    assert await reader.readexactly(len(data)) == data
    await sending
    assert isinstance(writer.get_extra_info("ssl_object"), ssl.SSLObject)
    writer.close()
    await writer.wait_closed()
    await asyncio.wait(dialer.far[0].tasks)
    await dialer.close()
    server.close()


async def test_a_relay_carries_until_it_is_stopped_and_loses_nothing() -> None:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    relay = Relay(reader, writer)
    inner, outer = streams(relay.tunnel)
    outer.write(b"first")
    assert await inner.readexactly(5) == b"first"
    await relay.stop()
    writer.write(b"second")
    assert await reader.readexactly(6) == b"second"
    outer.close()
    await writer.wait_closed()
    server.close()
