"""The module itself. Its commands are in files of their own."""

from __future__ import annotations

from standin.arguments import split
from standin.bearers import Bearers
from standin.creating import Creating
from standin.general import General
from standin.habits import Habits
from standin.line import Line
from standin.mapping import DataMode
from standin.offline import Offline
from standin.pings import Pings
from standin.reply import Reply


class Module(Line):
    """See the module's text."""

    habits: Habits

    def power_up(self) -> None:
        super().power_up()
        self.general = General(self)
        self.bearers = Bearers(self)
        self.sockets = Creating(self)
        self.mapping = DataMode(self)
        self.offline = Offline(self)
        self.pings = Pings(self)
        self.parts = (self.general, self.bearers, self.sockets, self.mapping, self.offline, self.pings)

    def spaced(self, text: str) -> str:
        """A +WIP line with this module's blanks; what stands in quotes is left alone."""
        name, colon, rest = text.partition(": ")
        if not colon or not name.startswith("+WIP"):
            return text
        parts = [f'"{value.text}"' if value.quoted else value.text for value in split(rest)]
        return name + ":" + self.habits.after_colon + ("," + self.habits.after_comma).join(parts)

    def payload(self, data: bytes) -> bytes:
        return self.mapping.hear(data)

    def unknown(self, text: str, name: str, kind: str) -> Reply:
        if name.startswith("+WIP") and kind in ("read", "test"):
            return self.general.nothing_to_say()
        return super().unknown(text, name, kind)
