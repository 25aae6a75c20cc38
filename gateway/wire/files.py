"""Data phases that carry one file: what the host sends is the file, or is nobody's."""

from __future__ import annotations

from gateway.wire.phase import Etx, HostPhase, Taken
from gateway.wire.plus import EscapeDetector


class FilePhase(HostPhase):
    """A file in one direction. ``mute``: what the host sends goes nowhere, only its end counts."""

    def __init__(self, *, escaped: bool, etx: Etx, plus: EscapeDetector, mute: bool = False) -> None:
        super().__init__(escaped=escaped, etx=etx, plus=plus)
        self.mute = mute

    def from_host(self, data: bytes, now: float) -> Taken:
        """Take what the host sent."""
        return self._mine(super().from_host(data, now))

    def tick(self, now: float) -> Taken:
        """What time alone decides."""
        return self._mine(super().tick(now))

    def _mine(self, taken: Taken) -> Taken:
        if self.mute:
            taken.payload.clear()
        return taken


class PartPhase(FilePhase):
    """A file of a known size, which is kept here; with one byte more the phase ends, and the file is cut."""

    def __init__(self, size_bytes: int, plus: EscapeDetector) -> None:
        super().__init__(escaped=True, etx=Etx.ENDS, plus=plus, mute=True)
        self._size_bytes = size_bytes
        self.part = bytearray()
        self.cut = False

    def _mine(self, taken: Taken) -> Taken:
        self.part += b"".join(taken.payload)
        if len(self.part) > self._size_bytes:
            taken.dropped = len(self.part) - self._size_bytes
            del self.part[self._size_bytes :]
            self.cut = taken.ended = True
        return super()._mine(taken)
