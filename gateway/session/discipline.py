"""The commands of the line discipline (V.250 section 6), which the gateway answers itself and keeps from the module."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateway.dialect.nodes import Basic
from gateway.wire.settings import LineSettings, register_limit

RATES = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
_STANDARD = re.compile(r"\+(CMEE|IPR|IFC|ICF) *(?:(\?)|(= *\?)|= *([0-9, ]*))?", re.IGNORECASE)
_LOCAL_REGISTERS = (2, 3, 4, 5, 12)


@dataclass(frozen=True, slots=True)
class Handled:
    """The answer to a command of the line discipline; ``rate`` and ``flow`` act on the port after it."""

    ok: bool = True
    lines: tuple[str, ...] = ()
    rate: int | None = None
    flow: str | None = None


def basic(command: Basic, settings: LineSettings, saved: LineSettings) -> Handled | None:
    """Carry out a basic command; None when it is not of the line discipline (and so passes through)."""
    number = command.number or 0
    match command.name:
        case "E" | "V" | "Q":
            if number > 1:
                return Handled(ok=False)
            name = {"E": "echo", "V": "verbose", "Q": "quiet"}[command.name]
            setattr(settings, name, bool(number))
        case "X":
            if number > 4:
                return Handled(ok=False)
            settings.result_detail = number
        case "L" | "M" | "&K":
            return Handled()
        case "Z" | "&F":
            keep = settings.rate, settings.flow  # another rate would cut off a host that set its own
            settings.assign(saved if command.name == "Z" else LineSettings())
            settings.rate, settings.flow = keep
        case "&W":
            saved.assign(settings)
        case "&C" | "&D" | "&S":
            if number > 2:
                return Handled(ok=False)
            setattr(settings, {"&C": "carrier", "&D": "terminal_ready", "&S": "set_ready"}[command.name], number)
        case "&V":
            return Handled(lines=_shown(settings))
        case "S":
            return _register(command, settings)
        case _:
            return None
    return Handled()


def _register(command: Basic, settings: LineSettings) -> Handled | None:
    register = command.register if command.register is not None else -1
    if register not in _LOCAL_REGISTERS:
        return None
    if command.reads:
        return Handled(lines=(f"{settings.registers[register]:03d}",))
    if command.number is None or command.number > register_limit(register):
        return Handled(ok=False)
    settings.registers[register] = command.number
    return Handled()


def _shown(settings: LineSettings) -> tuple[str, ...]:
    registers = " ".join(f"S{name}:{value:03d}" for name, value in sorted(settings.registers.items()))
    flags = f"E{settings.echo:d} V{settings.verbose:d} Q{settings.quiet:d} X{settings.result_detail}"
    lines = f"&C{settings.carrier} &D{settings.terminal_ready} &S{settings.set_ready}"
    port = f"+IPR:{settings.rate} +IFC:{settings.flow[0]},{settings.flow[1]} +CMEE:{settings.error_detail}"
    return f"{flags} {lines}", registers, port


def standard(text: str, settings: LineSettings) -> Handled | None:
    """Carry out ``+CMEE``, ``+IPR``, ``+IFC`` or ``+ICF``; None for everything else."""
    match = _STANDARD.fullmatch(text.strip())
    if match is None:
        return None
    name = match[1].upper()
    if match[2]:
        return Handled(lines=(f"+{name}: {_read(name, settings)}",))
    if match[3]:
        return Handled(lines=(f"+{name}: {_ranges(name)}",))
    if match[4] is None:
        return Handled(ok=False)
    numbers = [part.strip() for part in match[4].split(",")]
    if not all(part.isdigit() for part in numbers):
        return Handled(ok=False)
    return _write(name, [int(part) for part in numbers], settings)


def _read(name: str, settings: LineSettings) -> str:
    return {
        "CMEE": f"{settings.error_detail}",
        "IPR": f"{settings.rate}",
        "IFC": f"{settings.flow[0]},{settings.flow[1]}",
        "ICF": f"{settings.frame[0]},{settings.frame[1]}",
    }[name]


def _ranges(name: str) -> str:
    rates = ",".join(str(rate) for rate in RATES)
    return {"CMEE": "(0-2)", "IPR": f"(0),({rates})", "IFC": "(0,2),(0,2)", "ICF": "(1-6),(0-4)"}[name]


def _write(name: str, numbers: list[int], settings: LineSettings) -> Handled:
    if name == "CMEE" and len(numbers) == 1 and numbers[0] <= 2:
        settings.error_detail = numbers[0]
        return Handled()
    if name == "IPR" and len(numbers) == 1 and (numbers[0] == 0 or numbers[0] in RATES):
        settings.rate = numbers[0]
        return Handled(rate=numbers[0] or None)
    if name == "IFC" and len(numbers) in (1, 2) and all(number in (0, 1, 2) for number in numbers):
        settings.flow = (numbers[0], numbers[-1])
        return Handled(flow={0: "none", 1: "xonxoff", 2: "rtscts"}[numbers[-1]])
    if name == "ICF" and len(numbers) in (1, 2) and 1 <= numbers[0] <= 6 and numbers[-1] <= 6:
        settings.frame = (numbers[0], numbers[1] if len(numbers) == 2 else settings.frame[1])
        return Handled()
    return Handled(ok=False)
