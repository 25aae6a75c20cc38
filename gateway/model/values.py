"""Small values: socket identifiers of the two sides, end points, secrets."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

HostSocket = NewType("HostSocket", int)
"""A socket as the host's side numbers it; never sent to a module."""

NO_SOCKET = HostSocket(0)

TUNNELS = 1 << 20
"""Sockets with this number and above are the gateway's own, for services that it works over a module's sockets."""

Ticket = NewType("Ticket", int)
"""Ties a result to the request that it answers; below 0 where the gateway asks for itself."""

_PADDED = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
ANY_ADDRESS, ANY_ADDRESS6 = "0.0.0.0", "::"


class Family(StrEnum):
    """Which Internet Protocol."""

    FOUR = "four"
    SIX = "six"
    BOTH = "both"
    """Of a bearer: whichever a socket wants."""


class Secret(str):
    """Text that must never be shown: its ``repr`` is ``***``, its value goes to the wire alone."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "***"


class BearerKind(StrEnum):
    """What carries IP."""

    GPRS = "gprs"
    GSM = "gsm"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host, by name or address, and a port (0..65535)."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Addresses:
    """What a bearer was given; dotted decimal, ``0.0.0.0`` where nothing is known."""

    own: str = ANY_ADDRESS
    peer: str = ANY_ADDRESS
    dns1: str = ANY_ADDRESS
    dns2: str = ANY_ADDRESS
    own6: str = ""
    """Where the bearer carries IPv6."""


def is_dotted(text: str) -> bool:
    """Whether ``text`` is an IPv4 address in dotted decimal (four numbers 0..255)."""
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def is_six(text: str) -> bool:
    """Whether ``text`` is an IPv6 address."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def is_numeric(text: str) -> bool:
    """Whether ``text`` is an address of either Internet Protocol."""
    return is_dotted(text) or is_six(text)


def plain(address: str) -> str:
    """An address as it is compared: one of IPv6 has many spellings, and numbers may be filled up with zeros, which
    hosts mean as decimal and most resolvers read as octal."""
    if _PADDED.fullmatch(address):
        return ".".join(str(int(number)) for number in address.split("."))
    return str(ipaddress.IPv6Address(address)) if is_six(address) else address


@dataclass(frozen=True, slots=True)
class SocketInfo:
    """The two ends of an open socket, as far as they are known."""

    local: Endpoint
    peer: Endpoint | None = None
