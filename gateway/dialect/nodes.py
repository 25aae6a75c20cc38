"""What the grammars make of a line: still text, but with a shape. Columns count bytes from 1 behind the ``AT``."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum

from gateway.model.record import record


class Op(StrEnum):
    """The four forms of an extended command (V.250 section 5.4.3)."""

    EXEC = "exec"
    READ = "read"
    TEST = "test"
    SET = "set"


class Shape(StrEnum):
    """How a value was written."""

    STRING = "string"
    NUMBER = "number"
    BARE = "bare"
    NOTHING = "nothing"


@record
class Value:
    """One value; ``text`` is without its quotes."""

    shape: Shape
    text: str
    column: int = 0

    def written(self) -> str:
        """As it stands on the line."""
        return f'"{self.text}"' if self.shape is Shape.STRING else self.text


@record
class Statement:
    """An extended command of the dialect; ``name`` in capitals with its sign, for example ``#OTCP``."""

    name: str
    op: Op
    values: tuple[Value, ...] = ()
    column: int = field(default=1, compare=False)


@record
class Basic:
    """``E0``, ``&F``, ``S3=13``, ``S3?``: letter(s) in capitals, number or None, whether a register is read."""

    name: str
    number: int | None = None
    reads: bool = False
    register: int | None = None
    column: int = field(default=1, compare=False)


@record
class Foreign:
    """Text of the line that is another dialect's business, dialling included."""

    text: str
    column: int = field(default=1, compare=False)


@record
class Broken:
    """A piece of the line that cannot be read: what was expected where."""

    text: str
    column: int
    expected: str


Piece = Statement | Basic | Foreign | Broken


@record
class AnswerLine:
    """A line of an answer: its name in capitals with its sign ("" when it has none), and its values."""

    name: str
    values: tuple[Value, ...]
