"""Time servers (RFC 5905) on free ports of loopback: one as it should be or not, and a daemon that others wrote."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from support.rig import LIMIT_S, unused_port

CHRONY = shutil.which("chronyd") or ("/usr/sbin/chronyd" if Path("/usr/sbin/chronyd").exists() else None)
_CHRONY = """
port {port}
bindaddress 127.0.0.1
allow 127.0.0.0/8
local stratum 1
cmdport 0
bindcmdaddress /
pidfile {folder}/chronyd.pid
"""
FROM_1900_TO_1970_S = 2208988800
SHOWN = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
"""What the server's clock says whenever it is asked."""


def packet(
    request: bytes, seconds: int, *, first: int = 0b00_100_100, stratum: int = 2, reference: bytes = b"LOCL"
) -> bytes:
    """An answer; ``seconds`` since 1900."""
    times = bytes(8) + request[40:48] + bytes(8) + struct.pack("!II", seconds, 1 << 31)
    return bytes([first, stratum]) + bytes(10) + reference + times


def good(request: bytes) -> bytes:
    """As it should be."""
    return packet(request, FROM_1900_TO_1970_S + int(SHOWN.timestamp()))


def refusing(request: bytes) -> bytes:
    """Go away (RFC 5905, 7.4)."""
    return packet(request, 1 << 31, stratum=0, reference=b"DENY")


def silent(request: bytes) -> bytes | None:
    """Nothing."""
    return None


class TimeServer:
    """Answers as it is told, each question with the next way, and with the last one from then on."""

    def __init__(self, folder: Path | None = None) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.ways: list[Callable[[bytes], bytes | None]] = [good]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            request, asker = self._socket.recvfrom(1000)
            if not request:
                return
            way = self.ways.pop(0) if len(self.ways) > 1 else self.ways[0]
            answer = way(request)
            if answer is not None:
                self._socket.sendto(answer, asker)

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


class Chrony:
    """The daemon of that name, which tells this computer's own time and leaves its clock alone."""

    def __init__(self, folder: Path) -> None:
        assert CHRONY is not None
        self.port = unused_port(socket.SOCK_DGRAM)
        configuration = folder / "chrony.conf"
        configuration.write_text(_CHRONY.format(port=self.port, folder=folder))
        who = ("-u", "root") if os.geteuid() == 0 else ("-U",)
        with (folder / "chrony.log").open("wb") as said:
            command = [CHRONY, "-x", "-d", *who, "-f", configuration]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        self._wait()

    def _wait(self) -> None:
        """Until it answers."""
        due = time.monotonic() + LIMIT_S
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.1)
            while True:
                assert self._process.poll() is None, "chronyd has ended"
                assert time.monotonic() < due, "chronyd does not answer"
                try:
                    asker.sendto(bytes([0b00_100_011]) + bytes(39) + os.urandom(8), ("127.0.0.1", self.port))
                    if asker.recv(100)[1] > 0:
                        return
                except (TimeoutError, ConnectionRefusedError):
                    continue

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(LIMIT_S)
