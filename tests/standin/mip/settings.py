"""Settings of stack and names: +MIPCONF, +MIPKEEPCONF, +MSDNS (1.1.12, 1.1.13, 1.1.16)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.reply import Reply

if TYPE_CHECKING:
    from standin.mip.module import MipModule

DENIED, PARAMETER = 3, 2000
CONF_RANGES = ((1, 12), (1, 10), (10, 600), (1, 75), (0, 2))
CONF_DEFAULTS = (5, 5, 600, 75, 0)
KEEP_RANGES = ((1, 36000), (1, 750), (1, 50))
KEEP_DEFAULTS = (7200, 65, 9)


class Settings:
    """See the module's text."""

    def __init__(self, module: MipModule) -> None:
        self._module = module
        self.conf = {it: list(CONF_DEFAULTS) for it in range(1, 7)}
        self.keep = [0, *KEEP_DEFAULTS]
        self.names = {it: ["", ""] for it in range(1, 8)}

    def read_mipconf(self) -> Reply:
        return [f"+MIPCONF: {it},{','.join(map(str, values))}" for it, values in self.conf.items()]

    def set_mipconf(self, values: list[Argument]) -> Reply:
        self._module.bearers.required()
        number_of = self._module.sockets.id_of(values)
        if len(values) > 6:
            raise Refused(PARAMETER)
        for at, (low, high) in enumerate(CONF_RANGES):
            conf = self.conf[number_of]
            conf[at] = number(values, at + 1, low, high, code=PARAMETER, default=conf[at])
        return None

    def read_mipkeepconf(self) -> Reply:
        return [f"+MIPKEEPCONF: {','.join(map(str, self.keep))}"]

    def set_mipkeepconf(self, values: list[Argument]) -> Reply:
        mode = number(values, 0, 0, 1, code=PARAMETER)
        if mode == 1 and len(values) != 4:
            self._module.record.complain("+MIPKEEPCONF=1 without its three values")
            raise Refused(PARAMETER)
        self.keep[0] = mode
        for at, (low, high) in enumerate(KEEP_RANGES, 1):
            self.keep[at] = number(values, at, low, high, code=PARAMETER, default=self.keep[at])
        return None

    def read_msdns(self) -> Reply:
        return [f'+MSDNS: {it},"{first}","{second}"' for it, (first, second) in self.names.items()]

    def set_msdns(self, values: list[Argument]) -> Reply:
        number_of = number(values, 0, 1, 7, code=PARAMETER)
        if len(values) > 3:
            raise Refused(PARAMETER)
        for value in values[1:]:
            if not value.quoted:
                self._module.record.complain("+MSDNS: an address without quotes")
            if self._module.network.address(value.text) is None:
                raise Refused(PARAMETER)
        if len(values) == 1:
            self.names[number_of] = ["", ""]
        for at, value in enumerate(values[1:]):
            self.names[number_of][at] = value.text
        return None
