"""Stack and bearers: +WIPCFG and +WIPBR (chapter 4)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, count, number
from standin.reply import LATER, Reply

if TYPE_CHECKING:
    from standin.module import Module

START_S = 0.05
GSM, GPRS = 5, 6
BIDS = {1, 2, 4, GSM, GPRS, 11, 12, 13, 14, 21, 22, 23, 24}

STACK_RANGES = {
    0: (0, 255), 1: (0, 255), 2: (1, 65535), 3: (0, 65535), 4: (536, 1460), 5: (0, 3), 12: (0, 100), 13: (0, 1),
    14: (0, 1), 15: (1, 32000), 16: (1, 64), 17: (1, 12), 20: (0, 1),
}  # fmt: skip
"""Options of +WIPCFG that can be set (4.1.3)."""
TEXT_LIMITS = {0: 50, 1: 50, 2: 32, 11: 96, 15: 15, 16: 15, 17: 15, 18: 15, 25: 15, 26: 15}
NUMBER_RANGES = {
    5: (0, 65535), 6: (0, 1), 7: (0, 1), 8: (0, 1), 9: (0, 1), 10: (0, 1), 12: (1, 4), 13: (0, 1), 14: (0, 1),
    19: (0, 1), 20: (0, 1), 21: (300, 1200), 22: (0, 1), 23: (0, 1), 27: (0, 1), 28: (0, 1), 29: (0, 1),
}  # fmt: skip
"""Options of +WIPBR (4.2.3)."""
ADDRESSES = {15: "10.1.2.3", 16: "10.1.2.254", 17: "10.9.9.1", 18: "10.9.9.2", 25: "255.255.255.0", 26: "10.1.2.1"}
"""What a started bearer was given."""


@dataclass
class Bearer:
    """An open bearer."""

    started: bool = False
    options: dict[int, str] = field(default_factory=dict)


class Bearers:
    """See the module's text."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.stack = False
        self.settings = dict.fromkeys(STACK_RANGES, 0)
        self.open: dict[int, Bearer] = {}
        self.outcomes: list[int | str | None] = []
        """How the next starts end: a code, a result in words, None for success."""

    @property
    def up(self) -> bool:
        """Whether there is an address."""
        return any(bearer.started for bearer in self.open.values())

    def lost(self) -> None:
        """The network took it away."""
        bids = [bid for bid, bearer in self.open.items() if bearer.started]
        for bid in bids:
            self.open[bid].started = False
        if self._module.habits.bearer_loss == "sockets":
            self._module.sockets.cut()
        elif self._module.habits.bearer_loss == "event" and bids:
            self._module.unsolicited(f"+WIPBR: {bids[0]},0")

    # -- +WIPCFG -------------------------------------------------------------------------------------------------------

    def read_wipcfg(self) -> Reply:
        if not self.stack:
            raise Refused(852)
        return [f"+WIPCFG: {option},{value}" for option, value in sorted(self.settings.items())]

    def set_wipcfg(self, values: list[Argument]) -> Reply:
        mode = number(values, 0, 0, 4)
        if mode == 1:
            count(values, 1)
            if self.stack:
                raise Refused(844)
            self.stack = True
        elif mode == 3:
            return ["WIP Soft v557 on Open AT OS v640", "Nov 29 2014 17:26:28"]
        elif mode == 4:
            number(values, 1, 0, 1)
        elif not self.stack:
            raise Refused(852)
        elif mode == 0:
            self.stack = False
            self._module.sockets.forget_all()
            self.open.clear()
        else:
            option = number(values, 1)
            count(values, 3)
            if option not in STACK_RANGES:
                raise Refused(800)
            self.settings[option] = number(values, 2, *STACK_RANGES[option])
        return None

    # -- +WIPBR --------------------------------------------------------------------------------------------------------

    def read_wipbr(self) -> Reply:
        if not self.stack:
            raise Refused(803)
        name = "+WIPBR: " if self._module.habits.bearer_lines == "named" else ""
        return [f"{name}{bid},{int(bearer.started)}" for bid, bearer in sorted(self.open.items())]

    def set_wipbr(self, values: list[Argument]) -> Reply:
        if not self.stack:
            raise Refused(803)
        command, bid = number(values, 0, 0, 6), number(values, 1)
        if bid not in BIDS:
            raise Refused(800)
        if bid not in (GSM, GPRS):
            raise Refused(805)
        bearer = self.open.get(bid)
        if command == 1:
            count(values, 2)
            if bearer is not None:
                raise Refused(804)
            self.open[bid] = Bearer()
            return None
        if bearer is None:
            raise Refused(803)
        match command:
            case 0:
                count(values, 2)
                if bearer.started:
                    raise Refused(803)
                del self.open[bid]
            case 2:
                self._set(bid, bearer, values)
            case 3:
                return [self._read(bid, bearer, number(values, 2))]
            case 4:
                return self._start(bid, bearer, values)
            case 5:
                if not bearer.started:
                    raise Refused(803)
                bearer.started = False
                self._module.sockets.forget_all()
            case 6:
                number(values, 2, 0, 1)
        return None

    def _set(self, bid: int, bearer: Bearer, values: list[Argument]) -> None:
        count(values, 4)
        option, value = number(values, 2), values[3]
        if option in TEXT_LIMITS:
            if len(value.text) > TEXT_LIMITS[option]:
                raise Refused(801)
            if not value.quoted and value.text:
                self._module.record.complain(f"a text without quotes: option {option} of +WIPBR")
        elif option in NUMBER_RANGES:
            number(values, 3, *NUMBER_RANGES[option])
        else:
            raise Refused(800)
        if option == 16 and bid == GPRS:
            raise Refused(806)
        bearer.options[option] = value.text

    def _read(self, bid: int, bearer: Bearer, option: int) -> str:
        habits = self._module.habits
        if option in ADDRESSES:
            if option == 16 and bid == GPRS and not habits.gprs_peer:
                raise Refused(800)
            address = ADDRESSES[option] if bearer.started else "0.0.0.0"
            return f'+WIPBR: {bid},{option},"{address}"' if habits.quoted_values else f"+WIPBR: {bid},{option},{address}"
        value = bearer.options.get(option, "")
        if option in TEXT_LIMITS:
            return f'+WIPBR: {bid},{option},"{value}"'
        if option not in NUMBER_RANGES:
            raise Refused(800)
        return f"+WIPBR: {bid},{option},{value or 0}"

    def _start(self, bid: int, bearer: Bearer, values: list[Argument]) -> Reply:
        mode = number(values, 2, 0, 1, missing=851)  # X24
        if mode == 0:
            count(values, 3)
        if bearer.started:
            raise Refused(804)
        if self.up:
            raise Refused(803)
        if bid == GSM and not re.fullmatch(r"[0-9*#+]+", bearer.options.get(2, "")):
            raise Refused(801)
        self._module.busy(f"+WIPBR=4,{bid}")
        self._module.later(START_S, lambda: self._started(bid))
        return LATER

    def _started(self, bid: int) -> None:
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is None:
            self.open[bid].started = True
            self._module.done()
        elif isinstance(outcome, int):
            self._module.done(error=outcome)
        else:
            self._module.done(result=outcome)
