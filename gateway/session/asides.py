"""Work that waits for a message of the module while other work goes on: an opening, a ping."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from gateway.dialect.dialect import Heard

Job = TypeVar("Job")


@dataclass(eq=False, slots=True)
class Aside(Generic[Job]):
    """One job, where it stands, and what it waits for."""

    job: Job
    worker: Generator[Any, Any, Any]
    wanted: Callable[[Heard], bool]
    due_s: float
    overhears: bool = False


class Asides(Generic[Job]):
    """All of them; those whose wait is over are ``ready``, with the message or None."""

    def __init__(self) -> None:
        self.waiting: list[Aside[Job]] = []
        self.ready: deque[tuple[Aside[Job], Heard | None]] = deque()

    def __bool__(self) -> bool:
        return bool(self.waiting or self.ready)

    @property
    def deadline(self) -> float | None:
        """When the next wait is over."""
        return min((aside.due_s for aside in self.waiting), default=None)

    def offer(self, heard: Heard) -> bool:
        """A message came: whether one waited for it. Who only overhears it has it after that one."""
        wanting = [aside for aside in self.waiting if aside.wanted(heard)]
        taker = next((aside for aside in wanting if not aside.overhears), None)
        for aside in [taker, *(aside for aside in wanting if aside.overhears)]:
            if aside is not None:
                self._wake(aside, heard)
        return taker is not None

    def expire(self, now: float) -> None:
        """End the waits whose limit is over."""
        for aside in [aside for aside in self.waiting if now >= aside.due_s]:
            self._wake(aside, None)

    def wake(self, wanted: Callable[[Job], bool] = lambda _: True) -> None:
        """End waits: what is waited for will not come, or nobody waits for it any more."""
        for aside in [aside for aside in self.waiting if wanted(aside.job)]:
            self._wake(aside, None)

    def drop(self) -> list[Job]:
        """End all jobs where they stand; those jobs."""
        dropped = [*self.waiting, *(aside for aside, _ in self.ready)]
        self.waiting.clear()
        self.ready.clear()
        for aside in dropped:
            aside.worker.close()
        return [aside.job for aside in dropped]

    def _wake(self, aside: Aside[Job], heard: Heard | None) -> None:
        self.waiting.remove(aside)
        self.ready.append((aside, heard))
