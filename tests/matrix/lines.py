"""Host programs that read lines: answers to their commands, and events whenever they come."""

from __future__ import annotations

from collections import deque

from support.rig import Terminal

from matrix.host import OK, Failure, HostProgram


class LineProgram(HostProgram):
    """Keeps what is told unasked until somebody wants to know it."""

    events: tuple[str, ...]
    """Beginnings of lines that come unasked."""
    harmless: tuple[str, ...] = ()
    """Those that nobody need have asked for at the end of a scenario."""

    def __init__(self, line: Terminal, dialect: str) -> None:
        super().__init__(line, dialect)
        self.told: deque[str] = deque()

    def read_line(self, limit_s: float = 15.0) -> str:
        """The next line that is not empty."""
        while True:
            text = self.line.until(b"\r\n", limit_s=limit_s)[:-2]
            if text:
                return text.decode("latin-1")

    def is_event(self, line: str) -> bool:
        """Whether a line was said unasked."""
        return line.startswith(self.events)

    def answer(self, text: str, limit_s: float = 15.0, end: str = "OK") -> list[str]:
        """The lines of an answer, the last one a result, or what begins like ``end``. Raises :class:`Failure`."""
        self.line.say(text.encode("latin-1") + b"\r")
        return self.lines_until(end, limit_s)

    def lines_until(self, end: str, limit_s: float = 15.0) -> list[str]:
        """Lines up to one that begins so, or a result; events are kept. Raises :class:`Failure`."""
        lines: list[str] = []
        while True:
            line = self.read_line(limit_s)
            if "ERROR" in line:
                raise Failure(self.code(line))
            if self.is_event(line):
                self.told.append(line)
                continue
            lines.append(line)
            if line.startswith(end) or line in ("CONNECT", "NO CARRIER"):
                return lines

    def command(self, text: str, limit_s: float = 15.0) -> str:
        """The information lines of a command that succeeds. Raises :class:`Failure`."""
        *lines, last = self.answer(text, limit_s)
        assert last in ("OK", "CONNECT"), last
        return " | ".join(lines)

    def event(self, *beginnings: str, limit_s: float = 15.0) -> str:
        """The next event that begins so, heard already or still to come within the limit, whatever else is said
        meanwhile. Raises :class:`Failure` at an error line."""
        for line in self.told:
            if line.startswith(beginnings):
                self.told.remove(line)
                return line
        due_s = self.line.now_s + limit_s
        while True:
            line = self.read_line(due_s - self.line.now_s)
            if line.startswith(beginnings):
                return line
            if "ERROR" in line:
                raise Failure(self.code(line))
            assert self.is_event(line), f"heard {line!r}, waiting for {beginnings}"
            self.told.append(line)

    def quiet(self) -> None:
        """Nothing is left of what has been said, and the line is in command mode."""
        self.command("AT")
        rest = self.line.rest()
        assert rest in (b"", OK), f"left over: {rest!r}"
        left = [line for line in self.told if not line.startswith(self.harmless or ("\n",))]
        self.told.clear()
        assert not left, f"nobody expected {left}"
