"""A cell: a host in a state, a fault, what the host heard of it, and whether it can go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from matrix.host import GUARD_S, Failure

from gateway.dialect import registry
from gateway.dialect.driver import TRANSFER_QUIET_S
from gateway.session.module_worker import State as Readiness
from gateway.session.tasks import Mode
from recovery.faults import FAULTS, Fault
from recovery.lab import Lab
from recovery.program import Doing, Program, State
from recovery.programs import family, pairs, program, states

SETTLE_S = 45.0
"""So long behind the fault the host does nothing; an idle module is asked every 30 s how it is."""
ANSWER_S = 215.0
"""The longest limit of a command that a host waits for here (#PUTMAIL, whose module gives a server up after 180 s, with
what brings the module back)."""
TRANSFERS = ("FTP", "mail out", "mail in", "web")
TOLD_S = 8.0
"""From a fault that a gateway can know of to the host's error, where something has ended with it."""
LEAVE_S = 220.0
"""Leaving a data mode whose module is gone; a file that stands still is given up after 90 s to 180 s, a mail whose module
may wait for its server after 180 s to 210 s."""
BUSY_S = 120.0
"""How long a module may be at a command of its own that nobody waits for any more."""
STALLED_S = 200.0
"""So long a transfer may stand still that the host cannot break off."""


@dataclass(frozen=True)
class Cell:
    host: str
    module: str
    state: State
    fault: Fault

    def __str__(self) -> str:
        return f"{self.host}-on-{self.module}:{self.state.name}:{self.fault.name}".replace(" ", "-")


def cells(of: str) -> list[Cell]:
    """Every state of every service of a family's hosts, on every module that has the service, with every fault."""
    return [
        Cell(pair.host, pair.module, state, fault)
        for pair in pairs()
        if family(pair.host) == of
        for state in states(pair)
        for fault in FAULTS
    ]


def play(cell: Cell) -> dict[str, object]:
    """Raises what is wrong; gives what can be told of it."""
    with Lab(cell.host, cell.module) as lab:
        return _play(cell, lab, program(lab))


def _play(cell: Cell, lab: Lab, program: Program) -> dict[str, object]:
    program.host.start()
    if cell.state.bearer:
        program.up()
    doing = cell.state.enter(program)
    before = program.line.rest() if not doing.in_data else b""
    begun, seen = lab.now, len(lab.line.log)

    def heard() -> bytes:
        return before + b"".join(data for _, data in lab.line.log[seen:])

    report: dict[str, object] = {}
    payload = cell.fault.name == "garbage" and (lab.gateway.in_data_mode or doing.prompted)
    lab.loop.call_soon(cell.fault.begin, lab)
    try:
        lab.wait(cell.fault.over_s)
        if doing.awaited:
            ends = (*doing.awaited, *program.bad_news)
            assert lab.loop.wait(lambda: any(end in heard() for end in ends), ANSWER_S), "nobody answered the host"
        lab.wait(SETTLE_S)

        assert lab.until(lambda: lab.gateway.state is Readiness.READY, BUSY_S), "the module is not brought back"
        _in_time(cell, program, doing, [(at - begun, data) for at, data in lab.line.log[seen:]])
        _leave(cell, lab, program, doing, heard, report)
        report["heard"] = heard()
        lab.line.rest()
        if not payload:  # noise in a data mode is payload
            _belongs(cell, heard(), doing)
        _goes_on(cell, lab, program, heard(), report)
    except BaseException as failure:
        when = [round(at - begun, 1) for at, data in lab.line.log[seen:] if any(bad in data for bad in program.bad_news)]
        failure.add_note(f"{cell}\nheard behind the fault: {heard()[:300]!r} {when}")
        if lab.trace is not None:
            failure.add_note("\n".join(lab.trace.lines))
        failure.add_note(f"all that the host heard: {bytes(lab.line.seen[-600:])!r}")
        failure.add_note(f"all that the module heard: {bytes(lab.wire.to_left.seen[-600:])!r}")
        raise
    when = [at - begun for at, data in lab.line.log[seen:] if any(bad in data for bad in program.bad_news)]
    report["after_s"] = round(when[0], 1) if when else None
    return report


