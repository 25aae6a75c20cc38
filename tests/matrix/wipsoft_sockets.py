"""The sockets of a program for WIPSoft modules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matrix.edsoft import escape
from matrix.host import GUARD_S, OK, Connection, Listening, same

if TYPE_CHECKING:
    from matrix.wipsoft import WipsoftHost

UDP, TCP, SERVER, TLS = 1, 2, 3, 9
OFFLINE_BYTES = 200
"""A block of hexadecimal digits (5.57, 6.3.1)."""


class WipsoftConnection(Connection):
    """A socket; payload goes while it is mapped on the line, in one of three modes (6.2, 6.3)."""

    def __init__(self, host: WipsoftHost, protocol: int, number: int, form: str) -> None:
        self._host, self._line, self._protocol, self._number, self._form = host, host.line, protocol, number, form
        self._received = bytearray()
        self._selected = False
        self.escapable = form != "offline"

    def select(self) -> None:
        """Map the socket on the line."""
        mode = {"continuous": 1, "transparent": 2, "offline": 3}[self._form]
        said = self._host.answer(f"AT+WIPDATA={self._protocol},{self._number},{mode}", limit_s=30)
        wanted = [f"+WIPDATARW: 1,{self._number}", "OK"] if self._form == "offline" else ["CONNECT"]
        assert said == wanted, said
        self._selected = True

    def release(self) -> None:
        """Back to AT mode; the socket stays."""
        self._selected = False
        if self._form == "offline":
            said = self._host.command(f"AT+WIPDATARW=0,{self._number}")
            assert said == f"+WIPDATARW: 0,{self._number}", said
            return
        said_before = self._line.silent_for(GUARD_S)
        assert said_before == b"", said_before
        self._line.say(b"+++")
        self._host.hear(OK)

    def _on_line(self, data: bytes) -> bytes:
        if self._form == "transparent":
            return data
        return escape(data) + (b"\x03" if self._protocol == UDP else b"")

    def send(self, data: bytes) -> None:
        if self._form != "offline":
            self._line.say(self._on_line(data))
            return
        for at in range(0, len(data), OFFLINE_BYTES):
            block = data[at : at + OFFLINE_BYTES]
            said = self._host.command(f'AT+WIPDATARW=1,{self._number},"{block.hex().upper()}"')
            assert said == f"+WIPDATARW: 3,{self._number},{len(block)}", said

    def expect(self, data: bytes) -> None:
        if self._form == "offline":
            while len(self._received) < len(data):
                line = self._host.event(f"+WIPDATARW: 2,{self._number},")
                self._received += bytes.fromhex(line.split('"')[1])
            got = bytes(self._received[: len(data)])
            del self._received[: len(data)]
            assert got == data, f"{got[:200]!r} is not {data[:200]!r}"
            return
        wanted = self._on_line(data)
        got = self._line.take(len(wanted))
        assert got == wanted, f"{got[:200]!r} is not {wanted[:200]!r}"

    def exchange(self, data: bytes) -> None:
        if self._form == "offline" or self._protocol == UDP:
            super().exchange(data)
            return
        wanted = self._on_line(data)
        same(self._line.stream(wanted, wanted), wanted)

    def end_sending(self) -> None:
        """ETX: the sending ends, the reading goes on (6.2.2.1)."""
        self._line.say(b"\x03")

    def close(self) -> None:
        if self._selected:
            self.release()
        self._host.closed(self._protocol, self._number)

    def _told_of_end(self) -> None:
        self._host.event(f"+WIPPEERCLOSE: {self._protocol},{self._number}")

    def closed_by_peer(self) -> None:
        """SHUTDOWN, or ETX of the older module; programs send +++ at once (6.2.11.1)."""
        self._selected = False
        if self._form == "continuous":
            self._host.hear(b"\x03" if self._host.older else b"\r\nSHUTDOWN\r\n")
            self._line.say(b"+++")
            self._host.hear(OK)
        self._told_of_end()
        self._host.closed(self._protocol, self._number)

    def reset_by_peer(self) -> None:
        self._host.hear(b"\x03\r\n+CME ERROR: " + self._host.codes["reset"].encode() + b"\r\n")


class WipsoftListening(Listening):
    """A server with two reserved clients, or a UDP socket without a peer (5.1.7)."""

    def __init__(self, host: WipsoftHost, protocol: int) -> None:
        self._host, self._protocol, self._next = host, protocol, 5
        self.stays = protocol == SERVER

    def accepted(self, aside: bool = False) -> WipsoftConnection:
        if self._protocol == UDP:
            self._host.event("+WIPDATA: 1,1,")
            connection = WipsoftConnection(self._host, UDP, 1, "continuous")
        else:
            self._host.event(f"+WIPACCEPT: {'3,' if self._host.older else ''}1,{self._next}")
            connection = WipsoftConnection(self._host, TCP, self._next, "continuous")
            self._next += 1
        if not aside:
            connection.select()
        return connection

    def stop(self) -> None:
        self._host.closed(self._protocol, 1)
