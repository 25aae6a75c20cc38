"""What +WIPFILE moves, as a program for WIPSoft modules gives and takes it (5.57 guide, 6.1)."""

from __future__ import annotations

from support.rig import Terminal

from matrix.edsoft import escape
from matrix.host import OK, Failure, pieces
from matrix.wipsoft import WipsoftHost

ETX, DLE = b"\x03", b"\x10"
OFFLINE_BYTES = 200


def taken(line: Terminal, limit_s: float = 60.0) -> bytes:
    """Payload up to its ETX, without its escapes."""
    got = bytearray()
    while True:
        part = line.until(ETX, DLE, limit_s=limit_s)
        got += part[:-1]
        if part[-1:] == ETX:
            return bytes(got)
        got += line.take(1)


class Moving:
    """+WIPFILE of one session."""

    def __init__(self, host: WipsoftHost) -> None:
        self._host = host

    def opened(self, command: str) -> None:
        """CONNECT. Raises :class:`Failure`."""
        said = self._host.answer(f"AT+WIPFILE={command}", limit_s=60)
        assert said == ["CONNECT"], said

    def fetch(self, command: str) -> bytes:
        """What the module gives behind CONNECT. Raises :class:`Failure`, also where that comes behind a part of it."""
        self.opened(command)
        data = taken(self._host.line)
        self.answered()
        return data

    def give(self, command: str, data: bytes) -> None:
        """What the module takes behind CONNECT, in one go. Raises :class:`Failure`."""
        self.opened(command)
        self._host.line.say(escape(data) + ETX)
        self.answered()

    def give_carelessly(self, command: str, data: bytes) -> None:
        """The same in odd pieces."""
        self.opened(command)
        for piece in pieces(escape(data) + ETX):
            self._host.line.say(piece)
        self.answered()

    def answered(self) -> None:
        """OK, or an error behind an ETX, is what comes next. Raises :class:`Failure`."""
        said = self._host.line.until(OK, b"ERROR", limit_s=60)
        if said != OK:
            assert said.removeprefix(ETX) in (b"\r\nERROR", b"\r\n+CME ERROR"), said
            raise Failure(self._host.code((said + self._host.line.until(b"\r\n")).decode("latin-1").strip()))

    def fetch_offline(self, command: str) -> bytes:
        """By digits, in blocks that are numbered."""
        said = self._host.answer(f"AT+WIPFILE={command}", limit_s=60)
        index = command.split(",")[1]
        assert said == [f"+WIPDATARW: 0,{index}", "OK"], said
        lines = [line for line in self._host.told if line.startswith(f"+WIPDATARW: 2,{index},")]
        for line in lines:
            self._host.told.remove(line)
        return b"".join(bytes.fromhex(line.split('"')[1]) for line in lines)

    def give_offline(self, command: str, data: bytes) -> None:
        """By digits: collected in the buffer, and sent with the last block."""
        index = command.split(",")[1]
        assert self._host.command(f"AT+WIPFILE={command}") == f"+WIPDATARW: 1,{index}"
        blocks = [data[at : at + OFFLINE_BYTES] for at in range(0, len(data), OFFLINE_BYTES)] or [b""]
        for block in blocks[:-1]:
            assert self._host.command(f'AT+WIPDATARW=2,{index},"{block.hex()}"') == ""
        said = self._host.command(f'AT+WIPDATARW=1,{index},"{blocks[-1].hex()}"', limit_s=60)
        assert said == f"+WIPDATARW: 3,{index},{len(data)} | +WIPDATARW: 0,{index}", said
