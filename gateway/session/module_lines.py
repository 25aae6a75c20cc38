"""The module's lines: answers of the command in flight, messages, text for the host, prompts, boot texts."""

from __future__ import annotations

import re

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Answer, Final
from gateway.model.causes import Cause
from gateway.model.events import ModuleText
from gateway.model.findings import FindingKind
from gateway.model.results import Failed, PassedThrough, Prompted, Relayed
from gateway.model.values import Ticket
from gateway.session.effects import News, RelayedBytes
from gateway.session.module_payload import PayloadSide
from gateway.session.module_worker import Job, Mail, State
from gateway.session.sorting import Flight, Sort, code_of
from gateway.wire.answer import TextLine

FORGOTTEN_S = 2.0
"""So long a command may take that was under way when the module printed a line of its boot text at the start."""
NO_RESULT_S = 0.2
"""How long to wait for the result of a command that is known to have none."""
TEXT_END_S = 0.1
"""Nothing follows a result for so long; a text that is listed goes on."""
UNHEADED_S = 2.0
"""For so long where it looks like a line of the text: some modules are careless with line ends."""
TEXT_REST_S = 2.0
"""How long the rest of a text may take that the module has begun unasked; an empty one has none."""
PROMPT_S = 60.0
"""How long a host may pause while it types the text that a module has asked for."""
GIVE_UP = b"\x1b"
"""Ends an entry of text without its effect (3GPP TS 27.005, 3.5.1)."""
_NOISE = re.compile(r"[^ -~]")
_SIGNS = ("+", "*", "^", "#")


