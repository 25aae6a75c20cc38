"""From the host to the network: +MIPSEND, +MIPPUSH, +MIPFLUSH, +MIPSETS (1.1.4 to 1.1.8, 1.2)."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.mip.sockets import MipSocket
from standin.reply import LATER, Mode, Reply
from standin.sockets import Being

if TYPE_CHECKING:
    from standin.mip.module import MipModule

DENIED, NOT_SUPPORTED, PARAMETER, TOO_LONG, NOT_OPENED = 3, 4, 2000, 2006, 2024
BUFFER_BYTES = 2048
INLINE_BYTES = 1024
DONE, OFF, NOTHING = 0, 1, 2
_DIGITS = re.compile(r"(?:[0-9A-Fa-f]{2})+")


class Sending:
    """See the module's text."""

    def __init__(self, module: MipModule) -> None:
        self._module = module
        self.prompted: MipSocket | None = None
        self._typed = bytearray()
        self._length: int | None = None
        self._turns = 0

    # -- the accumulating buffer ---------------------------------------------------------------------------------------

    def free(self, each: MipSocket) -> int:
        """Room in the accumulating buffer."""
        return BUFFER_BYTES - len(each.gathered)

    def _is_over(self, each: MipSocket) -> bool:
        """Whether the buffer goes out by itself."""
        return len(each.gathered) > each.watermark_bytes - int(self._module.habits.pushes_at_watermark)

    def _off(self, each: MipSocket) -> None:
        if not each.is_off:
            each.is_off = True
            self._module.unsolicited(f"+MIPXOFF: {each.number}")

    def room(self, each: MipSocket) -> None:
        """The stack has taken something: go on."""
        if each.is_off and len(each.to_send) <= self._module.habits.stack_bytes // 2:
            self._on(each)

    def _on(self, each: MipSocket) -> None:
        if not each.is_off or self._module.sockets.all.count(each) == 0:
            return
        each.is_off = False
        if self._is_over(each):
            self._push(each)
        self._module.unsolicited(f"+MIPXON: {each.number}")

    def _store(self, each: MipSocket, data: bytes) -> int:
        """Into the accumulating buffer; the status."""
        habits = self._module.habits
        each.sends += 1
        if habits.xoff_every and each.sends % habits.xoff_every == 0:
            self._off(each)
            self._module.later(habits.xon_delay_s, lambda: self._on(each))
        if each.is_off:
            return OFF
        if len(data) > self.free(each):
            if each.gathered:
                self._module.record.complain(f"{len(data)} bytes for a room of {self.free(each)}")
            self._off(each)
            self._module.later(habits.xon_delay_s, lambda: self._on(each))
            return OFF
        each.gathered += data
        each.arrivals += 1
        if self._is_over(each):
            self._push(each)
        elif each.push_ms:
            arrivals = each.arrivals
            self._module.later(each.push_ms / 1000, lambda: self._due(each, arrivals))
        return DONE

    def _due(self, each: MipSocket, arrivals: int) -> None:
        if each.arrivals == arrivals and each.gathered and each in self._module.sockets.all:
            self._push(each)

    def _push(self, each: MipSocket, target: tuple[str, int] | None = None) -> int:
        """Into the stack; the status."""
        if not each.gathered:
            return NOTHING
        if each.is_udp:
            each.peer = target or each.peer
            if each.peer is None:
                raise Refused(PARAMETER)
            assert each.real is not None
            with suppress(OSError):
                each.real.sendto(bytes(each.gathered), each.peer)
            each.gathered.clear()
            return DONE
        if len(each.to_send) + len(each.gathered) > self._module.habits.stack_bytes:
            self._off(each)
            return OFF
        each.to_send += each.gathered
        each.gathered.clear()
        return DONE

    # -- commands ------------------------------------------------------------------------------------------------------

    def _socket(self, values: list[Argument]) -> MipSocket:
        self._module.bearers.required()
        each = self._module.sockets.find(self._module.sockets.id_of(values))
        if each.is_listener and each.peer is None:
            self._module.record.complain("data for a listener that nobody has called")
            raise Refused(DENIED)
        if each.is_online:
            self._module.record.complain("a buffer command for a socket of online data mode")
            raise Refused(DENIED)
        if each.being is not Being.READY or each.close_told:
            raise Refused(NOT_OPENED)
        return each

    def read_mipsend(self) -> Reply:
        return [f"+MIPSEND: {each.number},{self.free(each)}" for each in self._module.sockets.all] or ["+MIPSEND: 0"]

    def set_mipsend(self, values: list[Argument]) -> Reply:
        each = self._socket(values)
        if len(values) > 2:
            self._module.record.complain(f"+MIPSEND with {len(values)} values")
            raise Refused(PARAMETER)
        if len(values) == 2 and values[1].quoted:
            return self._inline(each, values[1].text)
        if not self._module.habits.has_prompt:
            raise Refused(NOT_SUPPORTED)
        self._length = None
        if len(values) == 2:
            if not values[1].text.isdigit():
                self._module.record.complain(f"data without quotes: {values[1].text[:20]!r} (F21)")
            self._length = number(values, 1, 0, BUFFER_BYTES, code=TOO_LONG)
        return self._ask(each)

    def _inline(self, each: MipSocket, digits: str) -> Reply:
        if not _DIGITS.fullmatch(digits):
            self._module.record.complain(f"no digits: {digits[:20]!r}")
            raise Refused(PARAMETER)
        data = bytes.fromhex(digits)
        if len(data) > INLINE_BYTES:
            self._module.record.complain(f"{len(data)} bytes in one +MIPSEND (F18)")
            raise Refused(TOO_LONG)
        status = self._store(each, data)
        return [f"+MIPSEND: {each.number},{status},{self.free(each)}"]

    def _ask(self, each: MipSocket) -> Reply:
        """The prompt."""
        self._module.mode = Mode.PROMPT
        self.prompted = each
        self._typed.clear()
        self._turns += 1
        turn = self._turns
        if self._module.habits.prompt_answer == "ok_prompt":
            self._module.result("OK")
        self._module.say(self._module.habits.prompt)
        self._module.later(self._module.stored["SENDTIME"], lambda: self._timeout(turn))
        if self._length == 0:
            self._finish()
        return LATER

    def _timeout(self, turn: int) -> None:
        if self.prompted is not None and turn == self._turns:
            self._module.record.complain("nothing ended the data before SENDTIME")
            self._finish()

    def typed(self, data: bytes) -> bytes:
        """Data behind the prompt; what stands behind their end."""
        if self._length is None:
            at = data.find(b"\x1a")
            self._typed += data if at < 0 else data[:at]
            if at >= 0:
                self._finish()
                return data[at + 1 :]
            return b""
        missing = self._length - len(self._typed)
        self._typed += data[:missing]
        if len(self._typed) == self._length:
            self._finish()
        return data[missing:]

    def _finish(self) -> None:
        each, self.prompted = self.prompted, None
        assert each is not None
        module, habits = self._module, self._module.habits
        module.mode = Mode.COMMAND
        data = bytes(self._typed)
        if each not in module.sockets.all or each.being is not Being.READY:
            module.busy("prompt")
            module.done(error=NOT_OPENED)
            return
        module.busy("+MIPSEND")
        if len(data) > BUFFER_BYTES:
            module.record.complain(f"{len(data)} bytes behind a prompt")
        status = self._store(each, data) if data else NOTHING
        if status == DONE and each.gathered:
            status = self._push(each)
        push = f"+MIPPUSH: {each.number},{status}" + (f",{len(data)}" if habits.push_length else "")
        send = f"+MIPSEND: {each.number},{status},{self.free(each)}"
        lines = [send] if each.is_udp else [push, send]
        match habits.prompt_answer:
            case "printed":
                module.result("OK")
                module.done(*lines)
            case "push" | "send":
                module.done()
                module.say_line(module.spaced(push if habits.prompt_answer == "push" else send))
            case _:
                module.done(*lines)

    def test_mippush(self) -> Reply:
        return ["+MIPPUSH: (1-6),(<IP>),(0-65535)"]

    def read_mippush(self) -> Reply:
        return self._module.sockets.listed("+MIPPUSH", self._module.sockets.active)

    def set_mippush(self, values: list[Argument]) -> Reply:
        each = self._socket(values)
        target = None
        if len(values) not in (1, 3) or (len(values) == 3 and not each.is_udp):
            self._module.record.complain(f"+MIPPUSH with {len(values)} values")
            raise Refused(PARAMETER)
        if len(values) == 3:
            if not values[1].quoted:
                self._module.record.complain("+MIPPUSH: an address without quotes")
            try:
                socket.inet_aton(values[1].text)
            except OSError:
                self._module.record.complain(f"+MIPPUSH: no address: {values[1].text!r}")
                raise Refused(PARAMETER) from None
            target = (values[1].text, number(values, 2, 0, 65535, code=PARAMETER))
        size = len(each.gathered)
        status = self._push(each, target)
        length = f",{size}" if self._module.habits.push_length and status == DONE else ""
        return [f"+MIPPUSH: {each.number},{status}{length}"]

    def test_mipflush(self) -> Reply:
        return ["+MIPFLUSH: (1-6)"]

    def read_mipflush(self) -> Reply:
        return self._module.sockets.listed("+MIPFLUSH", self._module.sockets.active)

    def set_mipflush(self, values: list[Argument]) -> Reply:
        each = self._socket(values)
        each.gathered.clear()
        return [f"+MIPFLUSH: {each.number}"]

    def test_mipsets(self) -> Reply:
        return ["+MIPSETS: (1-6),(1-2048),(0-1000)"]

    def read_mipsets(self) -> Reply:
        return [
            f"+MIPSETS: {each.number},{each.watermark_bytes},{each.push_ms}" for each in self._module.sockets.all
        ] or ["+MIPSETS: 0"]

    def set_mipsets(self, values: list[Argument]) -> Reply:
        each = self._socket(values)
        size = number(values, 1, 1, BUFFER_BYTES, code=PARAMETER)
        pause_ms = number(values, 2, 0, 1000, code=PARAMETER, default=0)
        if each.gathered:
            self._module.record.complain("+MIPSETS with data in the buffer (1.1.4.1)")
            raise Refused(DENIED)
        each.watermark_bytes, each.push_ms = size, pause_ms
        return ["+MIPSETS: 0"]
