"""One of the six sockets, with a real one of loopback behind it."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field

from standin.sockets import Being, give_back

HELD_LIMIT_BYTES = 16384
UDP_HELD_LIMIT = 64


@dataclass(eq=False, slots=True)
class MipSocket:
    """``asks`` is what the host asked to connect with, ``peer`` who is at the other end."""

    number: int
    is_udp: bool
    being: Being = Being.READY
    real: socket.socket | None = None
    asks: tuple[str, int] | None = None
    peer: tuple[str, int] | None = None
    is_listener: bool = False
    is_closing: bool = False
    """The host has closed it, and +MIPCLOSE was not said yet."""
    is_online: bool = False
    gathered: bytearray = field(default_factory=bytearray)
    """The accumulating buffer; ``to_send`` is below it."""
    to_send: bytearray = field(default_factory=bytearray)
    received: bytearray = field(default_factory=bytearray)
    datagrams: list[tuple[bytes, tuple[str, int]]] = field(default_factory=list)
    watermark_bytes: int = 2048
    push_ms: int = 0
    arrivals: int = 0
    """How often data came; a push by time-out looks whether it is still the last."""
    output_bytes: int = 2048
    sends: int = 0
    sent_bytes: int = 0
    is_off: bool = False
    """+MIPXOFF was said."""
    announced: int = 0
    """How many of the bytes that wait to be read were told."""
    peer_ended: bool = False
    was_reset: bool = False
    close_told: bool = False
    answers: bool = False
    """The result of its +MIPOPEN waits for it."""

    @property
    def reads(self) -> bool:
        """Whether it wants what the network has."""
        if self.real is None or self.peer_ended:
            return False
        if self.being is Being.WAITING:
            return self.is_listener
        if self.being is not Being.READY:
            return False
        if self.is_udp:
            return len(self.datagrams) < UDP_HELD_LIMIT
        return len(self.received) < HELD_LIMIT_BYTES

    @property
    def writes(self) -> bool:
        """Whether it has something for the network."""
        return self.real is not None and (self.being is Being.OPENING or bool(self.to_send))

    def drop(self, *, reset: bool = False) -> None:
        """Give the real socket back, with what still is to be sent; ``reset``: at once."""
        real, self.real = self.real, None
        if real is not None:
            give_back(real, self.to_send, reset=reset)
