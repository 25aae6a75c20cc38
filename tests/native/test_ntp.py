"""The time of a server (RFC 5905, 14)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

import pytest
from support.client import WAYS, client
from support.clock import packet
from support.rig import unused_port

from gateway.model.causes import Cause
from gateway.model.results import Failed
from gateway.model.services import GetTime
from gateway.model.values import Endpoint
from gateway.native import ntp
from gateway.native.network import NetworkFailure


class TimeServer(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: object) -> None:
        answer = self.answer(data)
        if answer is not None:
            self.transport.sendto(answer, addr)  # type: ignore[arg-type]


async def ask(way: str, answer: Callable[[bytes], bytes | None], limit_s: float = 10.0) -> object:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: TimeServer(answer), local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        async with client(way, limit_s=limit_s) as host:
            result = await host.ask(GetTime(Endpoint("127.0.0.1", port)))
            return result.cause if isinstance(result, Failed) else result.value  # type: ignore[union-attr]
    finally:
        transport.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("seconds", "time"),
    [
        (2208988800 + 1709210096, "2024-02-29T12:34:56"),
        (0xFFFFFFFF, "2036-02-07T06:28:15"),
        (100, "2036-02-07T06:29:56"),
    ],
)
async def test_the_time_of_a_server(way: str, seconds: int, time: str) -> None:
    assert await ask(way, lambda request: packet(request, seconds)) == time


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: b"x",
        lambda request: packet(request, 1)[:47],
        lambda request: packet(bytes(48), 1 << 31),
        lambda request: packet(request, 1 << 31, first=0b00_100_011),
        lambda request: packet(request, 1 << 31, first=0b11_100_100),
        lambda request: packet(request, 1 << 31, stratum=16),
        lambda request: packet(request, 1 << 31, stratum=0, reference=b"RATE"),
        lambda request: packet(request, 0),
    ],
)
async def test_an_answer_that_is_none(answer: Callable[[bytes], bytes]) -> None:
    assert await ask("computer", answer) is Cause.SERVER_NOT_READY


async def test_no_answer() -> None:
    assert await ask("computer", lambda request: None, limit_s=0.05) is Cause.TIMED_OUT


@pytest.mark.parametrize("way", WAYS)
async def test_a_datagram_that_is_lost(way: str) -> None:
    asked: list[bytes] = []

    def answer(request: bytes) -> bytes | None:
        asked.append(request)
        return packet(request, (1 << 31) + 1) if len(asked) == 3 else None

    assert await ask(way, answer, limit_s=0.5) == "1968-01-20T03:14:09"
    assert len(set(asked)) == 3


async def test_nobody_is_there() -> None:
    async with client("computer", limit_s=5) as host:
        failed = await host.fails(GetTime(Endpoint("127.0.0.1", unused_port())))
        assert failed.cause is Cause.REFUSED
        assert (await host.fails(GetTime(Endpoint("time.invalid", 123)))).cause is Cause.NAME_NOT_RESOLVED


def test_a_fraction_does_not_round_up() -> None:
    token = b"12345678"
    answer = packet(bytes(40) + token, (1 << 31) + 1)
    assert ntp.decode(answer, token) == datetime(1968, 1, 20, 3, 14, 9, 500000, UTC)
    with pytest.raises(NetworkFailure):
        ntp.decode(answer, b"87654321")