class LinesSide(PayloadSide):
    """See the module's text."""

    def _read_lines(self) -> None:
        while self._relay is None and (self._phase is None or self._phase_over):
            waiting = self._waiting
            flight = waiting if isinstance(waiting, Flight) else None
            item = self._reader.take_one(flight is not None and flight.prompts)
            if item is None:
                return
            if isinstance(item, TextLine):
                self._line(item, flight)
            else:
                self._prompt()
        rest = self._reader.take_rest()
        if rest:
            self._take(rest)

    def _whole(self, data: bytes, flight: Flight) -> bool:
        """Whether bytes are the whole answer to a command of the host's, as most are: no look at each line is needed."""
        whole = self._reader.whole(data)
        if whole is None or flight.lines or flight.texts or self._sorter.collecting:
            return False
        line, name = whole
        if line and not self._sorter.plain(name):
            return False
        self._resume(PassedThrough((line,) if line else (), "OK"))
        return True

    def _line(self, line: TextLine, flight: Flight | None) -> None:
        if self._text_due_s is not None and self._sorter.ended_before(line):
            self._give_up_rest()
        if self._payload_lines and line.text.startswith(self._payload_lines) and not self._sorter.collecting:
            self._payload_line(line.text)
            return
        if flight is not None and flight.texts:
            if self._listed(line, flight):
                return
            flight = flight if self._waiting is flight else None
        sort, heard = self._sorter.sort(line, flight)
        match sort:
            case Sort.ANSWER:
                assert flight is not None
                self._answer_line(line, heard, flight)
            case Sort.RESULT:
                assert flight is not None
                if heard is not None:
                    flight.heard.append(heard)
                    self._open_by_itself(heard)
                self._result("OK" if heard is not None else line.text.strip(), flight)
            case Sort.HEARD:
                assert heard is not None
                self._heard(heard, line.text)
            case Sort.ECHO:
                # It is off in the known state: the module has restarted without a word.
                self._doubtful |= self.state is State.READY and flight is not None and not flight.probe
            case Sort.STRAY:
                self._note("stray", text=line.text)
                self._tell(Heard("result", {"text": line.text.strip()}))
            case Sort.UNSOLICITED if self._phase_over and self._is_hint(line.text):
                pass  # the end that the ETX has told already, once more in words (erratum X14)
            case Sort.UNSOLICITED:
                whole = self._sorter.collect(line)
                self._text_due_s = None if whole is not None else self._now + TEXT_REST_S
                if whole is not None:
                    self._unasked(whole)
            case Sort.BOOT:
                self._texts.append((line.text,))
                self._booted(line.text, flight)

    def _listed(self, line: TextLine, flight: Flight) -> bool:
        """Whether a line is of a message that is listed, whatever it says; what looks like the result decides later.

        A result has a line end of its own before it, and nothing behind it.
        """
        if self._sorter.collecting:
            return False
        sort, _ = self._sorter.sort(line, flight)
        unasked = line.empty_before > 0 and sort in (Sort.UNSOLICITED, Sort.HEARD, Sort.BOOT)
        perhaps = flight.perhaps
        if perhaps is not None:
            if unasked:
                self._listed_result(perhaps, flight)
                return False
            flight.add(perhaps.empty_before, perhaps.text)
            flight.perhaps, flight.due_s = None, self._due(flight.text)
        if not flight.lines:
            return False
        if unasked:
            flight.add(line.empty_before - 1)
        elif sort is Sort.RESULT:
            flight.perhaps, flight.due_s = line, self._now + (TEXT_END_S if line.empty_before else UNHEADED_S)
        else:
            flight.add(line.empty_before, line.text)
        return not unasked

    def _listed_result(self, line: TextLine, flight: Flight) -> None:
        """The result of what lists messages; one of the line ends before it is its own."""
        flight.add(line.empty_before - 1)
        self._result(line.text, flight)

    def _give_up_rest(self) -> None:
        """The rest of a text that was begun unasked has not come."""
        self._text_due_s = None
        self._unasked(self._sorter.give_up())

    def _unasked(self, lines: tuple[str, ...]) -> None:
        """Text for the host; bytes that no module begins a line with unasked are noise on the line.

        Where a module that is brought back makes such noise, it is the rest of a data mode of its earlier life: a text
        among it is none of its own, unless it begins as those do.
        """
        first = lines[0]
        noise = _NOISE.search(first) is not None
        self._noisy |= noise and self.state is not State.READY
        if noise or (self._noisy and not first.startswith(_SIGNS) and first not in self.dialect.tables.results):
            self._note_always("finding", what=FindingKind.ODD.value, old=first[:80], new="noise on the module's line")
        else:
            self._texts.append(lines)

    def _is_hint(self, text: str) -> bool:
        return f"{{end}}{text}{{end}}" in self.dialect.tables.module.hints

    def _answer_line(self, line: TextLine, heard: Heard | None, flight: Flight) -> None:
        if heard is not None and heard.key in flight.answers:
            flight.heard.append(heard)
        elif not flight.passing and not flight.probe and not line.text.startswith(flight.text[2:].rstrip("?=")):
            # Not what the gateway asked for: it is the host's.
            self._unasked((line.text,))
            return
        flight.add(1 if line.empty_before > 1 and flight.lines else 0, line.text)
        if flight.resultless:
            flight.due_s = min(flight.due_s, self._now + NO_RESULT_S)

    def _result(self, text: str, flight: Flight) -> None:
        """Take the final result of the command in flight."""
        if text != "OK" and text.startswith("CONNECT"):
            if flight.passing:
                assert self._job is not None
                self._relay = self._job.ticket
                self.effects.append(News(self._job.ticket, Relayed((*flight.lines, text))))
                flight.due_s = float("inf")
                return
            final = Final.CONNECT
        else:
            final = Final.OK if text in ("OK", "0") else Final.ERROR
        if flight.passing:
            self._resume(PassedThrough(tuple(flight.lines), text))
            return
        code = code_of(text)
        self._note("answer", what=final.value, code=code, lines=list(flight.lines))
        self._resume(Answer(final, code, tuple(flight.heard), tuple(flight.lines)))

    def _heard(self, heard: Heard, text: str) -> None:
        """A message of the module that no command waits for as its answer."""
        self._note("heard", what=heard.key, text=text)
        waited = isinstance(self._waiting, Mail) and self._waiting.wanted(heard)
        opened = self._open_by_itself(heard)
        for event in self.driver.heard(heard):
            self._happened(event)
        chores = self.driver.chores(heard)
        if chores is not None:
            self._jobs.append(Job(chores, Ticket(0), heard.key))
        if opened and isinstance(self._waiting, Flight):  # its command went to the peer, or was never heard
            busy = Failed(Cause.BUSY, "the module has opened its data mode by itself")
            self._resume(busy if self._waiting.passing else Answer(Final.ERROR))
        elif waited:
            self._resume(heard)
        elif not self._asides.offer(heard):
            self._mail.append(heard)

    def _open_by_itself(self, heard: Heard) -> bool:
        """Whether a data mode begins behind a message."""
        opening = self.driver.opens(heard)
        if opening is not None:
            self._open(opening)
        return opening is not None

    def _tell(self, heard: Heard) -> None:
        """Give a message to whoever waits for it."""
        if isinstance(self._waiting, Mail) and self._waiting.wanted(heard):
            self._resume(heard)
        elif not self._asides.offer(heard):
            self._mail.append(heard)

    def _say_texts(self) -> None:
        """Pass unsolicited text on; only between commands, so that it never stands inside an answer."""
        while self._texts:
            self._happened(ModuleText(self._texts.popleft()))

    def _prompt(self) -> None:
        flight = self._waiting
        assert isinstance(flight, Flight)
        if flight.prompted:
            self.effects.append(RelayedBytes(b"\r\n> "))
        elif self._job is not None:
            self.effects.append(News(self._job.ticket, Prompted(tuple(flight.lines))))
            flight.lines.clear()
        flight.prompted = True
        flight.due_s = self._now + PROMPT_S

    def _relayed(self, data: bytes) -> None:
        """A data call: everything is the host's, until the module says that it is over."""
        self.effects.append(RelayedBytes(data))
        self._reader.add(data)
        while (item := self._reader.take_one(False)) is not None:
            if isinstance(item, TextLine) and item.text in ("NO CARRIER", "OK", "ERROR"):
                self._relay = None
                self._reader.take_rest()
                self._resume(PassedThrough((), ""))
                return

    def _flight_over(self, flight: Flight) -> None:
        """The limit of a command is over."""
        if flight.resultless and flight.lines:
            self._resume(PassedThrough(tuple(flight.lines), ""))
            return
        if flight.perhaps is not None:
            self._listed_result(flight.perhaps, flight)
            return
        self._note("limit", text=flight.text)
        if flight.lenient:
            self._resume(Answer(Final.OK, "", tuple(flight.heard), tuple(flight.lines)))
            return
        if not flight.probe:
            self._doubtful = True
        if flight.prompted:
            self._write(GIVE_UP)
        if flight.passing:
            self._relay = None
            self._resume(Failed(Cause.TIMED_OUT, "no result within the limit"))
        else:
            self._resume(Answer(Final.TIMED_OUT, "", tuple(flight.heard), tuple(flight.lines)))

    def _booted(self, text: str, flight: Flight | None) -> None:
        """A line that a module prints when it starts: whether it has forgotten everything is asked when it is ready."""
        self._note("boot", text=text)
        if self.state is State.STARTING:
            self._start_again = True
            if flight is not None and not flight.probe:
                flight.due_s = min(flight.due_s, self._now + FORGOTTEN_S)
        if self.state is not State.READY:
            if self.state is State.DOWN and isinstance(self._waiting, Mail):
                self._resume(None)  # it is there
            return
        self._doubtful = self._restarted = True
        self._asides.wake()  # what it has forgotten will not come
        if flight is not None and not flight.probe and not self._expected(flight):
            if flight.passing:
                self._resume(Failed(Cause.NO_MODULE, "the module restarted"))
            else:
                self._resume(Answer(Final.DOWN))
        elif isinstance(self._waiting, Mail):
            self._resume(None)  # what it has forgotten will not come

    def _expected(self, flight: Flight) -> bool:
        """Whether the command in flight makes a module print such lines without being gone."""
        return flight.text.upper().startswith("AT+CPIN") or self._sorter.traits(flight.text).resets
