"""Links of pySerial's URL handlers that have no descriptor (``rfc2217://``, ``loop://``, ``spy://``): a thread reads."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable

import serial

from gateway.errors import LinkError
from gateway.links.link import FLUSH_S, HIGH_BYTES, LOW_BYTES, Link
from gateway.links.spec import LinkSpec
from gateway.links.tty import pyserial_settings, reason, reset


class HandlerLink(Link):
    """A pySerial port that can only be read and written blocking: one thread each way."""

    def __init__(self, spec: LinkSpec) -> None:
        super().__init__(spec.text)
        self._target = spec.target
        self._settings = spec.settings
        self._line: _Line | None = None
        self._closing: _Line | None = None

    async def open(self) -> None:
        """Open the URL."""
        opening = asyncio.get_running_loop().run_in_executor(None, self._make)
        try:
            port = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_unwanted)
            raise
        except Exception as error:  # the handlers let everything through, KeyError and re.error too
            raise LinkError(f"cannot open {self._target}: {reason(error)}") from error
        self._line = _Line(self, port)
        self._line.read(self.reading)

    def _make(self) -> serial.Serial:
        return serial.serial_for_url(self._target, timeout=0.05, **pyserial_settings(self._settings))

    def write(self, data: bytes) -> None:
        """Send."""
        if self._line is not None:
            self._line.write(data)
        else:
            self.undelivered_bytes += len(data)

    def read(self, reading: bool) -> None:
        """Begin or cease reading."""
        self.reading = reading
        if self._line is not None:
            self._line.read(reading)

    def drained(self, then: Callable[[], None]) -> None:
        """The handler has taken everything."""
        if self._line is None or self._line.waiting == 0:
            then()
        else:
            asyncio.get_running_loop().call_later(0.01, self.drained, then)

    def set_port(self, rate: int | None, flow: str | None) -> None:
        """Set rate and flow control, where the handler can; asking a server on the network takes its time."""
        if self._line is not None:
            self._line.do(lambda port: self._reset(port, rate, flow))

    def _reset(self, port: serial.Serial, rate: int | None, flow: str | None) -> None:
        self._settings = reset(port, self._settings, rate, flow)

    def close(self) -> None:
        """Let the threads end; closing some handlers takes a third of a second, so that is theirs to do."""
        if self._line is not None:
            self._line.close()
            self._closing, self._line = self._line, None

    async def closed(self) -> None:
        """The writing thread has ended."""
        if self._closing is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._closing.flushed)


class _Line:
    """A port from its opening to its end, with its two threads."""

    def __init__(self, link: HandlerLink, port: serial.Serial) -> None:
        self.waiting = 0
        """Bytes that the port has not taken yet."""
        self._link = link
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[bytes | Callable[[serial.Serial], None] | None] = queue.SimpleQueue()
        self._congested = False
        self._reading = threading.Event()
        self._closed = False
        name = f"link {link.name}"
        self._writer = threading.Thread(target=self._write_loop, name=name, daemon=True)
        self._writer.start()
        threading.Thread(target=self._read_loop, name=name, daemon=True).start()

    def write(self, data: bytes) -> None:
        if self._closed:
            self._link.undelivered_bytes += len(data)
            return
        self.waiting += len(data)
        self._queue.put(data)
        if not self._congested and self.waiting > HIGH_BYTES:
            self._congested = True
            self._link.on_congestion(True)

    def do(self, what: Callable[[serial.Serial], None]) -> None:
        """Have something done behind what was written."""
        self._queue.put(what)

    def read(self, reading: bool) -> None:
        if reading or self._closed:
            self._reading.set()
        else:
            self._reading.clear()

    def close(self) -> None:
        """Let what was written go out, as far as it goes within a short time, and then the port."""
        self._closed = True
        self._reading.set()
        self._queue.put(None)

    def flushed(self) -> None:
        """Wait until everything was written, or cannot be."""
        self._writer.join(FLUSH_S)

    def _read_loop(self) -> None:
        port = self._port
        while not self._closed:
            self._reading.wait()
            try:
                self._pass_on(port.read(1))
            except Exception:  # whatever it is, nothing can be read any more: a closed port gives TypeError
                self._call(self._lost)
                break
        self._end()

    def _pass_on(self, first: bytes) -> None:
        if first:
            self._call(self._link.on_data, bytes(first + self._port.read(self._port.in_waiting)))

    def _end(self) -> None:
        """Wait for the writer, reading what a loop needs to be read to be written, and close."""
        due_s = time.monotonic() + FLUSH_S
        with contextlib.suppress(Exception):
            while self._writer.is_alive() and time.monotonic() < due_s:
                self._port.read(HIGH_BYTES)
        for last in ("cancel_write", "close"):
            with contextlib.suppress(Exception):  # not every handler can do the first
                getattr(self._port, last)()

    def _write_loop(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if isinstance(item, bytes):
                    self._port.write(item)
                    self._call(self._written, len(item))
                else:
                    item(self._port)
            except Exception:  # as above
                self._call(self._lost)
                return

    def _call(self, what: Callable[..., None], *arguments: object) -> None:
        """Call on the event loop, unless the line has ended meanwhile."""

        def call() -> None:
            if not self._closed:
                what(*arguments)

        with contextlib.suppress(RuntimeError):  # the loop is gone: so is the program
            self._loop.call_soon_threadsafe(call)

    def _written(self, count: int) -> None:
        self.waiting -= count
        if self._congested and self.waiting < LOW_BYTES:
            self._congested = False
            self._link.on_congestion(False)

    def _lost(self) -> None:
        self.close()
        self._link.undelivered_bytes += self.waiting
        self.waiting = 0
        if self._congested:
            self._link.on_congestion(False)
        self._link.on_lost()


def _close_unwanted(opening: asyncio.Future[serial.Serial]) -> None:
    """Nobody waits any more for a port that was being opened."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
