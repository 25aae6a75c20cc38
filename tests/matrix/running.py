"""Plays cells: a pair's one after the other on one module and one bridge, several pairs side by side."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event
from typing import Self

from gateway.translate.plan import Way
from matrix.pair import Pair
from matrix.scenario import Cell
from matrix.stage import Stage

SIDE_BY_SIDE = 12
"""Pairs at once: most of their time is silence around +++."""


class Running:
    """The cells that were asked for, under way; ``wait`` for the end of one."""

    def __init__(self, cells: Iterable[Cell], folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._enough = Event()
        self._results: dict[str, Future[float]] = {}
        by_pair: dict[Pair, list[Cell]] = {}
        for cell in cells:
            by_pair.setdefault(cell.pair, []).append(cell)
            self._results[str(cell)] = Future()
        self._pool = ThreadPoolExecutor(SIDE_BY_SIDE)
        longest_first = sorted(by_pair.items(), key=lambda item: -len(item[1]))
        for number, (pair, own) in enumerate(longest_first):
            self._pool.submit(self._play_all, number, pair, own)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._pool.shutdown()

    def wait(self, cell: Cell) -> float:
        """The seconds that a cell took. Raises what went wrong in it."""
        return self._results[str(cell)].result()

    def _new_folder(self) -> Path:
        folder = self._folder / f"stage-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def _play_all(self, number: int, pair: Pair, cells: list[Cell]) -> None:
        """A failure costs the stage: the next scenario has a fresh one."""
        stage: Stage | None = None
        for cell in cells:
            result, begun = self._results[str(cell)], time.monotonic()
            if self._enough.is_set():
                result.cancel()
                continue
            try:
                stage = stage or Stage(pair, self._new_folder(), number)
                play(stage, cell)
                result.set_result(time.monotonic() - begun)
            except BaseException as failure:
                if stage is not None:
                    failure.add_note(stage.last_words())
                    stage.close()
                    stage = None
                result.set_exception(failure)
        if stage is not None:
            stage.close()


def play(stage: Stage, cell: Cell) -> None:
    """One cell: the bearer as the scenario wants it, the scenario or its refusal, and nothing left behind."""
    host, scenario = stage.host, cell.scenario
    if scenario.bearer and not host.is_up:
        host.up()
    elif host.is_up and not scenario.bearer:
        host.down()
    if scenario.service and cell.pair.way(scenario.service) is Way.REFUSED:
        assert scenario.refusal is not None, f"{scenario.service} is refused on {cell.pair}: how is not written"
        scenario.refusal(stage, cell.form)
    else:
        scenario.play(stage, cell.form)
    if not stage.stopped:
        host.quiet()
