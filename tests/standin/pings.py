"""Echo requests: +WIPPING (chapter 7); the answers are those of the test's network."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.reply import Reply

if TYPE_CHECKING:
    from standin.module import Module


class Pings:
    """See the module's text."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def set_wipping(self, values: list[Argument]) -> Reply:
        if not self._module.bearers.up:
            raise Refused(803)
        host = values[0].text
        repeat = number(values, 1, 1, 65535, default=1)
        interval_ms = number(values, 2, 1, 65535, default=2000)
        limit_ms = number(values, 3, 1, 65535, default=2000)
        network = self._module.network
        if host not in network.echoes and network.address(host) is None:
            raise Refused(819)
        echoes = network.echoes.get(host, [7])
        for position in range(repeat):
            answer_ms = echoes[position % len(echoes)]
            lost = answer_ms is None or answer_ms > limit_ms
            text = f"1,{position},0" if lost else f"0,{position},{answer_ms}"
            after_ms = limit_ms if answer_ms is None or lost else answer_ms
            self._module.later((position * interval_ms + after_ms) / 1000, partial(self._tell, text))
        return None

    def _tell(self, text: str) -> None:
        self._module.unsolicited(f"+WIPPING: {text}" if self._module.habits.ping_blank else f"+WIPPING:{text}")
