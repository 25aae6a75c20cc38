"""What a host may set of the line discipline (V.250 section 6), kept on the host's side alone."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

CR, LF, BS, ETX, DLE, SUB, ESC = 13, 10, 8, 3, 16, 26, 27


@dataclass(slots=True)
class LineSettings:
    """Echo, verbosity, suppression, S-registers and the port's own settings; the defaults are a modem's at power-up."""

    echo: bool = True
    verbose: bool = True
    quiet: bool = False
    result_detail: int = 4
    """``ATX``."""
    error_detail: int = 0
    """``AT+CMEE``."""
    carrier: int = 1
    """``AT&C``."""
    terminal_ready: int = 2
    """``AT&D``."""
    set_ready: int = 0
    """``AT&S``."""
    rate: int = 115200
    """``AT+IPR``; bits per second, 0 = automatic."""
    flow: tuple[int, int] = (2, 2)
    """``AT+IFC``: by the host, by the module; 0 none, 2 RTS/CTS."""
    frame: tuple[int, int] = (3, 4)
    """``AT+ICF``: format and parity."""
    registers: dict[int, int] = field(
        default_factory=lambda: {0: 0, 2: 43, 3: CR, 4: LF, 5: BS, 7: 50, 8: 2, 10: 1, 12: 50}
    )

    @property
    def end(self) -> bytes:
        """The two characters that end a line of an answer: S3 and S4."""
        return bytes((self.registers[3] & 0x7F, self.registers[4] & 0x7F))

    @property
    def guard_s(self) -> float:
        """S12, in fiftieths of a second: the silence around an escape sequence."""
        return self.registers[12] / 50

    def assign(self, other: LineSettings) -> None:
        """Take over all of ``other``'s values (``ATZ``, ``AT&F``), in place."""
        for item in fields(self):
            setattr(self, item.name, getattr(other, item.name))
        self.registers = dict(other.registers)

    def copy(self) -> LineSettings:
        """An independent copy (``AT&W``)."""
        return replace(self, registers=dict(self.registers))
