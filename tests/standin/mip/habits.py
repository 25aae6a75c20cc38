"""Where the manual and its errata leave a reading open, or modules differ in the field: one field a habit.

The defaults are what the errata list calls the form to emit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from standin.habits import LineHabits


@dataclass(frozen=True, slots=True)
class MipHabits(LineHabits):
    """How this one module behaves; see the module's text."""

    boot: tuple[str, ...] = ("RDY", "+SIM READY", "PB DONE", "SMS Ready", "AT READY")
    cpin_result: bool = True

    # -- layout
    after_colon: str = " "
    """Blanks in +MIP lines; older relatives write ``=`` for the colon and its blank (field)."""
    after_comma: str = ""
    brackets: bool = False
    """Lists of sockets in brackets (F14)."""
    errors: Literal["cme", "plain", "tcpip", "bare"] = "cme"
    """``+CME ERROR: 2004``, ``ERROR``, ``+TCPIP ERROR: 2004`` or ``ERROR: 2004`` (F58, field)."""
    chatter: bool = False
    """RING and +CREG around every answer and before every event."""

    # -- bearer
    call_delay_s: float = 0.05
    call_order: Literal["ok_first", "line_first", "together"] = "ok_first"
    """+MIPCALL: behind its OK and later, before it, or in one piece with it."""
    call_failure: Literal["late", "code"] = "late"
    """A refused bearer: OK and then +MIPCALL: 0, or an error (F08)."""
    call_twice: Literal["again", "error"] = "error"
    """+MIPCALL=1 with a link: its line once more, or an error."""
    call_loss: Literal["both", "stats_first", "call", "stats"] = "both"
    """What it says when the network takes the link: of the link and of its sockets, in which order."""
    stop_stats: bool = False
    """+MIPSTAT of the sockets that a release closes."""

    # -- sockets
    open_order: Literal["ok_first", "line_first", "together"] = "ok_first"
    open_delay_s: float = 0.0
    """How long an open socket is kept secret."""
    failure: Literal["stat", "stat2", "state0", "code"] = "stat"
    """A client that cannot connect: +MIPSTAT 1 or 2, +MIPOPEN with state 0 (F10), or an error instead of OK (F15)."""
    failed_kept: bool = False
    """A socket that has failed to open is still to be closed."""
    listen_told: bool = False
    """+MIPOPEN: id,0 when a listener begins to listen."""
    peer_close: Literal["stat1", "stat2", "close"] = "stat1"
    """The peer has closed: +MIPSTAT or +MIPCLOSE (F35, field)."""
    reset_status: int = 1
    lost_kept: bool = True
    """A socket whose peer has gone is still to be closed."""
    close_order: Literal["ok_first", "line_first", "together"] = "ok_first"
    close_delay_s: float = 0.02
    """How long a close takes that waits for the peer's FIN; the socket is not free before."""
    close_stat: Literal["", "before", "behind"] = ""
    """+MIPSTAT: id,2 around the +MIPCLOSE line of the host's own close."""
    close_bytes: bool = False
    """Three fields in +MIPCLOSE (F16)."""
    acknowledges: bool = False
    """+MIPSTAT: id,0,n for bytes that the peer has (as with is_nack_ind_req 2)."""

    # -- sending
    pushes_at_watermark: bool = True
    """What reaches the watermark is pushed, or only what exceeds it (1.1.4.1)."""
    stack_bytes: int = 8192
    """How much waits below that buffer."""
    push_length: bool = False
    """Third field in +MIPPUSH (F36)."""
    prompt: bytes = b">\r\n"
    """F23"""
    prompt_answer: Literal["printed", "ok_prompt", "one", "push", "send"] = "printed"
    """OK, +MIPPUSH, +MIPSEND, OK behind the data (F25), the first OK before the prompt, one OK behind the lines,
    or one line behind the one OK (field)."""
    has_prompt: bool = True
    """Data can be typed behind a prompt."""
    xoff_every: int = 0
    """Every so manieth send is met by a +MIPXOFF and status 1, and a +MIPXON soon; 0: only for want of room."""
    xon_delay_s: float = 0.1

    # -- receiving
    upper: bool = True
    """Upper case digits (F59)."""
    cuts: tuple[int, ...] = ()
    """Lengths of the pieces that it tells received data in, round and round; empty: as they come."""
    left_told: bool = True
    """The second field of +MIPRTCP is what still waits (else always 0)."""
    prompt_talks: bool = False
    """Events come between a prompt and the end of its data too."""
    read_told: Literal["each", "once", "data"] = "each"
    """What announces data in IPRFMT 5: +MIPREAD for each arrival, once until read, or +MIPDATA (F52, F53)."""
    read_separator: bytes = b"\r\n"
    """Between the length and the data of +MIPDATA: a line's end, or a comma (F52)."""
    read_end: bytes = b"\r\n"
    """Behind those data (F52)."""
    has_read_mode: bool = True
    """It has IPRFMT 5; ``has_raw_mode``: IPRFMT 2."""
    has_raw_mode: bool = True
    line_end: bytes = b"\r\n"
    """Behind the data of +MIPRTCP (F30)."""
    raw_stop: bool = True
    """A line's end behind raw data (F30)."""

    # -- pseudo command mode
    online_entry: Literal["line", "connect", "both"] = "line"
    online_end: Literal["stat", "no_carrier"] = "stat"
    """What it says in online data mode when the peer has gone (F46)."""
    guard_s: float = 1.0
    guard_margin_s: float = 0.03

    # -- pings
    ping_quotes: bool = False
    """The address in +MPING, as the one in +MPINGSTAT (F43)."""
