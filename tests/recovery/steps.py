"""A fault at each command of each service, and a host that tries again at once until it works."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from matrix.host import GUARD_S, Failure

from gateway.session.tasks import Mode
from recovery.faults import bearer_lost, restart, restart_without_text, unplugged_and_off
from recovery.lab import Lab
from recovery.program import Program
from recovery.programs import pairs, program, states

FAULTS: dict[str, Callable[[Lab], None]] = {
    "restart": restart,
    "restart without text": restart_without_text,
    "unplugged and off": unplugged_and_off,
    "bearer lost": bearer_lost,
}
WORKS_S = 240.0
"""Whatever a host hears in the meantime: so long behind a fault the service works again. Most of it are the limits of
commands that a module without a word of its restart will never answer."""
AGAIN_S = 2.0


@dataclass(frozen=True)
class Service:
    """One service of a host's, on one module."""

    host: str
    module: str
    name: str
    play: Callable[[Program], None]
    bearer: bool

    def __str__(self) -> str:
        return f"{self.host}-on-{self.module}:{self.name}".replace(" ", "-")


def services() -> list[Service]:
    """What the states of :mod:`recovery.verdict` come back to, each once a pair."""
    found: dict[str, Service] = {}
    for pair in pairs():
        for state in states(pair):
            name = getattr(state.again, "__name__", "").replace("_", " ")
            service = Service(pair.host, pair.module, name, state.again, state.bearer)
            found.setdefault(str(service), service)
    return list(found.values())


def _begun(lab: Lab, service: Service) -> Program:
    made = program(lab)
    made.host.start()
    if service.bearer:
        made.up()
    return made


def commands(service: Service) -> int:
    """How many commands of the gateway's the module hears of it."""
    with Lab(service.host, service.module) as lab:
        host = _begun(lab, service)
        counter = _Counter(lab)
        service.play(host)
        return counter.heard


class _Counter:
    """Counts command lines for the module; ``at`` one of them something happens instead of it."""

    def __init__(self, lab: Lab, at: int = 0, then: Callable[[Lab], None] = lambda _: None) -> None:
        self.heard, self._lab, self._at, self._then = 0, lab, at, then
        lab.wire.to_left.on_sent = self._sent

    def _sent(self, data: bytes) -> None:
        if data.endswith(b"\r") and not self._lab.gateway.in_data_mode:
            self.heard += 1
            if self.heard == self._at:
                self._lab.loop.call_soon(self._then, self._lab)


def play(service: Service, fault: Callable[[Lab], None], at: int) -> float:
    """Raises what is wrong; gives the seconds until the service worked again."""
    with Lab(service.host, service.module) as lab:
        host = _begun(lab, service)
        _Counter(lab, at, fault)
        with suppress(Failure, AssertionError):
            service.play(host)
        return come_back(lab, host, lambda: service.play(host), bearer=service.bearer)


def come_back(
    lab: Lab, host: Program, works: Callable[[], None], *, bearer: bool = True, limit_s: float = WORKS_S
) -> float:
    """Try until it works; the seconds that it took. Raises why it does not."""
    begun = lab.now
    while True:
        try:
            _tries_again(lab, host, bearer)
            works()
        except (Failure, AssertionError) as failure:
            if lab.now - begun > limit_s:
                failure.add_note(f"it does not work again within {limit_s:.0f} s")
                failure.add_note(f"the host heard {bytes(lab.line.seen[-600:])!r}")
                failure.add_note(f"the module heard {bytes(lab.wire.to_left.seen[-600:])!r}")
                raise
            lab.wait(AGAIN_S)
        else:
            return lab.now - begun


def _tries_again(lab: Lab, host: Program, bearer: bool) -> None:
    """What a host does that knows nothing: out of any data mode, close what may be open, up if it is not."""
    line, side = lab.line, lab.host_side
    if side.mode is Mode.DATA:
        for ends in (b"\x03", b"\r\n.\r\n", b"+++"):
            if side.mode is Mode.DATA:
                lab.wait(GUARD_S)
                line.say(ends)
                lab.wait(GUARD_S)
    if side.mode is Mode.PROMPT:
        line.say(b"\x1b")
    lab.wait(1.0)
    line.rest()
    assert not side.busy, "a command is not answered yet"
    assert side.mode is Mode.COMMAND, side.mode
    # what it sent when its data mode had ended already was commands to the gateway
    assert line.ask("ATE0V1Q0", limit_s=1).endswith(b"\r\nOK\r\n")
    host.tidy()
    if bearer and not host.is_up():
        host.up()
