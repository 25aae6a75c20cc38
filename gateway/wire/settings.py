"""What a host may set of the line discipline (V.250 section 6), kept on the host's side alone."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

CR, LF, BS, ETX, DLE, SUB, ESC = 13, 10, 8, 3, 16, 26, 27

_PROFILE = (
    "echo", "verbose", "quiet", "result_detail", "error_detail", "carrier", "terminal_ready", "set_ready",
)  # fmt: skip


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
        registers = self.registers
        return bytes((registers[3] & 0x7F, registers[4] & 0x7F))

    @property
    def guard_s(self) -> float:
        """S12, in fiftieths of a second: the silence around an escape sequence."""
        return self.registers[12] / 50

    def assign(self, other: LineSettings) -> None:
        """Take over all of ``other``'s values (``ATZ``, ``AT&F``), in place."""
        for item in fields(self):
            setattr(self, item.name, getattr(other, item.name))
        self.registers = dict(other.registers)

    def profile(self) -> str:
        """What ``AT&W`` stores, in words; the port's rate is the link's own."""
        flags = [f"{name}={int(getattr(self, name))}" for name in _PROFILE]
        pairs = [f"{name}={value[0]},{value[1]}" for name, value in (("flow", self.flow), ("frame", self.frame))]
        return " ".join([*flags, *pairs, *(f"S{name}={value}" for name, value in sorted(self.registers.items()))])

    def load(self, profile: str) -> None:
        """Take over a :meth:`profile`; what is not understood in it is left out."""
        for entry in profile.split():
            name, _, value = entry.partition("=")
            numbers = [int(number) for number in value.split(",") if number.isdecimal()]
            if name in ("flow", "frame") and len(numbers) == 2:
                setattr(self, name, (numbers[0], numbers[1]))
            elif name in _PROFILE and len(numbers) == 1:
                setattr(self, name, type(getattr(self, name))(numbers[0]))
            elif name[:1] == "S" and name[1:].isdecimal() and len(numbers) == 1:
                register = int(name[1:])
                if numbers[0] <= register_limit(register):
                    self.registers[register] = numbers[0]

    def copy(self) -> LineSettings:
        """An independent copy (``AT&W``)."""
        return replace(self, registers=dict(self.registers))


def register_limit(register: int) -> int:
    """The highest value of an S-register; S3 to S5 are characters of seven bits (V.250, 6.2.1 to 6.2.3)."""
    return 127 if register in (3, 4, 5) else 255
