"""What the host's side has in hand: who its bytes are for, the command line that runs, and generators that wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

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


class Task:
    """A generator at work, and what it waits for; or a command that the module carries out, which waits for its answer.

    What a new one has not stands with the class: one is made for every command.
    """

    ticket: Ticket | None = None
    expects: Callable[[Event], bool] | None = None
    expected: deque[Event] | None = None
    """Events that came before they were waited for, at most :data:`EXPECTED_LIMIT`."""
    waits: bool = False
    due_s: float | None = None
    data: Data | None = None
    text: Text | None = None
    turns: bool = False
    """It waits for its turn to tell something."""
    answers: bool = False
    """It let the line go, and its result is still to come."""

    def __init__(self, steps: Steps | None, name: str, command: str = "", *, foreground: bool = False) -> None:
        self.steps = steps
        """None: the module carries it out."""
        self.name = name
        self.command = command
        self.foreground = foreground
        """It holds the command line."""

    def keep(self, event: Event) -> None:
        """Keep an event until it is waited for."""
        if self.expected is None:
            self.expected = deque(maxlen=EXPECTED_LIMIT)
        self.expected.append(event)


@dataclass(slots=True)
class Run:
    """A command line being carried out."""

    pieces: deque[Piece]
    alone: bool = False
    """There is but one piece."""
    text: bool = False
    """Information text was said: the result closes an answer."""
