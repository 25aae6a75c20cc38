"""The link: +MIPCALL (1.1.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.reply import Reply

if TYPE_CHECKING:
    from standin.mip.module import MipModule

ADDRESS = "10.1.2.3"
APN_LIMIT, TEXT_LIMIT = 99, 64
DENIED, PARAMETER, NO_CALL = 3, 2000, 2031


class Calls:
    """See the module's text."""

    def __init__(self, module: MipModule) -> None:
        self._module = module
        self.up = False
        self.under_way = False
        self.outcomes: list[int | None] = []
        """How the next calls end: a code, None for success."""
        self.asked: list[list[str]] = []
        """The values of every call."""

    def required(self) -> None:
        """Refuses what needs a link."""
        if self.under_way:
            self._module.record.complain("a command while +MIPCALL is under way (1.1.1.2)")
        if not self.up:
            raise Refused(NO_CALL)

    def test_mipcall(self) -> Reply:
        return ["+MIPCALL: (0-3)"]

    def read_mipcall(self) -> Reply:
        if self.under_way:
            return ["+MIPCALL: 2"]
        return [f"+MIPCALL: 1,{ADDRESS}" if self.up else "+MIPCALL: 0"]

    def set_mipcall(self, values: list[Argument]) -> Reply:
        complain = self._module.record.complain
        if self.under_way:
            complain("+MIPCALL while +MIPCALL is under way")
            raise Refused(DENIED)
        operation = number(values, 0, 0, 3, code=PARAMETER)
        if len(values) > 5 or len(values) == 3:
            complain(f"+MIPCALL with {len(values)} values (F06)")
            raise Refused(PARAMETER)
        self.asked.append([value.text for value in values])
        for value, limit in zip(values[1:4], (APN_LIMIT, TEXT_LIMIT, TEXT_LIMIT), strict=False):
            if not value.quoted and not value.text.isdigit():
                complain(f"+MIPCALL: {value.text!r} without quotes")
            if len(value.text) > limit:
                raise Refused(PARAMETER)
        number(values, 4, 0, 3, code=PARAMETER, default=0)
        if operation == 0:
            if len(values) > 1:
                complain("+MIPCALL=0 with more values")
            return self._answer("+MIPCALL: 0", self._stop)
        if operation != 1:
            raise Refused(DENIED)
        if self.up:
            if self._module.habits.call_twice == "error":
                raise Refused(DENIED)
            return self._answer(f"+MIPCALL: {ADDRESS}", lambda: None)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            if self._module.habits.call_failure == "code":
                raise Refused(outcome)
            return self._answer("+MIPCALL: 0", lambda: None)
        return self._answer(f"+MIPCALL: {ADDRESS}", self._start)

    def _start(self) -> None:
        self.up = True

    def _stop(self) -> None:
        self.up = False
        self._module.sockets.forget_all()

    def _answer(self, line: str, act: Callable[[], None]) -> Reply:
        """OK and the line, in this module's order."""
        self.under_way = True
        order = self._module.habits.call_order

        def ended() -> None:
            self.under_way = False
            act()
            if order == "line_first":
                self._module.done(line)
            elif order == "together":
                self._module.done(behind=line)
            else:
                self._module.unsolicited(line)

        self._module.later(self._module.habits.call_delay_s, ended)
        if order == "ok_first":
            return None
        return self._module.busy("+MIPCALL")

    def lost(self) -> None:
        """The network took the link away."""
        if not self.up:
            return
        self.up = False
        told = self._module.habits.call_loss
        if told in ("both", "call"):
            self._module.unsolicited("+MIPCALL: 0")
        self._module.sockets.cut(told=told != "call")
        if told == "stats_first":
            self._module.unsolicited("+MIPCALL: 0")
