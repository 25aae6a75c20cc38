"""The module's sockets: real ones of loopback behind the indices of the guide (3.1, 5.1.7)."""

from __future__ import annotations

import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

UDP, TCP, SERVER = 1, 2, 3
INDICES = {UDP: 8, TCP: 8, SERVER: 4}
HELD_LIMIT_BYTES = 16384
_DOTTED = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")


class Being(Enum):
    """How far a socket is."""

    OPENING = "opening"
    WAITING = "waiting"
    """It is open, and the module has not said so yet."""
    READY = "ready"
    LOST = "lost"


@dataclass(eq=False, slots=True)
class Socket:
    """One socket; ``asks`` is what the host asked to connect with, ``peer`` who is at the other end."""

    protocol: int
    index: int
    being: Being = Being.READY
    real: socket.socket | None = None
    asks: tuple[str, int] | None = None
    peer: tuple[str, int] | None = None
    local_port: int = 0
    span: range = range(0)
    """A server's client indices."""
    spent: set[int] = field(default_factory=set)
    received: bytearray = field(default_factory=bytearray)
    datagrams: list[tuple[bytes, tuple[str, int]]] = field(default_factory=list)
    to_send: bytearray = field(default_factory=bytearray)
    answers: bool = False
    """The result of its +WIPCREATE waits for it."""
    ends: bool = False
    """The host has shut its direction down; ``ended``: and the network knows."""
    ended: bool = False
    peer_ended: bool = False
    reset: bool = False
    data_told: bool = False
    close_told: bool = False
    shutdown_told: bool = False
    settings: dict[int, int] = field(default_factory=lambda: {4: 1024, 7: 0, 8: 64, 9: 0})

    @property
    def reads(self) -> bool:
        """Whether it wants what the network has."""
        if self.real is None or self.being is not Being.READY:
            return False
        if self.protocol == UDP:
            return len(self.datagrams) < 64
        return self.protocol == SERVER or (not self.peer_ended and len(self.received) < HELD_LIMIT_BYTES)

    @property
    def writes(self) -> bool:
        """Whether it has something for the network."""
        if self.real is None:
            return False
        return self.being is Being.OPENING or bool(self.to_send) or (self.ends and not self.ended)

    def drop(self, *, reset: bool = False) -> None:
        """Give the real socket back, with what still is to be sent; ``reset``: at once."""
        real, self.real = self.real, None
        if real is not None:
            give_back(real, self.to_send, reset=reset)


def give_back(real: socket.socket, to_send: bytes | bytearray, *, reset: bool) -> None:
    """Close a real socket behind what still is to be sent; ``reset``: at once."""
    with suppress(OSError):
        if reset:
            real.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif to_send:
            real.settimeout(1.0)
            real.sendall(to_send)
    real.close()


@dataclass
class Network:
    """What is behind the module: names, and places that behave badly. All else is loopback."""

    names: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    """Hosts that never answer a connection."""
    timeouts: dict[str, float] = field(default_factory=dict)
    """Hosts that never answer, and how long the module waits for them."""
    echoes: dict[str, list[int | None]] = field(default_factory=dict)
    """Answers to a ping by host, in ms; None: no answer."""

    def address(self, host: str) -> str | None:
        """The address of a host, None for an unknown name."""
        if _DOTTED.fullmatch(host):
            return host if all(int(part) < 256 for part in host.split(".")) else None
        return self.names.get(host.lower())


def connecting(peer: tuple[str, int]) -> socket.socket:
    """A TCP socket on its way to a peer."""
    real = socket.socket()
    real.setblocking(False)
    real.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    real.connect_ex(peer)
    return real


def listening(port: int) -> socket.socket:
    """A TCP server. Raises OSError when the port is taken."""
    real = socket.socket()
    real.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        real.bind(("127.0.0.1", port))
    except OSError:
        real.close()
        raise
    real.listen(8)
    real.setblocking(False)
    return real


def datagrams(port: int) -> socket.socket:
    """A UDP socket. Raises OSError when the port is taken."""
    real = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        real.bind(("127.0.0.1", port))
    except OSError:
        real.close()
        raise
    real.setblocking(False)
    return real
