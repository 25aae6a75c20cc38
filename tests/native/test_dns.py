"""Names by servers that the host has named (RFC 1035, RFC 3596), with a name server that is not ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.client import WAYS, client
from support.nameserver import BROKEN, LARGE, NameServer
from support.rig import unused_port

from gateway.model.causes import Cause
from gateway.model.requests import ResolveName
from gateway.model.values import Family
from gateway.native import dns
from gateway.native.dialer import ComputerDialer
from gateway.native.names import NameMap
from gateway.native.network import NetworkFailure

ONE, TWO = "192.0.2.53", "198.51.100.53"


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    yield made
    made.close()


def dialer(**ports: int) -> ComputerDialer:
    return ComputerDialer(
        NameMap.parse([f"{ {'one': ONE, 'two': TWO}[name] }:53=127.0.0.1:{port}" for name, port in ports.items()])
    )


async def test_an_address(server: NameServer) -> None:
    assert await dns.resolve(dialer(one=server.port), "meter.example", (ONE,)) == "203.0.113.7"
    assert await dns.resolve(dialer(one=server.port), "METER.example.", (ONE,)) == "203.0.113.7"


async def test_another_name_of_it(server: NameServer) -> None:
    assert await dns.resolve(dialer(one=server.port), "also.example", (ONE,)) == "203.0.113.7"


async def test_an_address_of_ipv6(server: NameServer) -> None:
    assert await dns.resolve(dialer(one=server.port), "six.example", (ONE,), Family.SIX) == "2001:db8::7"
    with pytest.raises(NetworkFailure):
        await dns.resolve(dialer(one=server.port), "meter.example", (ONE,), Family.SIX)


async def test_an_answer_that_is_too_large_for_a_datagram(server: NameServer) -> None:
    assert await dns.resolve(dialer(one=server.port), LARGE, (ONE,)) == "203.0.113.1"
    assert server.asked == [(LARGE, "udp"), (LARGE, "tcp")]


@pytest.mark.parametrize("name", ["nobody.example", "six.example"])
async def test_a_name_without_address(server: NameServer, name: str) -> None:
    """One server's word is enough: the other is not asked."""
    with pytest.raises(NetworkFailure) as failure:
        await dns.resolve(dialer(one=server.port, two=server.port), name, (ONE, TWO))
    assert failure.value.cause is Cause.NAME_NOT_RESOLVED
    assert len(server.asked) == 1


async def test_the_second_server_is_asked_when_the_first_says_nothing(server: NameServer) -> None:
    ports = {"one": unused_port(), "two": server.port}
    assert await dns.resolve(dialer(**ports), "meter.example", (ONE, TWO), try_s=0.2) == "203.0.113.7"


async def test_a_server_that_fails_is_asked_twice(server: NameServer) -> None:
    with pytest.raises(NetworkFailure, match="SERVFAIL") as failure:
        await dns.resolve(dialer(one=server.port), BROKEN, (ONE,))
    assert failure.value.cause is Cause.NAME_NOT_RESOLVED
    assert len(server.asked) == dns.TRIES


@pytest.mark.parametrize("name", ["a" * 64 + ".example", "", "two..dots", "\xff" * 300])
async def test_what_is_no_name(name: str) -> None:
    with pytest.raises(NetworkFailure) as failure:
        await dns.resolve(dialer(one=unused_port()), name, (ONE,), try_s=0.2)
    assert failure.value.cause is Cause.NAME_NOT_RESOLVED


class _Answers(ComputerDialer):
    """A network on which every question has this answer."""

    def __init__(self, answer: bytes) -> None:
        super().__init__()
        self.answer = answer

    async def ask(self, peer: object, question: bytes, limit_s: float, family: Family = Family.FOUR) -> bytes:
        return question[:2] + self.answer if self.answer[:1] == b"+" else self.answer


@pytest.mark.parametrize("answer", [b"", b"x", bytes(12), b"+" + bytes(9), b"+\x81\x80" + bytes(300)])
async def test_an_answer_that_is_none(answer: bytes) -> None:
    with pytest.raises(NetworkFailure) as failure:
        await dns.resolve(_Answers(answer), "meter.example", (ONE,))
    assert failure.value.cause is Cause.NAME_NOT_RESOLVED


@pytest.mark.parametrize("way", WAYS)
async def test_by_the_engine(way: str) -> None:
    """Nobody is at port 53 of this address."""
    async with client(way) as host:
        failed = await host.fails(ResolveName("meter.example", ("127.255.255.254",)))
        assert failed.cause is Cause.NAME_NOT_RESOLVED