def _in_time(cell: Cell, program: Program, doing: Doing, told: list[tuple[float, bytes]]) -> None:
    """What the gateway can know at once is told soon; by a dialect whose every error is one, once."""
    if not cell.fault.tells or not cell.state.bearer or cell.state.service in ("", "bearer"):
        return
    news = [at for at, data in told if any(bad in data for bad in program.bad_news)]
    if doing.dies and (doing.in_data or doing.awaited):
        limit_s = TOLD_S + (TRANSFER_QUIET_S if cell.state.service in TRANSFERS else 0)
        assert news, "nothing was told"
        assert news[0] < limit_s, f"told after {news[0]:.1f} s"
    if program.one_error:
        assert len(news) <= 1, f"told {len(news)} times"


def _leave(
    cell: Cell, lab: Lab, program: Program, doing: Doing, heard: Callable[[], bytes], report: dict[str, object]
) -> None:
    """The host is in command mode again: because it was told, or because it had enough."""
    side = lab.host_side
    if doing.in_data and side.mode is Mode.COMMAND:
        assert any(bad in heard() for bad in program.bad_news), "the data mode ended without a word"
    elif doing.in_data:
        report["left"] = True
        if doing.ends == b"+++":
            lab.wait(GUARD_S)
        program.line.say(doing.ends)
        limit_s = LEAVE_S if doing.ends else STALLED_S
        there = lab.loop.wait(lambda: side.mode is Mode.COMMAND and not side.busy, limit_s)
        assert there, "the host cannot leave the data mode"
        lab.wait(10.0)
    if side.mode is Mode.PROMPT:
        report["prompt"] = True
        program.line.say(b"\x1b")
        program.line.until(b"\r\nOK\r\n", b"ERROR\r\n", limit_s=60)
    assert side.mode is Mode.COMMAND, side.mode


def _goes_on(cell: Cell, lab: Lab, program: Program, heard: bytes, report: dict[str, object]) -> None:
    """The line answers, and the service works again."""
    assert program.line.ask("AT", limit_s=1) == b"\r\nOK\r\n"
    program.tidy()
    if cell.state.bearer and program.was_told(heard) and not program.is_up():
        program.up()
        report["again"] = "told"
    try:
        cell.state.again(program)
    except Failure as failure:
        known = failure.code in program.no_bearer or not cell.fault.tells  # it is found out just now
        assert known, f"the next attempt fails: {failure.code}"
        assert not program.is_up(), "no bearer, and yet it is up"
        report["again"] = "found out"
        program.up()
        cell.state.again(program)
    lab.wait(2.0)
    _belongs(cell, program.line.rest(), Doing())
    assert program.line.ask("AT", limit_s=1) == b"\r\nOK\r\n"


def _belongs(cell: Cell, heard: bytes, doing: Doing) -> None:
    """Every line is one of the host's dialect, or the module's boot text; payload stands before them."""
    dialect, module = registry.load(cell.host), registry.load(cell.module)
    keys = frozenset(dialect.tables.messages) | frozenset(dialect.tables.information)
    habits = module.tables.module
    text = heard.lstrip(b"x") if doing.in_data else heard
    for line in re.split(r"\r\n|\x03|\r", text.decode("latin-1")):
        if not line or line in ("OK", "ERROR", "SHUTDOWN", "NO CARRIER", "CONNECT", "."):
            continue
        code = re.fullmatch(r"[#+]CM[ES] ERROR: (\d+)", line)
        if code is not None:
            assert code[1] in dialect.tables.errors or code[1] in map(str, dialect.tables.errors), f"no manual has {line}"
            continue
        if (
            line.startswith((*habits.boot, *habits.unsolicited, "+CSQ: ", "+CMGS: "))
            or dialect.hear(line, keys) is not None
        ):
            continue
        raise AssertionError(f"the host heard {line!r}")
