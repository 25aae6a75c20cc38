"""What the host's side has in hand: who its bytes are for, the command line that runs, and generators that wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial

from gateway.dialect.firmware import Data, Steps, Text
from gateway.dialect.nodes import Piece
from gateway.model.events import Event
from gateway.model.values import Ticket

EXPECTED_LIMIT = 64


class Mode(Enum):
    """Who the host's bytes are for."""

    COMMAND = "command"
    DATA = "data"
    TEXT = "text"
    """An entry of text of the dialect's own."""
    PROMPT = "prompt"
    """Text for a command of the module's."""
    RELAY = "relay"
    """A data call of the module's."""


@dataclass(eq=False, slots=True)
class Task:
    """A generator at work, and what it waits for."""

    steps: Steps
    name: str
    command: str = ""
    foreground: bool = False
    """It holds the command line."""
    ticket: Ticket | None = None
    expects: Callable[[Event], bool] | None = None
    expected: deque[Event] = field(default_factory=partial(deque, maxlen=EXPECTED_LIMIT))
    """Events that came before they were waited for."""
    waits: bool = False
    due_s: float | None = None
    data: Data | None = None
    text: Text | None = None
    turns: bool = False
    """It waits for its turn to tell something."""
    passing: bool = False
    """It passes a command of the module's through."""


@dataclass(slots=True)
class Run:
    """A command line being carried out."""

    pieces: deque[Piece]
    text: bool = False
    """Information text was said: the result closes an answer."""
