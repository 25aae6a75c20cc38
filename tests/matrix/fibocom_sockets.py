"""The sockets of a program for Fibocom L610 modules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from matrix.host import GUARD_S, OK, Connection, Listening

if TYPE_CHECKING:
    from matrix.fibocom import FibocomHost

TCP, UDP, TLS = 0, 1, 2
BLOCK_BYTES = 1024
"""A block of hexadecimal digits (1.1.6)."""
PROMPTED_BYTES = 2048
IN_WINDOW_BYTES = 16 * BLOCK_BYTES
"""So much may be on its way to an echo server and back: more would be a program that never reads."""
DATAGRAM = re.compile(r"\+MIPRUDP: ([\d.]+),(\d+),(\d),0,([0-9A-F]*)")


class FibocomConnection(Connection):
    """A TCP socket."""

    def __init__(self, host: FibocomHost, number: int, form: str) -> None:
        self._host, self._line, self._number, self._form = host, host.line, number, form
        self.escapable = form == "online"

    def send(self, data: bytes) -> None:
        if self._form == "online":
            self._line.say(data)
            return
        size = PROMPTED_BYTES if self._form == "prompted" else BLOCK_BYTES
        for at in range(0, len(data), size):
            self._block(data[at : at + size])

    def _block(self, block: bytes) -> None:
        """Once more when the module says that it takes no more for now (1.1.19)."""
        while True:
            said = self._prompted(block) if self._form == "prompted" else self._digits(block)
            if said == f"+MIPSEND: {self._number},1,2048":
                self._host.event(f"+MIPXON: {self._number}", limit_s=30)
                continue
            free = 2048 if self._form == "prompted" else 2048 - len(block)
            assert said == f"+MIPSEND: {self._number},0,{free}", said
            break
        if self._form != "prompted":
            while (said := self._host.command(f"AT+MIPPUSH={self._number}")) == f"+MIPPUSH: {self._number},1":
                self._host.event(f"+MIPXON: {self._number}", limit_s=30)
            assert said == f"+MIPPUSH: {self._number},0", said

    def _digits(self, block: bytes) -> str:
        return self._host.command(f'AT+MIPSEND={self._number},"{block.hex().upper()}"')

    def _prompted(self, block: bytes) -> str:
        self._host.answer(f"AT+MIPSEND={self._number},{len(block)}", end=">")
        self._line.say(block)
        said = self._host.lines_until(f"+MIPSEND: {self._number},")
        assert said[0] == "OK", said
        assert self._host.lines_until("OK") == ["OK"]
        return said[-1]

    def expect(self, data: bytes) -> None:
        online = self._form == "online"
        got = self._line.take(len(data)) if online else self._host.received(self._number, len(data))
        assert got == data, f"{got[:200]!r} is not {data[:200]!r}"

    def exchange(self, data: bytes) -> None:
        if self._form == "online":
            assert self._line.stream(data, data) == data
            return
        for at in range(0, len(data), IN_WINDOW_BYTES):
            self.send(data[at : at + IN_WINDOW_BYTES])
            self.expect(data[at : at + IN_WINDOW_BYTES])

    def close(self) -> None:
        if self._form == "online":
            assert self._line.silent_for(GUARD_S) == b""
            self._line.say(b"+++")
            self._host.hear(OK)
        self._host.closed(self._number)

    def closed_by_peer(self) -> None:
        assert self._host.event("+MIPSTAT:") == f"+MIPSTAT: {self._number},1"

    reset_by_peer = closed_by_peer


class FibocomDatagrams(Connection):
    """A UDP socket: what one +MIPPUSH sends is a datagram (1.1.7)."""

    def __init__(self, host: FibocomHost, number: int, peer: tuple[str, int] | None = None) -> None:
        self._host, self._number, self._peer = host, number, peer

    def send(self, data: bytes) -> None:
        self._host.command(f'AT+MIPSEND={self._number},"{data.hex().upper()}"')
        assert self._host.command(f"AT+MIPPUSH={self._number}") == f"+MIPPUSH: {self._number},0"

    def send_to(self, data: bytes, peer: tuple[str, int]) -> None:
        """To a peer that is named with it (1.1.7)."""
        self._host.command(f'AT+MIPSEND={self._number},"{data.hex().upper()}"')
        said = self._host.command(f'AT+MIPPUSH={self._number},"{peer[0]}",{peer[1]}', limit_s=10)
        assert said == f"+MIPPUSH: {self._number},0"

    def expect(self, data: bytes) -> None:
        self.expect_from(data, self._peer)

    def expect_from(self, data: bytes, peer: tuple[str, int] | None) -> None:
        """A datagram of a peer, or of anybody."""
        match = DATAGRAM.fullmatch(self._host.event("+MIPRUDP:"))
        assert match and int(match[3]) == self._number
        assert bytes.fromhex(match[4]) == data
        assert peer in (None, (match[1], int(match[2]))), match[0]

    def close(self) -> None:
        self._host.closed(self._number)

    def closed_by_peer(self) -> None:
        raise AssertionError("nobody closes a UDP socket")

    reset_by_peer = closed_by_peer


class FibocomListening(Listening):
    """A listening socket becomes the connection (1.1.2, F12)."""

    def __init__(self, host: FibocomHost, number: int, protocol: int) -> None:
        self._host, self._number, self._protocol = host, number, protocol

    def accepted(self) -> Connection:
        if self._protocol == UDP:
            self._host.told.appendleft(self._host.event("+MIPRUDP:"))
            return FibocomDatagrams(self._host, self._number)
        said = self._host.event(f"+MIPOPEN: {self._number},", limit_s=30)
        assert re.fullmatch(rf"\+MIPOPEN: {self._number},1,[\d.]+,\d+", said), said
        return FibocomConnection(self._host, self._number, "digits")

    def stop(self) -> None:
        self._host.closed(self._number)
