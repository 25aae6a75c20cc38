"""A cable between two pseudo-terminals that can be pulled out."""

from __future__ import annotations

import os
import pty
import select
import termios
import threading
import tty
from pathlib import Path


class Cable:
    """Between the module's link and the one that the bridge opens; what is said while it is out is lost."""

    def __init__(self, module: Path, bridge: Path) -> None:
        self._bridge = bridge
        self._module = os.open(module, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._module)
        self._ends: tuple[int, ...] = ()
        self._stop = -1
        self._thread = threading.Thread()
        self.plug()

    def plug(self) -> None:
        """Put it in; the bridge's end is a new terminal."""
        termios.tcflush(self._module, termios.TCIFLUSH)
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        stop, self._stop = os.pipe()
        self._ends = (master, slave, stop, self._stop)
        self._bridge.symlink_to(os.ttyname(slave))
        self._thread = threading.Thread(target=self._carry, args=(master, stop), daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """Take it out: the bridge hears of it as it does where an adapter is gone."""
        self._bridge.unlink()
        os.write(self._stop, b"x")
        self._thread.join()
        for end in self._ends:
            os.close(end)
        self._ends = ()

    def close(self) -> None:
        if self._ends:
            self.pull()
        os.close(self._module)

    def _carry(self, master: int, stop: int) -> None:
        others = {master: self._module, self._module: master}
        while True:
            for end in select.select([*others, stop], [], [])[0]:
                if end == stop:
                    return
                data = os.read(end, 4096)
                while data:
                    if select.select([stop], [others[end]], [])[0]:
                        return
                    data = data[os.write(others[end], data) :]
