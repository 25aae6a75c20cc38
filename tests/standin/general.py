"""What is not +WIP: the line's own settings, the commands that hosts pass through, the text of a message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.reply import LATER, Mode, Reply

if TYPE_CHECKING:
    from standin.line import Line

SMS_S = 0.1
CREG = "+CREG: 0,1"


class General:
    """See the module's text."""

    def __init__(self, module: Line) -> None:
        self._module = module
        self.echo = self.verbose = True
        self.quiet = self.error_codes = False
        for name, digit in re.findall(r"([EVQ])(\d)", module.habits.profile):
            self.basic(name, int(digit))
        self.message = b""
        """The text of the last message that was typed."""
        self._typed = bytearray()

    def basic(self, name: str, value: int) -> list[str]:
        """A command of one letter; its information lines."""
        match name:
            case "E":
                self.echo = bool(value)
            case "V":
                self.verbose = bool(value)
            case "Q":
                self.quiet = bool(value)
            case "I":
                return ["WAVECOM MODEM", "MULTIBAND  900E  1800"]
            case "&C" | "&D" | "&K" | "&W" | "H" | "X":
                pass
            case _:
                raise Refused(3)
        return []

    def nothing_to_say(self) -> Reply:
        """The answer of test and read forms that have nothing to say (X18)."""
        match self._module.habits.test_answer:
            case "ERROR":
                raise Refused
            case "NONE":
                self._module.say_line("NONE")
                return LATER
        return None

    def set_cmee(self, values: list[Argument]) -> Reply:
        self.error_codes = number(values, 0, 0, 1) == 1
        return None

    def read_cmee(self) -> Reply:
        return [f"+CMEE: {int(self.error_codes)}"]

    def act_csq(self) -> Reply:
        return ["+CSQ: 20,0"]

    def act_cgmi(self) -> Reply:
        return ["WAVECOM MODEM"]

    def act_cgsn(self) -> Reply:
        return ["354678010000019"]

    def read_creg(self) -> Reply:
        return [CREG]

    def set_creg(self, values: list[Argument]) -> Reply:
        if number(values, 0, 0, 2):
            self._module.later(0.02, lambda: self._module.unsolicited("+CREG: 1"))
        return None

    def read_cgatt(self) -> Reply:
        return ["+CGATT: 1"]

    def read_cops(self) -> Reply:
        return ["+COPS: 0,2,20801"]

    def test_cops(self) -> Reply:
        return ['+COPS: (2,"A; B","A","20801"),(1,"C","C","20810")']

    def read_cpin(self) -> Reply:
        """Without a result (2.2), unless this one has it."""
        if self._module.habits.cpin_result:
            return ["+CPIN: READY"]
        self._module.say_line("+CPIN: READY")
        return LATER

    def set_cmgf(self, _values: list[Argument]) -> Reply:
        return None

    def set_cmgl(self, _values: list[Argument]) -> Reply:
        return ['+CMGL: 1,"REC READ","+33612345678",,"26/01/01,12:00:00+04"', "OK then", "+WIPDATA: 2,1,5"]

    def set_cmgs(self, _values: list[Argument]) -> Reply:
        self._module.mode = Mode.PROMPT
        self._typed.clear()
        self._module.say(b"\r\n> ")
        return LATER

    def typed(self, data: bytes) -> bytes:
        """Text behind the prompt: Ctrl-Z sends it, ESC does not; what stands behind either."""
        at = next((at for at, key in enumerate(data) if key in (0x1A, 0x1B)), len(data))
        self._module.say(data[: at + 1] if self.echo else b"")
        self._typed += data[:at]
        if at == len(data):
            return b""
        self._module.mode = Mode.COMMAND
        if data[at] == 0x1B:
            self._module.done()
        else:
            self.message = bytes(self._typed)
            self._module.busy("+CMGS")
            self._module.later(SMS_S, lambda: self._module.done("+CMGS: 5"))
        return data[at + 1 :]
