"""The module itself. Its commands are in files of their own."""

from __future__ import annotations

from standin.arguments import Refused, split
from standin.line import Line
from standin.mip.calls import Calls
from standin.mip.general import MipGeneral
from standin.mip.habits import MipHabits
from standin.mip.online import Online
from standin.mip.opening import Opening
from standin.mip.pings import Pings
from standin.mip.receiving import Receiving
from standin.mip.sending import Sending
from standin.mip.settings import Settings
from standin.reply import LATER, Later, Mode, Reply

NOT_SUPPORTED, PARAMETER = 4, 2000


class MipModule(Line):
    """See the module's text."""

    habits: MipHabits
    stored: dict[str, int]
    """What survives a power cycle: +GTSET, +MIPKEEPCONF (F40)."""

    def power_up(self) -> None:
        super().power_up()
        if not hasattr(self, "stored"):
            self.stored = {"SENDTIME": 12, "IPRFMT": 0}
        self.general = MipGeneral(self)
        self.bearers = Calls(self)
        self.sockets = Opening(self)
        self.sending = Sending(self)
        self.receiving = Receiving(self)
        self.mapping = Online(self)
        self.pings = Pings(self)
        self.settings = Settings(self)
        self.parts = (
            self.general,
            self.bearers,
            self.sockets,
            self.sending,
            self.receiving,
            self.mapping,
            self.pings,
            self.settings,
        )

    def spaced(self, text: str) -> str:
        """A +MIP line with this module's blanks; what stands in quotes is left alone."""
        name, colon, rest = text.partition(": ")
        if not colon or not name.startswith(("+MIP", "+MP", "+MS")) or "(" in rest:
            return text
        parts = [f'"{value.text}"' if value.quoted else value.text for value in split(rest)]
        separator = self.habits.after_colon
        return name + ("" if separator == "=" else ":") + separator + ("," + self.habits.after_comma).join(parts)

    def error(self, code: int | None) -> None:
        """Codes of the TCP/IP list have names of their own in some modules (F58)."""
        if code is None or not self.general.error_codes or self.habits.errors == "plain":
            self.result("ERROR")
        elif code >= PARAMETER and self.habits.errors != "cme":
            self.result(f"+TCPIP ERROR: {code}" if self.habits.errors == "tcpip" else f"ERROR: {code}")
        else:
            super().error(code)

    def unsolicited(self, text: str) -> None:
        self.event(self.spaced(text))

    def event(self, text: str) -> None:
        """Something that happened: told when no answer is under way."""
        if self.mode is Mode.DATA or self.is_busy or (self.mode is Mode.PROMPT and not self.habits.prompt_talks):
            self._held.append(text)
            return
        if self.habits.chatter:
            self.say_line("RING")
        self.say_line(text)

    def release(self) -> None:
        if self.mode is Mode.DATA or self.is_busy:
            return
        held, self._held = self._held, []
        for text in held:
            self.event(text)

    def _pieces(self, body: str) -> list[str] | Later:
        if body.strip().upper() == "O":
            self.mapping.resume()
            return LATER
        return super()._pieces(body)

    def payload(self, data: bytes) -> bytes:
        return self.mapping.hear(data)

    def typed(self, data: bytes) -> bytes:
        return self.sending.typed(data) if self.sending.prompted else super().typed(data)

    def unknown(self, text: str, name: str, kind: str) -> Reply:
        if name.startswith(("+MIP", "+MP", "+MS", "+GTSET")):
            self.record.complain(f"not of the manual: {text}")
        self.record.add("-", f"unknown: {text}")
        raise Refused(NOT_SUPPORTED)
