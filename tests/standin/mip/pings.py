"""+MPING, +MIPDNS, +MIPNTP (1.1.14, 1.1.15, 1.1.21, 1.1.22); the answers are those of the test's network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from standin.arguments import Argument, Refused, number
from standin.reply import Reply

if TYPE_CHECKING:
    from standin.mip.module import MipModule

DENIED, PARAMETER, NO_NAME, PING = 3, 2000, 2002, 2029
INTERVAL_S = 0.2


class Pings:
    """See the module's text."""

    def __init__(self, module: MipModule) -> None:
        self._module = module
        self._run = 0
        self._is_running = False
        self._times_ms: list[int] = []
        self._asked: dict[str, int] = {}

    def read_mping(self) -> Reply:
        return ["+MPING: 4,32,64,0,4000"]

    def test_mping(self) -> Reply:
        return ["+MPING: (1-255),(0-1372),(1-255),(0-255),(0-60000)"]

    def set_mping(self, values: list[Argument]) -> Reply:
        mode = number(values, 0, 0, 2, code=PARAMETER)
        if mode == 0:
            if len(values) > 1 or not self._is_running:
                self._module.record.complain("+MPING=0 with values, or with nothing under way")
                raise Refused(DENIED)
            self._is_running = False
            self._run += 1
            return None
        self._module.bearers.required()
        if self._is_running:
            self._module.record.complain("a second ping")
            raise Refused(DENIED)
        if len(values) < 2 or not values[1].text:
            raise Refused(PARAMETER)
        if not values[1].quoted:
            self._module.record.complain("+MPING: a host without quotes")
        count = number(values, 2, 1, 255, code=PARAMETER, default=4)
        number(values, 3, 0, 1372, code=PARAMETER, default=32)
        number(values, 4, 1, 255, code=PARAMETER, default=64)
        number(values, 5, 0, 255, code=PARAMETER, default=0)
        limit_ms = number(values, 6, 0, 600000, code=PARAMETER, default=4000)
        host = values[1].text
        network = self._module.network
        if host not in network.echoes and network.address(host) is None:
            raise Refused(NO_NAME)
        self._is_running, self._times_ms = True, []
        self._run += 1
        self._next(self._run, host, 0, count, limit_ms)
        return None

    def _next(self, run: int, host: str, position: int, count: int, limit_ms: int) -> None:
        """The next request, or the end."""
        if run != self._run:
            return
        module = self._module
        where = f'"{host}"'
        if position == count:
            self._is_running = False
            times = self._times_ms
            average = f",{sum(times) // len(times)}" if times else ""
            module.unsolicited(f"+MPINGSTAT: 0,{where},{count},{len(times)}{average}")
            return
        echoes = module.network.echoes.get(host, [7])
        asked = self._asked.get(host, 0)
        self._asked[host] = asked + 1
        answer_ms = echoes[asked % len(echoes)]

        def told() -> None:
            if run != self._run:
                return
            if answer_ms is None or answer_ms > limit_ms:
                module.unsolicited(f"+MPINGSTAT: 1,{where},{position + 1},{len(self._times_ms)}")
            else:
                self._times_ms.append(answer_ms)
                replier = where if module.habits.ping_quotes else host
                module.unsolicited(f"+MPING: {replier},0,0,{answer_ms}")
            module.later(INTERVAL_S, lambda: self._next(run, host, position + 1, count, limit_ms))

        module.later((limit_ms if answer_ms is None or answer_ms > limit_ms else answer_ms) / 1000, told)

    def set_mipdns(self, values: list[Argument]) -> Reply:
        self._module.bearers.required()
        if not values[0].quoted:
            self._module.record.complain("+MIPDNS: a name without quotes")
        if number(values, 1, 0, 2, code=PARAMETER, default=0) == 1:
            raise Refused(NO_NAME)
        address = self._module.network.address(values[0].text)
        if address is None:
            raise Refused(NO_NAME)
        return [f'+MIPDNS: "{values[0].text}",{address}']

    def set_mipntp(self, values: list[Argument]) -> Reply:
        self._module.bearers.required()
        host = values[0].text
        number(values, 1, 1, 65535, code=PARAMETER)
        known = self._module.network.address(host) is not None
        self._module.later(0.1, lambda: self._module.unsolicited(f"+MIPNTP: {int(known)}"))
        return None
