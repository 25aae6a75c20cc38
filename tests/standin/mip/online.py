"""Online data mode: +MIPODM, +++ and ATO (1.1.18, 1.1.24)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.mip.sockets import MipSocket
from standin.reply import Mode, Reply

if TYPE_CHECKING:
    from standin.mip.module import MipModule

DENIED, PARAMETER = 3, 2000
WAITING_LIMIT_BYTES = 65536
PIECE_BYTES = 4096


class Online:
    """See the module's text."""

    def __init__(self, module: MipModule) -> None:
        self._module = module
        self.socket: MipSocket | None = None
        self._escapable = True
        self._heard_s = 0.0
        self._signs = 0

    @property
    def full(self) -> bool:
        """Whether no more payload is taken just now."""
        return self.socket is not None and len(self.socket.to_send) > WAITING_LIMIT_BYTES

    @property
    def pause_s(self) -> float | None:
        """When :meth:`tick` has something to decide."""
        if self._signs:
            return max(0.001, self._heard_s + self._module.habits.guard_s - time.monotonic())
        return None

    def test_mipodm(self) -> Reply:
        return ["+MIPODM: (1-6),(0-65535),(<IP/URL>),(0-65535),(0-2,60-62),(0-1)"]

    def read_mipodm(self) -> Reply:
        free = [it for it in range(1, 7) if it not in self._module.sockets.active]
        return self._module.sockets.listed("+MIPODM", free)

    def set_mipodm(self, values: list[Argument]) -> Reply:
        if len(values) not in (5, 6):
            self._module.record.complain(f"+MIPODM with {len(values)} values")
            raise Refused(PARAMETER)
        self._escapable = number(values, 5, 0, 1, code=PARAMETER, default=0) == 0
        return self._module.sockets.open(values[:5], "+MIPODM")

    def opened(self, each: MipSocket) -> None:
        """A socket is open: if it is one of this mode, the port's bytes are its."""
        if not each.is_online:
            return
        self.socket = each
        if self._module.habits.online_entry != "line":
            self._module.result("CONNECT")
        self._module.mode = Mode.DATA
        self._heard_s = time.monotonic()
        self._signs = 0

    def hear(self, data: bytes) -> bytes:
        """Payload."""
        assert self.socket is not None
        now = time.monotonic()
        quiet = now - self._heard_s >= self._module.habits.guard_s - self._module.habits.guard_margin_s
        self._heard_s = now
        if self._escapable and (quiet or self._signs) and self._signs + len(data) <= 3 and not data.strip(b"+"):
            self._signs += len(data)
            return b""
        self.socket.to_send += b"+" * self._signs + data
        self._signs = 0
        return b""

    def tick(self) -> None:
        """The silence behind +++."""
        if not self._signs or time.monotonic() - self._heard_s < self._module.habits.guard_s:
            return
        signs, self._signs = self._signs, 0
        assert self.socket is not None
        if signs == 3:
            self._module.mode = Mode.COMMAND
            self._module.result("OK")
            self._module.release()
        else:
            self.socket.to_send += b"+" * signs

    def pump(self, each: MipSocket) -> bool:
        """Give what came; whether the socket is of this mode and has no more to tell."""
        if not each.is_online:
            return False
        if self.socket is not each:
            return True
        if self._module.mode is Mode.DATA:
            if each.received and len(self._module.port.waiting) < PIECE_BYTES:
                self._module.say(bytes(each.received[:PIECE_BYTES]))
                del each.received[:PIECE_BYTES]
        elif len(each.received) > each.announced:
            each.announced = len(each.received)
            self._module.unsolicited(f"+MIPDATA: {each.number},{each.announced}")
        if each.peer_ended and not each.close_told and not each.received:
            self._module.sockets.tell_end(each)
        return True

    def ended(self, line: str) -> None:
        """The peer of the socket in data mode has gone."""
        self._module.mode = Mode.COMMAND
        self.socket = None
        if self._module.habits.online_end == "no_carrier":
            self._module.result("NO CARRIER")
        self._module.unsolicited(line)
        self._module.release()

    def resume(self) -> None:
        """ATO"""
        if self.socket is None:
            raise Refused(DENIED)
        self._module.result("CONNECT")
        self._module.mode = Mode.DATA
        self._heard_s = time.monotonic()
        self.socket.announced = 0
