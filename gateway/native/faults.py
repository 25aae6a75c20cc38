"""A bad day on demand: what a virtual module does wrong, so that a host can be tested against it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field

from gateway.errors import InputError, nearest
from gateway.model.causes import Cause
from gateway.native.engine import Trouble

HELP = {
    "bearer-refused": "the bearer is refused; =CAUSE or =CAUSE:TIMES (for example bearer_failed:2)",
    "bearer-slow": "the bearer takes =SECONDS to come up",
    "bearer-lost": "the bearer is lost =SECONDS after it came up",
    "call": "the telephone rings when the module hears =COMMAND (for example +CLIP); =COMMAND:NUMBER or "
    "=COMMAND:NUMBER:TIMES: who calls, and how often it rings unless the call is answered",
    "connect-slow": "a TCP connection takes =SECONDS to open",
    "ping-loss": "echo requests that get no reply, numbered from 0 since the module began: =0,2",
    "silent": "no answer to commands that begin with =COMMAND (for example +WIPCREATE; AT: every one), or =COMMAND:TIMES",
    "slow": "every answer comes =SECONDS late",
    "restart": "the module restarts =SECONDS after it began, or when it hears =COMMAND",
    "noise": "a byte of noise for each =COUNT bytes of the module's answers",
}

FOREVER_S = 1e9
"""No fault takes so long."""
_COMMAND = re.compile(r"(?:AT)?([A-Z&+#*$^!@%].*)", re.IGNORECASE)
_LINK_CAUSES = (
    Cause.BEARER_FAILED,
    Cause.BEARER_REFUSED,
    Cause.BEARER_TIMED_OUT,
    Cause.NOT_REGISTERED,
    Cause.NO_SIM,
    Cause.AUTHENTICATION,
    Cause.LINK_NEGOTIATION,
    Cause.LINE_BUSY,
    Cause.NO_ANSWER,
    Cause.NO_CARRIER,
)
"""What a bearer is refused for."""


@dataclass(slots=True)
class Faults:
    """The faults of one virtual module."""

    trouble: Trouble = field(default_factory=Trouble)
    slow_s: float = 0.0
    restart_s: float | None = None
    restart_on: str | None = None
    silent: str | None = None
    silent_times: int = 0
    noise_every: int = 0
    _random: random.Random = field(default_factory=lambda: random.Random(1))  # repeatable on purpose

    @classmethod
    def parse(cls, texts: list[str]) -> Faults:
        """Read ``--fault`` options. Raises :class:`InputError` with the one that is wrong."""
        faults = cls()
        for text in texts:
            name, _, value = text.partition("=")
            if name not in HELP:
                close = nearest(name, list(HELP))
                raise InputError(
                    f"--fault {text!r}: unknown fault"
                    + (f"; did you mean {close!r}?" if close else f"; known are {', '.join(HELP)}")
                )
            try:
                faults._set(name, value)
            except ValueError:
                more = f"; causes are {', '.join(_LINK_CAUSES)}" if name == "bearer-refused" else ""
                raise InputError(f"--fault {text!r}: {name} is: {HELP[name]}{more}") from None
        return faults

    def _set(self, name: str, value: str) -> None:
        trouble = self.trouble
        match name:
            case "bearer-refused":
                cause, _, times = value.partition(":")
                trouble.bearer_refused = Cause(cause or "bearer_failed")
                trouble.bearer_refusals = _count(times or "0")
            case "bearer-slow":
                trouble.bearer_delay_s = _seconds(value)
            case "bearer-lost":
                trouble.bearer_lost_s = _seconds(value)
            case "call":
                command, _, more = value.partition(":")
                caller, _, times = more.partition(":")
                if re.fullmatch(r"\+?\d*", caller) is None:
                    raise ValueError
                trouble.called_on, trouble.caller = _command(command), caller
                trouble.rings = _count(times) if times else trouble.rings
                if trouble.rings < 1:
                    raise ValueError
            case "connect-slow":
                trouble.connect_delay_s = _seconds(value)
            case "ping-loss":
                trouble.ping_losses = frozenset(_count(number) for number in value.split(","))
            case "silent":
                command, _, times = value.partition(":")
                self.silent = _command(command)
                self.silent_times = _count(times or "0") or 1 << 30
            case "slow":
                self.slow_s = _seconds(value)
            case "restart":
                if _is_number(value):
                    self.restart_s = _seconds(value)
                else:
                    self.restart_on = _command(value)
            case "noise":
                self.noise_every = _count(value)
                if self.noise_every < 1:
                    raise ValueError

    def swallows(self, line: str) -> bool:
        """Whether a command, behind its AT, is not answered."""
        if self.silent is not None and self.silent_times > 0 and line.upper().startswith(self.silent):
            self.silent_times -= 1
            return True
        return False

    def restarts(self, line: str) -> bool:
        """Whether a command makes the module restart (once)."""
        if self.restart_on is not None and line.upper().startswith(self.restart_on):
            self.restart_on = None
            return True
        return False

    def spoil(self, data: bytes) -> bytes:
        """An answer with noise between its lines."""
        if not self.noise_every:
            return data
        count = sum(self._random.random() < 1 / self.noise_every for _ in data)
        noise = bytes(self._random.randrange(128, 256) for _ in range(count))
        return noise + data


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < FOREVER_S:  # NaN is neither
        raise ValueError
    return seconds


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ValueError
    return count


def _command(text: str) -> str:
    """The beginning of a command behind its AT, in capitals; every command begins with AT alone."""
    if text.upper() == "AT":
        return ""
    match = _COMMAND.fullmatch(text)
    if match is None:
        raise ValueError
    return match[1].upper()
