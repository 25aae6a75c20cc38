"""What the host's side knows and puts out: the line's state, what the host is told and when, notes for people.

It is the lowest of the layers that make a :class:`~gateway.session.host.HostSide`; each knows those below it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.dialect.dialect import Dialect
from gateway.dialect.firmware import Data, Fail, Firmware, Ok, Outcome, Silent, Surroundings, Word
from gateway.model.findings import Finding, FindingKind
from gateway.model.results import Done, Failed, PassedThrough, Progress, Prompted, Relayed, Result
from gateway.model.tuning import Tuned
from gateway.session.early import EarlyData
from gateway.session.effects import Effect, Keep, Note, SetPort, ToHost
from gateway.session.speaking import Speaker
from gateway.session.tasks import Mode, Run, Task
from gateway.wire.command import CommandLineReader
from gateway.wire.settings import LineSettings

PROFILE = "&W"
"""The name under which the line's settings are kept, beside the dialect's own values."""


class HostWorker:
    """See the module's text."""

    def __init__(
        self,
        dialect: Dialect,
        firmware: type[Firmware],
        *,
        stored: dict[str, str | int] | None = None,
        policy: str = "lenient",
        tracing: bool = False,
        rate: int = 115200,
        swallows: Callable[[str], bool] | None = None,
    ) -> None:
        dialect.warm()
        self.dialect = dialect
        self._firmware = firmware
        self._swallows = swallows
        """Asked about each command line; a line that it takes is never answered."""
        self.settings = LineSettings(rate=rate)
        stored = {key: value for key, value in (stored or {}).items() if key == PROFILE or dialect.may_keep(key, value)}
        self.settings.load(str(stored.get(PROFILE, "")))
        self._saved = self.settings.copy()
        self.around = Surroundings(self.settings, policy, dialects_own(stored))
        self.firmware = firmware(dialect, self.around)
        self.effects: list[Effect] = []
        self.tracing = tracing
        self.mode = Mode.COMMAND
        self._reader = CommandLineReader(self.settings, dialect.tables.lines.limit_bytes)
        self._pending = bytearray()
        self._speaker = Speaker(dialect, self.settings)
        self._run: Run | None = None
        self._foreground: Task | None = None
        self._tasks: list[Task] = []
        self._running: Task | None = None
        self._data: Task | None = None
        self._entry = bytearray()
        self._early = EarlyData()
        self._tickets = 0
        self._last_line = b""
        self._kept = dict(stored)
        self._erased = False
        self._after_answer: SetPort | None = None
        self._closing: Data | None = None
        """The host has ended this data phase and has not been told that it is closed: what still arrives is delivered."""
        self._deaf = False
        """The connection ended and the host has not been told yet: what it sends is payload for nobody."""

    def _store(self, values: dict[str, str | int], erase: bool) -> None:
        if erase:
            self._kept = {name: value for name, value in self._kept.items() if name == PROFILE}
            self._erased = True
        self._kept.update(values)
        self.effects.append(Keep(dict(self._kept)))

    def _reset(self) -> None:
        """The host has reset the module: what was erased is gone now."""
        if self._erased:
            self.around.stored.clear()
            self.around.stored.update(dialects_own(self._kept))
            self._erased = False
        self.firmware.restarted()

    # -- what the host reads ---------------------------------------------------------------------------------------------

    @property
    def _free(self) -> bool:
        """Whether an unsolicited line may be said now."""
        return self.mode is Mode.COMMAND and self._run is None and self._data is None and not self._reader.partial

    def _speak(self, data: bytes, task: Task | None) -> None:
        """Text of a task: part of the running answer, or unsolicited."""
        if task is not None and (task.foreground or task is self._data):
            self._speaker.answer(data)
        else:
            self._unsolicited(data, held=task is None and self._answering)

    @property
    def _answering(self) -> bool:
        """Whether a command that let its line go waits for what its result depends on."""
        return any(task.answers and task.ticket is not None for task in self._tasks)

    def _unsolicited(self, data: bytes, *, held: bool = False) -> None:
        dropped = self._speaker.dropped
        if held:
            self._speaker.hold(data)
        else:
            self._speaker.unsolicited(data, free=self._free)
        if self._speaker.dropped > dropped:
            self._finding(Finding(FindingKind.LOST, "an unsolicited line", "too many waited"))

    def _outcome(self, outcome: Outcome, *, text: bool) -> None:
        """The result of a line."""
        self._deaf = False
        self._closing = None
        self._speaker.release()
        self._speaker.now(self._result(outcome, text=text))
        if self._after_answer is not None:
            self._flush()
            self.effects.append(self._after_answer)
            self._after_answer = None

    def _outcome_later(self, outcome: Outcome) -> None:
        """The result of a task that let its command line go."""
        self._unsolicited(self._result(outcome, text=False))

    def _result(self, outcome: Outcome, *, text: bool) -> bytes:
        match outcome:
            case Ok():
                words, behind = "OK", text or outcome.after_text
            case Silent():
                return b""
            case Word(word):
                words, behind = word, text
            case Fail(cause, command, original, why):
                words = self.dialect.error_text(cause, command, detail=self.settings.error_detail)
                behind = text
                self._note("failed", cause.value, said=words, original=original, why=why)
        if self.tracing:
            self._note("result", words)
        return self._speaker.result(words, after_text=behind)

    def _flush(self) -> None:
        out = self._speaker.take()
        if out:
            self.effects.append(ToHost(out))

    # -- for people ------------------------------------------------------------------------------------------------------

    def _note_result(self, result: Result | Progress) -> None:
        if self.mode is Mode.PROMPT or self.mode is Mode.RELAY:
            self.mode = Mode.COMMAND
        match result:
            case PassedThrough():
                self._note("result_of_request", "PassedThrough", result)
            case Prompted(lines):
                self.mode = Mode.PROMPT
                self._speaker.answer(self._speaker.block(lines) + self.settings.end + b"> ")
                self._speaker.release()
            case Relayed((*lines, words)):
                self.mode = Mode.RELAY
                self._speaker.answer(self._speaker.block(lines))
                self._speaker.answer(self._speaker.result(words))
                self._speaker.release()
            case Failed():
                self._note("result_of_request", "failed", cause=result.cause.value, original=result.original)
            case Done(Tuned(ignored)):
                for tuning in ignored:
                    self._finding(Finding(FindingKind.EMULATED, tuning, "kept here, without effect on the network"))
            case Done():
                pass
            case _:
                self._note("result_of_request", type(result).__name__, result)

    def _finding(self, finding: Finding) -> None:
        self.effects.append(Note("finding", {"what": finding.kind.value, "old": finding.old, "new": finding.new}))

    def _note(self, kind: str, what: str, value: object = None, **fields: Any) -> None:
        if self.tracing:
            if value is not None:
                fields["value"] = value
            self.effects.append(Note(kind, {"what": what, **fields}))


def dialects_own(kept: dict[str, str | int]) -> dict[str, str | int]:
    """What is kept but the settings of the line."""
    return {name: value for name, value in kept.items() if name != PROFILE}
