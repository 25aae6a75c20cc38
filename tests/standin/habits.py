"""Where the guide and its errata leave a reading open, or modules differ in the field: one field a habit.

The defaults are what the errata list calls the form to emit. Ids in brackets are errata.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LineHabits:
    """What modules of every dialect differ in."""

    bare_lines: bool = False
    """No CR LF before a line of command mode, only behind it."""
    blank_between: bool = False
    """An empty line between information lines."""
    code_blank: bool = True
    """``+CME ERROR: 845``, or without the blank (S21)."""
    piece_bytes: int = 0
    """Everything it says comes in pieces of so many bytes, a few milliseconds apart; 0: as it comes."""
    profile: str = "E1V1Q0"
    """The stored profile that it starts with."""
    boot: tuple[str, ...] = ("+WIND: 13", "+WIND: 1", "+WIND: 16", "+WIND: 4")
    test_answer: Literal["OK", "NONE", "ERROR"] = "OK"
    """Test and read forms that have nothing to say (X18)."""
    cpin_result: bool = False
    """OK behind the answer of AT+CPIN? (2.2)."""


@dataclass(frozen=True, slots=True)
class Habits(LineHabits):
    """How this one module behaves; see the module's text."""

    # -- layout of what it says
    after_colon: str = " "
    after_comma: str = ""
    """Blanks in +WIP lines (X19, S43)."""
    ping_blank: bool = True
    """``+WIPPING: 0``, or without the blank (W27)."""
    connect_rate: bool = False
    """``CONNECT 115200`` (field)."""
    quoted_values: bool = True
    """Addresses among the values of +WIPBR and +WIPOPT in quotes."""

    # -- answers
    bearer_lines: Literal["bare", "named"] = "bare"
    """AT+WIPBR? (X06)."""
    option_index: bool = False
    """The socket's index in the answer of +WIPOPT (X03)."""
    gprs_peer: bool = True
    """Bearer option 16 can be read on GPRS."""
    tells_peer: bool = True
    """Socket option 2, the peer's address, can be read."""
    reads_offline: bool = True
    """It has +WIPDATARW."""

    # -- sockets
    ready_first: bool = False
    """+WIPREADY before the OK of +WIPCREATE."""
    failure: Literal["code", "late_code", "late_line", "peer_close"] = "code"
    """An open that fails: an error instead of OK, or OK and then +CME ERROR, +WIPERROR or +WIPPEERCLOSE (field)."""
    failure_code: int = 842
    """For an unknown name, a refusal, and silence alike."""
    local_close_told: bool = False
    """+WIPPEERCLOSE behind a close of our own (X12)."""
    freed_index_kept: bool = False
    """The index of a closed spawned client is not used again (S20)."""
    unread_close_told: bool = False
    """+WIPPEERCLOSE although data that were told wait to be read."""

    # -- data mode
    shutdown: Literal["text", "etx", "etx_text", "text_etx"] = "text"
    """The peer has shut down: SHUTDOWN, a bare ETX, or both (X14)."""
    reset: Literal["etx_code", "text", "etx"] = "etx_code"
    """The peer has reset: ETX and then +CME ERROR: 843 in command mode, or it looks like a shutdown (X14)."""
    mapping_closed: Literal["shutdown", "831", "843"] = "shutdown"
    """+WIPDATA on a socket whose peer has gone: CONNECT and SHUTDOWN, or an error."""
    udp_etx_leaves: bool = False
    """A host's ETX in UDP data mode ends that mode with OK (X15)."""
    tcp_etx_leaves: bool = False
    """The same on TCP, as the examples of 2006 have it (X15)."""
    close_before_ok: bool = False
    """+WIPPEERCLOSE before the OK of +++, not behind it."""
    guard_s: float = 1.0
    guard_margin_s: float = 0.03
    """Silence around +++, and how much less it takes for it."""

    # -- bearer
    bearer_loss: Literal["sockets", "event", "silent"] = "sockets"
    """What it says when the network takes the bearer: of its sockets, +WIPBR, nothing."""
