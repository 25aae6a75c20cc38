"""The commands of every module, as this one answers them."""

from __future__ import annotations

from standin.arguments import Argument, number
from standin.general import General
from standin.line import Line
from standin.reply import Reply


class MipGeneral(General):
    """See the module's text."""

    def __init__(self, module: Line) -> None:
        self.contexts: dict[int, str] = {}
        super().__init__(module)

    def basic(self, name: str, value: int) -> list[str]:
        if name == "I":
            return ["Fibocom", "L610", "V1.0.0"]
        return super().basic(name, value)

    def set_cmee(self, values: list[Argument]) -> Reply:
        self.error_codes = number(values, 0, 0, 2) > 0
        return None

    def act_cgmi(self) -> Reply:
        return ['+CGMI: "Fibocom"']

    def read_cgreg(self) -> Reply:
        return ["+CGREG: 0,1"]

    def read_cereg(self) -> Reply:
        return ["+CEREG: 0,1"]

    def set_cgreg(self, _values: list[Argument]) -> Reply:
        return None

    def set_cereg(self, _values: list[Argument]) -> Reply:
        return None

    def set_cgdcont(self, values: list[Argument]) -> Reply:
        self.contexts[number(values, 0, 1, 16)] = values[2].text if len(values) > 2 else ""
        return None

    def read_cgdcont(self) -> Reply:
        return [f'+CGDCONT: {cid},"IP","{apn}","",0,0' for cid, apn in sorted(self.contexts.items())]
