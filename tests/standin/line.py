"""A module's command line, whatever its dialect: what it hears, what it answers and when."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from standin.arguments import Argument, Refused, split
from standin.general import General
from standin.habits import LineHabits
from standin.port import Port, Record
from standin.reply import LATER, Later, Mode, Reply
from standin.sockets import Network

END = "\r\n"
_COMMAND = re.compile(r"([+*#%$][A-Za-z0-9]+) *(=\?|\?|= *(.*))?", re.DOTALL)
_BASIC = re.compile(r"[Ss]\d+(?:=\d*|\?)?|(&?[A-Za-z])(\d*)")


@dataclass(slots=True)
class Injected:
    """Bytes that come around an answer: before it, between its information and its result, behind it."""

    before: bytes
    middle: bytes
    behind: bytes


class Line:
    """See the module's text. It has no thread and no waiting: whoever runs it calls it when something has happened."""

    general: General
    parts: tuple[object, ...]
    """Whoever carries out commands, asked in this order."""

    def __init__(self, habits: LineHabits, network: Network) -> None:
        self.habits = habits
        self.network = network
        self.record = Record()
        self.port = Port(self.record, self.habits.piece_bytes)
        self.path = self.port.path
        self.commands: list[str] = []
        """The command lines that it was given."""
        self.is_dumb = False
        self.silences: dict[str, int] = {}
        self.delays: dict[str, float] = {}
        self.refusals: dict[str, list[int | None]] = {}
        self.injected: dict[str, Injected] = {}
        self.power_up()

    def power_up(self) -> None:
        """Everything forgotten."""
        self.mode = Mode.COMMAND
        self._line = bytearray()
        self._busy = ""
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self._held: list[str] = []
        self._middle = b""

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after a time, unless a restart comes first."""
        self.timers.append((time.monotonic() + seconds, action))

    # -- what it says --------------------------------------------------------------------------------------------------

    def say(self, data: bytes) -> None:
        """Bytes, unless it is dumb."""
        if data and not self.is_dumb:
            self.port.say(data)

    def say_line(self, text: str) -> None:
        """A line of command mode in its frame."""
        self.say(f"{'' if self.habits.bare_lines else END}{text}{END}".encode("latin-1"))

    def spaced(self, text: str) -> str:
        """A line with this module's blanks."""
        return text

    # -- what a dialect adds -------------------------------------------------------------------------------------------

    def payload(self, data: bytes) -> bytes:
        """Bytes of a data mode; what stands behind its end."""
        raise NotImplementedError

    def typed(self, data: bytes) -> bytes:
        """Bytes behind a prompt; what stands behind their end."""
        return self.general.typed(data)

    def unknown(self, text: str, name: str, kind: str) -> Reply:
        """A command that nobody carries out."""
        del name, kind
        self.record.add("-", f"unknown: {text}")
        raise Refused

    # -- lines ---------------------------------------------------------------------------------------------------------

    def unsolicited(self, text: str) -> None:
        """A line that nobody asked for: never inside an answer, a text or a data mode."""
        if self.mode is not Mode.COMMAND or self._busy:
            self._held.append(text)
        else:
            self.say_line(self.spaced(text))

    def release(self) -> None:
        """Say the unsolicited lines that waited."""
        held, self._held = self._held, []
        for text in held:
            self.unsolicited(text)

    def information(self, lines: list[str]) -> None:
        """The information text of an answer."""
        if self.general.quiet or not lines:
            return
        for line in lines[:-1]:
            self.say_line(self.spaced(line))
            if not (self.habits.blank_between or self.habits.bare_lines):
                del self.port.waiting[-2:]
        self.say_line(self.spaced(lines[-1]))

    def result(self, text: str, *, framed: bool = False) -> None:
        """A final result; what is injected into an answer stands before it. ``framed``: whatever the habit."""
        middle, self._middle = self._middle, b""
        self.say(middle)
        if self.general.quiet:
            return
        if self.general.verbose:
            self.say(END.encode() if framed and self.habits.bare_lines else b"")
            self.say_line(text)
            return
        number = {"OK": "0", "CONNECT": "1", "ERROR": "4"}.get(text.partition(" ")[0] if text[0] == "C" else text)
        self.say(f"{number}\r".encode() if number else f"\r\n{text}\r\n".encode())

    def error(self, code: int | None) -> None:
        """The result of a command that failed."""
        if code is None or not self.general.error_codes:
            self.result("ERROR")
        else:
            self.result(f"+CME ERROR:{' ' if self.habits.code_blank else ''}{code}")

    @property
    def is_busy(self) -> bool:
        """Whether a command is being carried out."""
        return bool(self._busy)

    def busy(self, what: str) -> Later:
        """The command is being carried out; :meth:`done` ends it."""
        self._busy = what
        return LATER

    def done(self, *lines: str, error: int | None = None, result: str = "OK", behind: str = "") -> None:
        """The result of the command that was being carried out; ``behind``: an unsolicited line that follows it."""
        self._busy = ""
        self.information(list(lines))
        if error is not None:
            self.error(error)
        else:
            self.result(result)
        if behind:
            self.unsolicited(behind)
        self.release()

    # -- what it hears -------------------------------------------------------------------------------------------------

    def hear(self, data: bytes) -> None:
        if not data:
            return
        self.record.add(">", data)
        while data and not self.is_dumb:
            if self.mode is Mode.DATA:
                data = self.payload(data)
            elif self.mode is Mode.PROMPT:
                data = self.typed(data)
            else:
                self._key(data[0])
                data = data[1:]

    def _key(self, key: int) -> None:
        """One byte of a command line."""
        what = repr(bytes([key]))
        if self._busy:
            self.record.complain(f"{what} while {self._busy!r} is still carried out")
            return
        if not self._line and key == ord("+"):
            self.record.complain("+ as the first byte of a command line: +++ in command mode?")
        if key == 13:
            line = bytes(self._line).decode("latin-1")
            self._line.clear()
            self.say(b"\r" if self.general.echo else b"")
            if line:
                self._command(line)
            return
        if not 32 <= key < 127:
            self.record.complain(f"{what} in command mode behind {bytes(self._line)!r}")
            return
        self.say(bytes([key]) if self.general.echo else b"")
        self._line.append(key)

    def _command(self, line: str) -> None:
        self.commands.append(line)
        if line[:2].upper() != "AT":
            self.record.complain(f"a line without AT: {line!r}")
            return
        body = line[2:]
        silence = self._for(self.silences, body)
        if silence is not None and self.silences[silence] > 0:
            self.silences[silence] -= 1
            self.record.add("-", f"silent to {line}")
            return
        injected = self.injected.get(self._for(self.injected, body) or "", Injected(b"", b"", b""))
        self.say(injected.before)
        delay = self._for(self.delays, body)
        if delay is not None and self.delays[delay]:
            self.busy(line)
            self.later(self.delays[delay], lambda: self._carry_out(body, injected))
        else:
            self._carry_out(body, injected)

    @staticmethod
    def _for(table: Iterable[str], body: str) -> str | None:
        return next((begin for begin in table if body.upper().startswith(begin.upper())), None)

    def _carry_out(self, body: str, injected: Injected) -> None:
        self._busy = ""
        self._middle = injected.middle
        try:
            lines = self._pieces(body)
        except Refused as refused:
            self.error(refused.code)
        else:
            if lines is not LATER:
                self.information(lines)
                self.result("OK")
        if not self._busy:
            self.say(injected.behind)
            self.release()

    def _pieces(self, body: str) -> list[str] | Later:
        """The commands of a line, from left to right."""
        lines: list[str] = []
        while body := body.lstrip(" ;"):
            if body[0] in "+*#%$":
                end = _end_of_command(body)
                reply = self._extended(body[:end].rstrip())
                if isinstance(reply, Later):
                    if body[end:].strip(" ;"):
                        self.record.complain(f"something behind a command that takes its time: {body!r}")
                    return LATER
                lines += reply or []
                body = body[end:]
                continue
            match = _BASIC.match(body)
            if match is None:
                raise Refused
            if match[1]:
                lines += self.general.basic(match[1].upper(), int(match[2] or 0))
            body = body[match.end() :]
        return lines

    def _extended(self, text: str) -> Reply:
        match = _COMMAND.fullmatch(text)
        if match is None:
            raise Refused
        name, operation, values = match[1].upper(), match[2] or "", match[3]
        refusal = self._for(self.refusals, text)
        if refusal is not None and self.refusals[refusal]:
            raise Refused(self.refusals[refusal].pop(0))
        arguments: list[Argument] = split(values) if values is not None else []
        kind = {"": "act", "?": "read", "=?": "test"}.get(operation, "set")
        for part in self.parts:
            method = getattr(part, f"{kind}_{name[1:].lower()}", None) if name[0] == "+" else None
            if method is not None:
                reply: Reply = method(arguments) if kind == "set" else method()
                return reply
        return self.unknown(text, name, kind)


def _end_of_command(body: str) -> int:
    """Where a command of a line ends: at a semicolon outside quotes."""
    quoted = False
    for at, sign in enumerate(body):
        quoted ^= sign == '"'
        if sign == ";" and not quoted:
            return at
    return len(body)
