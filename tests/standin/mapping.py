"""Data mode: +WIPDATA modes 1 and 2, escaped payload both ways, +++ with its guard time (6.2)."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.reply import LATER, Mode, Reply
from standin.sockets import TCP, UDP, Being, Socket

if TYPE_CHECKING:
    from standin.module import Module

ETX, DLE = 3, 16
DATAGRAM_LIMIT_BYTES = 8192
"""6.2.2.2"""
WAITING_LIMIT_BYTES = 65536
PIECE_BYTES = 4096
_ESCAPED = re.compile(rb"\x10(.)|(\x10\Z)|(\x03)", re.DOTALL)


def escape(data: bytes) -> bytes:
    """DLE before DLE and ETX (6.2.2.4)."""
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


class DataMode:
    """See the module's text."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.socket: Socket | None = None
        self._escaped = True
        self._size_bytes = 1020
        self._wait_s = 0.2
        self._open_dle = b""
        self._datagram = bytearray()
        self._heard_s = 0.0
        self._signs = 0
        """How many + stand alone behind a silence."""

    @property
    def full(self) -> bool:
        """Whether no more payload is taken just now."""
        return self.socket is not None and len(self.socket.to_send) > WAITING_LIMIT_BYTES

    @property
    def pause_s(self) -> float | None:
        """When :meth:`tick` has something to decide."""
        now = time.monotonic()
        if self._signs:
            return max(0.001, self._heard_s + self._module.habits.guard_s - now)
        if self._datagram and not self._escaped:
            return max(0.001, self._heard_s + self._wait_s - now)
        return None

    def set_wipdata(self, values: list[Argument]) -> Reply:
        if not self._module.bearers.stack:
            raise Refused(803)
        protocol = number(values, 0, 1, 9, code=837)
        if protocol not in (UDP, TCP):
            raise Refused(837)
        index = number(values, 1, 1, 8, code=830)
        mode = number(values, 2, 0, 3, missing=851)
        each = self._module.sockets.find(protocol, index)
        if mode == 0:
            if len(values) > 3:
                raise Refused
            return None
        if each is None or each.being in (Being.OPENING, Being.WAITING):
            raise Refused(831)
        if mode == 3:
            return self._module.offline.begin(each)
        if len(values) > 3 and protocol == UDP and mode == 1:
            raise Refused  # S40
        self._size_bytes = number(values, 3, 8, 1460, default=1020)
        self._wait_s = number(values, 4, 1, 100, default=2) / 10
        gone = each.reset or (each.peer_ended and each.close_told and not each.received)
        if gone and self._module.habits.mapping_closed != "shutdown":
            raise Refused(int(self._module.habits.mapping_closed))
        if each.reset:
            raise Refused(843)
        self._module.result("CONNECT 115200" if self._module.habits.connect_rate else "CONNECT")
        self._module.mode, self.socket, self._escaped = Mode.DATA, each, mode == 1
        self._heard_s, self._signs, self._open_dle = time.monotonic(), 0, b""
        self._datagram.clear()
        each.data_told = each.shutdown_told = False
        return LATER

    # -- from the host -------------------------------------------------------------------------------------------------

    def hear(self, data: bytes) -> bytes:
        """Payload; what stands behind the end of data mode."""
        now = time.monotonic()
        habits = self._module.habits
        silence_s, self._heard_s = now - self._heard_s, now
        alone = not data.strip(b"+") and self._signs + len(data) <= 3
        if alone and (self._signs or silence_s >= habits.guard_s - habits.guard_margin_s):
            self._signs += len(data)
            return b""
        signs, self._signs = b"+" * self._signs, 0
        return self._payload(signs + data)

    def _payload(self, data: bytes) -> bytes:
        each = self.socket
        assert each is not None
        if each.ends and data:
            self._module.record.complain(f"{data[:40]!r} behind the ETX of a TCP socket")
        if not self._escaped:
            self._take(data)
            return b""
        at, data, self._open_dle = 0, self._open_dle + data, b""
        plain = bytearray()
        for match in _ESCAPED.finditer(data):
            plain += data[at : match.start()]
            at = match.end()
            if match[1] is not None:
                plain += match[1]
                if match[1] not in (b"\x03", b"\x10"):
                    self._module.record.complain(f"DLE before {match[1]!r}")
            elif match[2] is not None:
                self._open_dle = match[2]
            else:
                self._take(bytes(plain))
                plain.clear()
                if self._etx(each):
                    return data[at:]
        self._take(bytes(plain) + data[at:])
        return b""

    def _take(self, plain: bytes) -> None:
        each = self.socket
        assert each is not None
        if each.protocol == TCP:
            each.to_send += plain if not each.ends else b""
            return
        self._datagram += plain
        limit = DATAGRAM_LIMIT_BYTES if self._escaped else self._size_bytes
        while len(self._datagram) >= limit:
            if self._escaped:
                self._module.record.complain(f"a datagram of {limit} bytes or more")
            self._send(limit)

    def _etx(self, each: Socket) -> bool:
        """A datagram's end, or the end of the sending direction; whether data mode ends by it."""
        if each.protocol == UDP:
            self._send(len(self._datagram))
            leaves = self._module.habits.udp_etx_leaves
        else:
            if each.ends:
                self._module.record.complain("a second ETX")
            each.ends = True
            leaves = self._module.habits.tcp_etx_leaves
        if leaves:
            self._leave("OK")
        return leaves

    def _send(self, size: int) -> None:
        each = self.socket
        assert each is not None
        data, self._datagram = bytes(self._datagram[:size]), self._datagram[size:]
        if not data:
            return
        if each.peer is None or each.real is None:
            self._module.record.complain("a datagram for nobody")
            return
        with suppress(OSError):  # what nobody takes is lost, as datagrams are
            each.real.sendto(data, each.peer)

    def tick(self) -> None:
        """Time decides: signs without more were an escape, a pause ends a transparent datagram."""
        each, now = self.socket, time.monotonic()
        if each is None:
            return
        quiet_s = now - self._heard_s
        if self._signs == 3 and quiet_s >= self._module.habits.guard_s:
            if not self._module.bearers.settings[13]:
                self._module.record.complain("+++ goes to the peer: option 13 is 0")
            self._leave("OK")
        elif self._signs and quiet_s >= self._module.habits.guard_s:
            signs, self._signs = b"+" * self._signs, 0
            self._payload(signs)
        elif self._datagram and not self._escaped and quiet_s >= self._wait_s:
            self._send(len(self._datagram))

    def _leave(self, result: str = "") -> None:
        each = self.socket
        assert each is not None
        self._send(len(self._datagram))
        if self._open_dle:
            self._module.record.complain("data mode is left with an open DLE")
        self.socket, self._module.mode, self._signs = None, Mode.COMMAND, 0
        closed = each.protocol == TCP and each.peer_ended and not (each.close_told or each.received)
        line = f"+WIPPEERCLOSE: {each.protocol},{each.index}"
        each.close_told |= closed
        if closed and self._module.habits.close_before_ok:
            self._module.unsolicited(line)
        if result:
            self._module.result(result, framed=True)
        if closed and not self._module.habits.close_before_ok:
            self._module.unsolicited(line)
        self._module.release()

    # -- from the network ----------------------------------------------------------------------------------------------

    def pump(self, each: Socket) -> bool:
        """Give the host what came for the socket, if it is the one that is mapped."""
        if self.socket is not each:
            return False
        space = len(self._module.port.waiting) < PIECE_BYTES * 8
        while each.datagrams and space:
            data, _ = each.datagrams.pop(0)
            self._module.say(escape(data) + b"\x03" if self._escaped else data)
        if each.received and space:
            data = bytes(each.received[:PIECE_BYTES])
            del each.received[: len(data)]
            self._module.say(escape(data) if self._escaped else data)
        if each.peer_ended and space and not (each.received or each.shutdown_told or each.reset):
            each.shutdown_told = True
            said = {"text": b"\r\nSHUTDOWN\r\n", "etx": b"\x03"}
            said |= {"etx_text": said["etx"] + said["text"], "text_etx": said["text"] + said["etx"]}
            self._module.say(said[self._module.habits.shutdown])
            if self._module.bearers.settings[14]:
                self._leave("OK")
        return True

    def was_reset(self, each: Socket) -> bool:
        """Tell the host that its peer has reset, if the socket is the one that is mapped (6.2.5)."""
        if self.socket is not each:
            return False
        how = self._module.habits.reset
        self._module.say(b"\r\nSHUTDOWN\r\n" if how == "text" else b"\x03")
        if how == "etx_code":
            each.close_told = True
            self._leave()
            self._module.error(843)
        return True
