"""From the network to the host: +MIPRTCP, +MIPRUDP, +MIPREAD, +MIPDSETS, +GTSET (1.1.5, 1.1.9, 1.1.10, 1.1.23, 1.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.mip.sockets import MipSocket
from standin.reply import LATER, Mode, Reply

if TYPE_CHECKING:
    from standin.mip.module import MipModule

DENIED, NOT_SUPPORTED, PARAMETER = 3, 4, 2000
HEADED, RAW, HEADED_RAW, READ = 0, 1, 2, 5


class Receiving:
    """See the module's text."""

    def __init__(self, module: MipModule) -> None:
        self._module = module
        self._turn = 0

    def set_gtset(self, values: list[Argument]) -> Reply:
        habits = self._module.habits
        if len(values) != 2 or not values[0].quoted:
            self._module.record.complain("+GTSET without a quoted name or a value (F33)")
            raise Refused(PARAMETER)
        name = values[0].text.upper()
        if name == "SENDTIME":
            self._module.stored[name] = number(values, 1, 1, 30, code=PARAMETER)
        elif name == "IPRFMT":
            value = number(values, 1, 0, 5, code=PARAMETER)
            if value not in (HEADED, RAW, HEADED_RAW, READ):
                raise Refused(PARAMETER)
            if (value == READ and not habits.has_read_mode) or (value == HEADED_RAW and not habits.has_raw_mode):
                raise Refused(NOT_SUPPORTED)
            self._module.stored[name] = value
        else:
            raise Refused(PARAMETER)
        return None

    # -- told ----------------------------------------------------------------------------------------------------------

    def pump(self, each: MipSocket) -> bool:
        """Tell what came; whether everything is told."""
        module = self._module
        form = module.stored["IPRFMT"]
        if form == READ:
            self._announce(each)
            return not each.received and not each.datagrams
        if module.mode is Mode.DATA or module.is_busy or (module.mode is Mode.PROMPT and not module.habits.prompt_talks):
            return False
        if len(module.port.waiting) > 4096:
            return False
        if each.is_udp:
            while each.datagrams:
                data, (host, port) = each.datagrams.pop(0)
                self._tell(f"+MIPRUDP: {host},{port},{each.number}", data, 0, form)
            return True
        while each.received:
            size = min(each.output_bytes, self._cut())
            data = bytes(each.received[:size])
            del each.received[:size]
            left = len(each.received) if module.habits.left_told else 0
            self._tell(f"+MIPRTCP: {each.number}", data, left, form)
        return True

    def _cut(self) -> int:
        cuts = self._module.habits.cuts
        self._turn += 1
        return cuts[self._turn % len(cuts)] if cuts else 2048

    def _tell(self, head: str, data: bytes, left: int, form: int) -> None:
        module, habits = self._module, self._module.habits
        if form == RAW:
            module.say(data)
            return
        if habits.chatter:
            module.say_line("+CREG: 1")
        if form == HEADED:
            digits = data.hex().upper() if habits.upper else data.hex()
            module.say(b"\r\n" + module.spaced(f"{head},{left},{digits}").encode() + habits.line_end)
            return
        start = module.spaced(f"{head},{len(data)},").encode()
        module.say(b"\r\n" + start + data + (b"\r\n" if habits.raw_stop else b""))

    # -- read ----------------------------------------------------------------------------------------------------------

    def _announce(self, each: MipSocket) -> None:
        waiting = len(each.received) + sum(len(data) for data, _ in each.datagrams)
        told = self._module.habits.read_told
        if waiting > each.announced and (told != "once" or not each.announced):
            name = "+MIPDATA" if told == "data" else "+MIPREAD"
            self._module.unsolicited(f"{name}: {each.number},{waiting}")
        each.announced = waiting

    def read_mipread(self) -> Reply:
        return [
            f"+MIPREAD: {each.number},{waiting}"
            for each in self._module.sockets.all
            if (waiting := len(each.received) + sum(len(data) for data, _ in each.datagrams))
        ]

    def set_mipread(self, values: list[Argument]) -> Reply:
        if self._module.stored["IPRFMT"] != READ:
            self._module.record.complain("+MIPREAD without IPRFMT 5 (1.1.23.1)")
            raise Refused(DENIED)
        each = self._module.sockets.find(self._module.sockets.id_of(values))
        size = number(values, 1, 1, 65535, code=PARAMETER)
        if each.is_udp:
            data = each.datagrams.pop(0)[0][:size] if each.datagrams else b""
        else:
            size = min(size, self._cut())
            data = bytes(each.received[:size])
            del each.received[:size]
        each.announced = len(each.received) + sum(len(data) for data, _ in each.datagrams)
        if not data:
            return [f"+MIPREAD: {each.number},0"]
        head = self._module.spaced(f"+MIPDATA: {each.number},{len(data)}").encode()
        habits = self._module.habits
        self._module.say(b"\r\n" + head + habits.read_separator + data + habits.read_end)
        self._module.busy("+MIPREAD")
        self._module.done()
        return LATER

    # -- +MIPDSETS -----------------------------------------------------------------------------------------------------

    def test_mipdsets(self) -> Reply:
        return ["+MIPDSETS: (1-6),(1-2048),(0-1000)"]

    def read_mipdsets(self) -> Reply:
        return [f"+MIPDSETS: {each.number},{each.output_bytes},0" for each in self._module.sockets.all] or [
            "+MIPDSETS: 0"
        ]

    def set_mipdsets(self, values: list[Argument]) -> Reply:
        each = self._module.sockets.find(self._module.sockets.id_of(values))
        each.output_bytes = number(values, 1, 1, 2048, code=PARAMETER)
        number(values, 2, 0, 1000, code=PARAMETER, default=0)
        return ["+MIPDSETS: 0"]
