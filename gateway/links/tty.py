"""Links with a descriptor of a terminal: pseudo-terminals that we make, and serial devices that pySerial opens."""

from __future__ import annotations

import array
import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import pty
import termios
import tty
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import serial

from gateway.errors import LinkError
from gateway.links.link import DRAIN_POLL_S, Link, Pump
from gateway.links.spec import LinkSpec, SerialSettings

log = logging.getLogger("gateway.links")
SIGNAL_POLL_S = 0.1


class TtyLink(Link):
    """What both have in common."""

    _pump: Pump | None = None
    _fd = -1

    def write(self, data: bytes) -> None:
        """Send."""
        if self._pump is not None:
            self._pump.write(data)
        else:
            self.undelivered_bytes += len(data)

    def read(self, reading: bool) -> None:
        """Begin or cease reading; the driver then holds the other side by RTS or XOFF, when it has flow control."""
        self.reading = reading
        if self._pump is not None:
            self._pump.read(reading)

    def drained(self, then: Callable[[], None]) -> None:
        """Our buffer and the driver's are empty."""
        if self._pump is None or (self._pump.empty and self._queued() == 0):
            then()
        else:
            asyncio.get_running_loop().call_later(DRAIN_POLL_S, self.drained, then)

    def _queued(self) -> int:
        """Bytes that the driver has not sent yet; 0 where it does not say."""
        count = array.array("i", [0])
        try:
            fcntl.ioctl(self._fd, termios.TIOCOUTQ, count)
        except OSError:
            return 0
        return count[0]


class PtyLink(TtyLink):
    """A pseudo-terminal; a symbolic link leads to the side that the other program opens.

    That side is kept open here too: the kernel would otherwise reset it to a cooked terminal whenever the other program
    closes it, and echo what we send.
    """

    def __init__(self, spec: LinkSpec) -> None:
        super().__init__(spec.text)
        self._path = Path(spec.target)
        self._slave = -1
        self._made = ""

    async def open(self) -> None:
        """Make the terminal and its symbolic link; one that a gateway has left behind is replaced, nothing else is."""
        try:
            self._fd, self._slave = pty.openpty()
        except OSError as error:
            raise LinkError(f"cannot make a pseudo-terminal for {self._path}: {error.strerror}") from error
        tty.setraw(self._slave, termios.TCSANOW)
        name = os.ttyname(self._slave)
        try:
            if self._path.is_symlink() and self._path.readlink().parent == Path(name).parent:
                self._path.unlink()
            self._path.symlink_to(name)
        except OSError as error:
            self.close()
            raise LinkError(f"cannot make the symbolic link {self._path}: {error.strerror}") from error
        self._made = name
        self._pump = Pump(self, self._fd)

    def close(self) -> None:
        """Remove the symbolic link, if it still is ours, and the terminal."""
        if self._pump is not None:
            self._pump.close()
            self._pump = None
        with contextlib.suppress(OSError):
            if self._made and str(self._path.readlink()) == self._made:
                self._path.unlink()
        self._made = ""
        for fd in (self._fd, self._slave):
            if fd >= 0:
                with contextlib.suppress(OSError):
                    os.close(fd)
        self._fd = self._slave = -1


class SerialLink(TtyLink):
    """A serial device, opened and set by pySerial, its bytes moved by our own pump."""

    def __init__(self, spec: LinkSpec) -> None:
        super().__init__(spec.text)
        self._device = spec.target
        self._settings = spec.settings
        self._symlink: tuple[int, int] | None = None
        """The one that led to the terminal that was opened last."""
        self._port: serial.Serial | None = None
        self._poll: asyncio.TimerHandle | None = None
        self._ready: bool | None = None

    async def open(self) -> None:
        """Open the device for ourselves alone."""
        symlink = _symlink(self._device)
        if self.gone and symlink is not None and symlink == self._symlink:
            raise LinkError(f"{self._device} still leads to the terminal of a program that has ended")
        try:
            self._port = serial.Serial(self._device, exclusive=True, timeout=0, **pyserial_settings(self._settings))
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise LinkError(f"cannot open {self._device}: {reason(error)}") from error
        self._symlink, self.gone = symlink, False
        self._fd = self._port.fileno()
        self._pump = Pump(self, self._fd)
        self._pump.set_rate(self._settings.baudrate)
        self._poll_signals()

    def set_port(self, rate: int | None, flow: str | None) -> None:
        """Set rate and flow control after what was written has gone out."""
        if self._port is not None:
            self._settings = reset(self._port, self._settings, rate, flow)
            if self._pump is not None:
                self._pump.set_rate(self._settings.baudrate)

    def set_carrier(self, on: bool) -> None:
        """Our DTR, which a null modem shows to the host as its carrier; a line without signals does nothing."""
        if self._port is not None:
            with contextlib.suppress(OSError):
                self._port.dtr = on or self._ready is None

    def close(self) -> None:
        """Close the device."""
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        if self._pump is not None:
            self._pump.close()
            self._pump = None
        if self._port is not None:
            with contextlib.suppress(OSError):
                self._port.close()
            self._port = None

    def _poll_signals(self) -> None:
        """Watch the other side's ready signal: only a change counts, since many cables do not have the wire."""
        assert self._port is not None
        try:
            ready = bool(self._port.dsr)
        except OSError:  # a pseudo-terminal has no signals
            return
        if self._ready is not None and ready != self._ready:
            self.on_ready_signal(ready)
        self._ready = ready
        self._poll = asyncio.get_running_loop().call_later(SIGNAL_POLL_S, self._poll_signals)


def _symlink(path: str) -> tuple[int, int] | None:
    """Which symbolic link leads to a pseudo-terminal, if one does.

    A program that is killed leaves it behind, and the kernel soon gives the same terminal to somebody else.
    """
    link = Path(path)
    with contextlib.suppress(OSError):
        if str(link.readlink()).startswith("/dev/pts/"):
            status = link.lstat()
            return status.st_ino, status.st_ctime_ns
    return None


def pyserial_settings(settings: SerialSettings) -> dict[str, Any]:
    """Our settings as pySerial takes them."""
    return {
        "baudrate": settings.baudrate,
        "bytesize": settings.bytesize,
        "parity": settings.parity,
        "stopbits": settings.stopbits,
        "rtscts": settings.flow == "rtscts",
        "xonxoff": settings.flow == "xonxoff",
    }


def reset(port: serial.Serial, settings: SerialSettings, rate: int | None, flow: str | None) -> SerialSettings:
    """Set an open port to another rate (bits per second) or flow control; the settings that it has then.

    What the driver cannot do is told, and leaves all as it was: the line goes on.
    """
    wanted = replace(settings, baudrate=rate or settings.baudrate, flow=flow or settings.flow)
    try:
        port.apply_settings(pyserial_settings(wanted))
    except (OSError, ValueError, OverflowError) as error:
        log.warning(
            "the port %s cannot be set to %d bits per second, flow %s: %s", port.name, wanted.baudrate, wanted.flow, error
        )
        with contextlib.suppress(OSError, ValueError):
            port.apply_settings(pyserial_settings(settings))
        return settings
    return wanted


def reason(error: Exception) -> str:
    """Why opening failed, in the words of the system where it gives any."""
    cause = error.__context__
    if isinstance(cause, termios.error) and cause.args[0] == errno.ENOTTY:
        return "it is no serial port"
    number = getattr(error, "errno", None)
    if isinstance(number, int):
        return "another program has it open" if number == 11 else os.strerror(number)
    return str(error)
