"""Data as hexadecimal digits in command mode: +WIPDATA mode 3 and +WIPDATARW (6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.reply import LATER, Reply
from standin.sockets import TCP, UDP, Socket

if TYPE_CHECKING:
    from standin.module import Module

BLOCK_BYTES = 200
SEND_LIMIT_BYTES = 5840


class Offline:
    """One session at a time, on one socket."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._socket: Socket | None = None
        self._written = bytearray()

    def forget(self, each: Socket) -> None:
        """A socket was closed."""
        if self._socket is each:
            self._socket = None

    def begin(self, each: Socket) -> Reply:
        """+WIPDATA mode 3."""
        if self._socket is not None or not self._module.habits.reads_offline:
            raise Refused(831 if self._socket else 834)
        self._socket = each
        self._written.clear()
        self._module.done(f"+WIPDATARW: 1,{each.index}")
        return LATER

    def set_wipdatarw(self, values: list[Argument]) -> Reply:
        command, index = number(values, 0, 0, 3), number(values, 1, 1, 8, code=830)
        each = self._socket
        if each is None or each.index != index:
            raise Refused(831)
        if command == 0:
            self._socket = None
            return [f"+WIPDATARW: 0,{index}"]
        try:
            data = bytes.fromhex(values[2].text)
        except (ValueError, IndexError):
            raise Refused(801) from None
        if len(data) > BLOCK_BYTES or len(self._written) + len(data) > SEND_LIMIT_BYTES:
            raise Refused(853)
        self._written += data
        if command == 2:
            return None
        size = len(self._written)
        if each.protocol == TCP:
            each.to_send += self._written
        elif each.real is not None and each.peer is not None:
            each.real.sendto(bytes(self._written), each.peer)
        self._written.clear()
        lines = [f"+WIPDATARW: 3,{index},{size}"]
        if command == 3:
            self._socket = None
            lines.append(f"+WIPDATARW: 0,{index}")
        return lines

    def pump(self, each: Socket) -> bool:
        """Tell what came for the socket, if the session is its."""
        if self._socket is not each:
            return False
        each.data_told = False
        while each.datagrams:
            data, (host, port) = each.datagrams.pop(0)
            self._module.unsolicited(f'+WIPDATA: {UDP},{each.index},{len(data)},"{host}",{port}')
            self._blocks(each, data)
        if each.received:
            data = bytes(each.received)
            each.received.clear()
            self._blocks(each, data)
        if each.peer_ended and not each.close_told:
            each.close_told = True
            self._module.unsolicited(f"+WIPPEERCLOSE: {each.protocol},{each.index}")
        return True

    def _blocks(self, each: Socket, data: bytes) -> None:
        blocks = [data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)]
        for position, block in enumerate(blocks, 1):
            dump = block.hex().upper()
            self._module.unsolicited(f'+WIPDATARW: 2,{each.index},{len(blocks)},{position},"{dump}"')
