"""A stand-in at work: a module on a port and a network, in a thread of its own.

Tests steer it through the methods of the section 'faults'.
"""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from standin.habits import Habits, LineHabits
from standin.line import Injected, Line
from standin.module import Module
from standin.sockets import Network

LIMIT_S = 15.0


class Running(Line):
    """See the module's text. ``path`` is its port."""

    sockets: Any
    mapping: Any
    bearers: Any

    @property
    def refused_bearer(self) -> tuple[int, int]:
        """How a bearer is refused, and what that is to an eDSoft host."""
        raise NotImplementedError

    @property
    def tells_resets(self) -> bool:
        """A reset of the peer's can be told from its close."""
        raise NotImplementedError

    @property
    def tells_peer(self) -> bool:
        """Who calls a listener can be known."""
        return True

    @property
    def reads_offline(self) -> bool:
        """A datagram that waits can be read without a data mode."""
        return True

    def __init__(self, habits: LineHabits, network: Network | None = None) -> None:
        super().__init__(habits, network or Network())
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._wake_r, self._wake_w = os.pipe()
        os.set_blocking(self._wake_r, False)
        self._over = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # -- faults --------------------------------------------------------------------------------------------------------

    def silence(self, command: str, times: int = 1) -> None:
        """Do not answer the next commands that begin so (without AT)."""
        with self._lock:
            self.silences[command] = times

    def delay(self, command: str, seconds: float) -> None:
        """Answer such commands later; 0: no longer."""
        with self._lock:
            self.delays[command] = seconds

    def refuse(self, command: str, *codes: int | None) -> None:
        """Answer the next such commands with these codes; None: a plain ERROR."""
        with self._lock:
            self.refusals[command] = list(codes)

    def inject(self, command: str, *, before: bytes = b"", middle: bytes = b"", behind: bytes = b"") -> None:
        """Say something around the answers of such commands."""
        with self._lock:
            self.injected[command] = Injected(before, middle, behind)

    def dumb(self, dumb: bool = True) -> None:
        """Hear and say nothing (any more)."""
        with self._lock:
            self.is_dumb = dumb
            self.record.add("-", "dumb" if dumb else "not dumb")

    def restart(self, *, after_s: float = 0.3, boot: bool = True) -> None:
        """Power-cycle; its peers are reset. ``boot``: it says its boot text."""
        with self._lock:
            self.record.add("-", "restart")
            for each in self.sockets.all:
                each.drop(reset=True)
            self.power_up()
            self.port.waiting.clear()
            self.is_dumb = True
            self.later(after_s, lambda: self._up(boot))
        self._wake()

    def _up(self, boot: bool) -> None:
        self.is_dumb = False
        for text in self.habits.boot if boot else ():
            self.say_line(text)

    def lose_bearer(self) -> None:
        """The network takes the bearer away."""
        with self._lock:
            self.bearers.lost()
        self._wake()

    def announce(self, text: str) -> None:
        """An unsolicited line, at the next moment that allows one."""
        with self._lock:
            self.unsolicited(text)
        self._wake()

    def noise(self, data: bytes) -> None:
        """Bytes on the line, whatever goes on."""
        with self._lock:
            self.say(data)
        self._wake()

    def wait(self, condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
        """Wait until something is so (asked whenever the stand-in has done something)."""
        with self._changed:
            assert self._changed.wait_for(condition, limit_s), f"waited {limit_s} s\n{self.record}"

    def heard(self, command: str, since: int = 0) -> None:
        """Wait for a command that begins so."""
        self.wait(lambda: bool(self.heard_since(since, command)))

    def heard_since(self, since: int, command: str) -> list[str]:
        """The commands that begin so, behind the first ``since``."""
        return [line for line in self.commands[since:] if line.upper().startswith(command.upper())]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._wake()
        self._thread.join(5)
        for each in self.sockets.all:
            each.drop()
        self.port.close()
        os.close(self._wake_r)
        os.close(self._wake_w)

    # -- the thread ----------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        with suppress(OSError):
            os.write(self._wake_w, b"x")

    def _run(self) -> None:
        """The thread: serve port, sockets and time until the end."""
        while not self._over:
            with self._lock:
                reading, writing, pause_s = self._interests()
            try:
                readable, writable, _ = select.select(list(reading), list(writing), [], pause_s)
            except (OSError, ValueError):  # a socket was closed by a test's call meanwhile
                continue
            with self._changed:
                try:
                    self._serve([reading[it] for it in readable], [writing[it] for it in writable])
                except Exception as wrong:
                    self.record.complain(f"the stand-in itself failed: {wrong!r}")
                    raise
                self._changed.notify_all()

    def _interests(self) -> tuple[dict[int, Any], dict[int, Any], float]:
        reading: dict[int, Any] = {self._wake_r: None}
        writing: dict[int, Any] = {}
        if not self.mapping.full:
            reading[self.port.fd] = None
        pauses = [0.5, *(max(0.0, at_s - time.monotonic()) for at_s, _ in self.timers)]
        port_s, mapping_s = self.port.pause_s, self.mapping.pause_s
        if port_s == 0.0:
            writing[self.port.fd] = None
        pauses += [pause_s for pause_s in (port_s, mapping_s) if pause_s]
        for each in self.sockets.all:
            if each.real is not None and each.reads:
                reading[each.real.fileno()] = each
            if each.real is not None and each.writes:
                writing[each.real.fileno()] = each
        return reading, writing, min(pauses)

    def _serve(self, readable: list[Any], writable: list[Any]) -> None:
        with suppress(BlockingIOError):
            os.read(self._wake_r, 4096)
        now = time.monotonic()
        due = sorted((timer for timer in self.timers if timer[0] <= now), key=lambda timer: timer[0])
        self.timers = [timer for timer in self.timers if timer[0] > now]
        for _, action in due:
            action()
        self.port.write()
        for each in writable:
            if each is not None and each.real is not None:
                self.sockets.writable(each)
        for each in readable:
            if each is not None and each.real is not None:
                self.sockets.readable(each)
        if not self.mapping.full:
            self.hear(self.port.read())
        self.mapping.tick()
        self.sockets.pump()


class StandIn(Running, Module):
    """A WIPSoft module at work."""

    @property
    def refused_bearer(self) -> tuple[int, int]:
        return 814, 49156

    @property
    def tells_resets(self) -> bool:
        return self.habits.reset not in ("text", "etx")

    @property
    def tells_peer(self) -> bool:
        return self.habits.tells_peer

    @property
    def reads_offline(self) -> bool:
        return self.habits.reads_offline

    def __init__(self, habits: Habits | None = None, network: Network | None = None) -> None:
        super().__init__(habits or Habits(), network)
