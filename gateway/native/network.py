"""This computer's network: names and addresses, and what its errors mean."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket

from gateway.model.causes import Cause
from gateway.model.values import (
    ANY_ADDRESS,
    ANY_ADDRESS6,
    Addresses,
    Endpoint,
    Family,
    is_dotted,
    is_numeric,
    is_six,
    plain,
)
from gateway.native.names import NameMap

log = logging.getLogger("gateway.native")


class NetworkFailure(Exception):  # becomes a result
    """Something on the network failed, for a reason of the common list."""

    def __init__(self, cause: Cause, detail: str = ""):
        super().__init__(detail or cause.value)
        self.cause = cause


LOST = (OSError, NetworkFailure)
"""What a connection is lost by: one of this computer's, and one of a module's."""


async def drained(writer: asyncio.StreamWriter) -> None:
    """Wait until more can be written. Raises what the connection was lost by: at first asyncio may not tell it."""
    try:
        await writer.drain()
    except ConnectionError:
        await writer.drain()
        raise


async def write(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Write, and wait until more can be written. Raises what the connection was lost by."""
    if not writer.is_closing():  # some loops do not take what is written then
        writer.write(data)
    await drained(writer)


def address_family(address: str) -> socket.AddressFamily:
    """What kind of socket an address is for."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


async def resolve(name: str, family: Family = Family.FOUR) -> str:
    """The address of a name; an address of either family as it is. Raises :class:`NetworkFailure`."""
    address = plain(name)
    if is_numeric(address):
        return address
    if name.lower().rstrip(".").endswith(".invalid"):
        raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{name} is a name that never exists")
    loop = asyncio.get_running_loop()
    try:
        kind = socket.AF_INET6 if family is Family.SIX else socket.AF_INET
        found = await loop.getaddrinfo(name, None, family=kind, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NetworkFailure(Cause.NAME_NOT_RESOLVED, str(error)) from error
    return str(found[0][4][0])


def check_family(name: str, family: Family) -> None:
    """Raises :class:`NetworkFailure` for an address of the other family: it finds nobody."""
    if is_dotted(name) if family is Family.SIX else is_six(name):
        raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{name} is an address of the other Internet Protocol")


async def place(names: NameMap, peer: Endpoint, family: Family = Family.FOUR) -> Endpoint:
    """Where a peer is on this computer's network; where the user has mapped it to an address of the other family, that
    is meant. A name that is there by its map alone is there with every port. Raises :class:`NetworkFailure`."""
    check_family(peer.host, family)
    mapped = names.outward(peer)
    if mapped is None:
        raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{peer.host} is mapped to nothing")
    try:
        return Endpoint(await resolve(mapped.host, family), mapped.port)
    except NetworkFailure:
        host = names.name(peer.host)
        if mapped is not peer or host is None or host == peer.host:
            raise
        return Endpoint(await resolve(host, family), peer.port)


def own_addresses(listening: str = ANY_ADDRESS, listening6: str = ANY_ADDRESS6) -> Addresses:
    """The addresses that this computer is reached at, and its name servers as its resolver has them.

    ``listening``: where it listens, unless that is everywhere.
    """
    own = _own_address("192.0.2.1", "127.0.0.1") if listening == ANY_ADDRESS else listening
    own6 = _own_address("2001:db8::1", "::1") if listening6 == ANY_ADDRESS6 else listening6
    servers: list[str] = []
    with contextlib.suppress(OSError), open("/etc/resolv.conf", encoding="utf-8") as file:  # noqa: PTH123
        servers = [line.split()[1] for line in file if line.startswith("nameserver") and len(line.split()) > 1]
    servers = [server for server in servers if is_dotted(server)] + [ANY_ADDRESS, ANY_ADDRESS]
    return Addresses(own, own, servers[0], servers[1], own6)


def _own_address(somewhere: str, loopback: str) -> str:
    """From which address this computer would speak to somewhere, or to itself; "" where it has not even that."""
    kind = address_family(somewhere)
    for place in (somewhere, loopback):
        with contextlib.suppress(OSError), socket.socket(kind, socket.SOCK_DGRAM) as probe:
            probe.connect((place, 9))  # nothing is sent: only the route is asked for
            return str(probe.getsockname()[0])
    return "" if kind is socket.AF_INET6 else loopback


def cause_of(error: OSError) -> Cause:
    """The reason of a failed connection."""
    known = {
        errno.ECONNREFUSED: Cause.REFUSED,
        errno.ETIMEDOUT: Cause.TIMED_OUT,
        errno.EHOSTUNREACH: Cause.UNREACHABLE,
        errno.ENETUNREACH: Cause.UNREACHABLE,
        errno.ECONNRESET: Cause.RESET,
        errno.EPIPE: Cause.RESET,
    }
    return known.get(error.errno or 0, Cause.OPEN_FAILED)
