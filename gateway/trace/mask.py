"""Secrets taken out of what is recorded: by field where a command's shape tells, and by value where one is known."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from gateway.dialect.schema import Tables
from gateway.model.values import Secret

MASK = "***"
SHORTEST = 4
"""A known value shorter than this is only masked by field: it would stand in every other word."""

_STANDARD = (
    r"\+CPIN2? *= *([^;\r\n]*)",
    r"\+CPWD *= *([^;\r\n]*)",
    r"\+CLCK *= *[^,;]*, *[0-9]+ *,([^;\r\n]*)",
    r"\+CPUC *= *([^;\r\n]*)",
    r"\+EPIN *= *([^;\r\n]*)",
    r"\+CGAUTH *= *[^,]*, *[^,]*,([^;\r\n]*)",
)


class Masker:
    """Knows the secrets of the dialects of a session; remembers values that it has seen."""

    def __init__(self, *tables: Tables) -> None:
        patterns = list(_STANDARD)
        for table in tables:
            patterns += table.secrets
            names = [name for name, parameter in table.parameters.items() if parameter.secret]
            if names:
                joined = "|".join(sorted(names, key=len, reverse=True))
                patterns.append(rf"#(?:{joined}) *(?:=|:) *([^;\r\n]*)")
        self._fields = re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
        self._values: set[str] = set()
        self._known: re.Pattern[str] | None = None

    def learn(self, value: str) -> None:
        """Remember a secret's value."""
        value = value.strip().strip('"')
        if len(value) >= SHORTEST and value not in self._values:
            self._values.add(value)
            longest = sorted(self._values, key=len, reverse=True)
            self._known = re.compile("|".join(re.escape(one) for one in longest))

    def text(self, text: str) -> str:
        """``text`` without secrets."""
        masked = self._fields.sub(self._field, text)
        return self._known.sub(MASK, masked) if self._known is not None else masked

    def _field(self, match: re.Match[str]) -> str:
        whole, start = match[0], match.start()
        for number in range(len(match.groups()), 0, -1):
            if match[number]:
                for part in match[number].split(","):
                    self.learn(part)
                begin, end = match.start(number) - start, match.end(number) - start
                whole = whole[:begin] + MASK + whole[end:]
        return whole

    def plain(self, value: Any) -> Any:
        """A value as JSON can have it, without secrets."""
        if isinstance(value, Secret):
            self.learn(str(value))
            return MASK if value else ""
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode("latin-1"))
        if is_dataclass(value) and not isinstance(value, type):
            return {item.name: self.plain(getattr(value, item.name)) for item in fields(value)}
        if isinstance(value, dict):
            return {str(key): self.plain(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.plain(item) for item in value]
        return value
