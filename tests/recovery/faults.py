"""What goes wrong with a module, and for how long."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from gateway.dialect import registry
from recovery.lab import Lab

SILENT_S = 150.0
"""Longer than the limit of every command that a state waits for."""
AWAY_S = 5.0


@dataclass(frozen=True)
class Fault:
    """One of them; ``over_s`` behind its beginning the module can be used again."""

    name: str
    begin: Callable[[Lab], None]
    over_s: float
    forgets: bool = True
    """The module has lost its bearer behind it."""
    tells: bool = True
    """The gateway can know of it at once."""


def restart(lab: Lab, text: bool = True) -> None:
    """Sockets, bearer, settings and what was on the line are gone; what it says then is its boot text, or nothing."""
    wire, side = lab.wire, lab.module_side
    wire.to_right.cut = True
    lab.module.engine.lose_bearer()
    side.restart((), lab.now)
    lab.module._apply()
    wire.to_right.cut = False
    wire.to_right.lose()
    wire.to_left.lose()
    lab.module_is_well()
    if text:
        side.restart(registry.load(lab.module_dialect).tables.boot_text, lab.now)
        lab.module._apply()


def restart_without_text(lab: Lab) -> None:
    restart(lab, text=False)


def _deaf(lab: Lab, deaf: bool) -> None:
    lab.wire.to_left.cut = lab.wire.to_right.cut = deaf
    if deaf:
        lab.wire.to_right.lose()
        lab.wire.to_left.lose()
        lab.module_is_well()


def silent(lab: Lab) -> None:
    """As good as dead, and then as if nothing had been."""
    _deaf(lab, True)
    lab.loop.call_later(SILENT_S, _deaf, lab, False)


def off_and_on(lab: Lab) -> None:
    """As good as dead, and then new, without a word."""
    _deaf(lab, True)
    lab.loop.call_later(SILENT_S, _deaf, lab, False)
    lab.loop.call_later(SILENT_S, restart, lab, False)


def hung(lab: Lab) -> None:
    """As good as dead, until its watchdog restarts it."""
    _deaf(lab, True)
    lab.loop.call_later(SILENT_S, _deaf, lab, False)
    lab.loop.call_later(SILENT_S, restart, lab, True)


def bearer_lost(lab: Lab) -> None:
    """The network is gone, and comes back."""
    lab.module_is_well()
    lab.module.engine.lose_bearer()


def garbage(lab: Lab) -> None:
    """Noise on the line from the module."""
    noise = random.Random(5)
    letters = bytes(set(range(1, 256)) - {0x03, 0x0D, 0x0A, 0x10, 0x2B})
    lines = [bytes(noise.choices(letters, k=noise.randrange(1, 60))) + b"\x80" for _ in range(6)]
    lab.module_is_well()
    lab.wire.to_right.send(b"\r\n".join(lines))


def _unplugged(lab: Lab, then: Callable[[], None]) -> None:
    link = lab.wire.right
    lab.module_is_well()
    link.unplug()

    def back() -> None:
        then()
        link.plugged = True

    lab.loop.call_later(AWAY_S, back)


def unplugged(lab: Lab) -> None:
    """The cable is out for a moment."""
    _unplugged(lab, lambda: None)


def unplugged_and_off(lab: Lab) -> None:
    """The cable carried its power."""
    _unplugged(lab, lambda: restart(lab, False))


FAULTS = [
    Fault("restart", restart, 3.0),
    Fault("restart without text", restart_without_text, 3.0, tells=False),
    Fault("silent", silent, SILENT_S + 3, forgets=False, tells=False),
    Fault("off and on", off_and_on, SILENT_S + 3, tells=False),
    Fault("hung", hung, SILENT_S + 3, tells=False),
    Fault("bearer lost", bearer_lost, 3.0),
    Fault("garbage", garbage, 3.0, forgets=False, tells=False),
    Fault("unplugged", unplugged, AWAY_S + 3, forgets=False),
    Fault("unplugged and off", unplugged_and_off, AWAY_S + 3),
]
