"""An event loop whose time is by hand, and whose network is in memory: an hour takes as long as what happens in it."""

from __future__ import annotations

import asyncio
import errno
import os
import selectors
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from recovery.network import Call, Datagrams, Door, Network, Server


class _NoWaiting(selectors.BaseSelector):
    """Nothing ever comes from outside: waiting is time that goes by."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._keys[key.fd] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj if isinstance(fileobj, int) else fileobj.fileno())

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys[fileobj if isinstance(fileobj, int) else fileobj.fileno()]

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits for something that cannot come"
        self.now += max(0.0, timeout)
        return []


class Loop(asyncio.SelectorEventLoop):
    """See the module's text. ``network`` is where its connections lead."""

    def __init__(self) -> None:
        self._waiting = _NoWaiting()
        super().__init__(self._waiting)
        self._over: Callable[[], bool] = _never
        self.network = Network(self)
        self.faults: list[dict[str, Any]] = []
        """What the loop was told and nobody expected."""
        self.set_exception_handler(lambda _, context: self.faults.append(context))

    def time(self) -> float:
        return self._waiting.now

    def wait(self, over: Callable[[], bool], limit_s: float) -> bool:
        """Let time pass until it is over; whether that came within the limit. ``nudge`` has it looked at."""
        due_s = self.time() + limit_s
        self._over = over
        while not over() and self.time() < due_s:  # what came last may undo what seemed to be over
            self._done = self.create_future()
            timer = self.call_at(due_s, self._enough)
            self.run_until_complete(self._done)
            timer.cancel()
        self._over = _never
        return over()

    def nudge(self) -> None:
        """Something has happened for which somebody may wait."""
        if self._over():
            self._enough()

    def _enough(self) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def do(self, work: Awaitable[Any], limit_s: float = 60.0) -> Any:
        """Run something to its end."""
        return self.run_until_complete(asyncio.wait_for(work, limit_s))

    def end(self) -> None:
        """Nothing goes on any more; what was not expected on the way is raised."""
        tasks = asyncio.all_tasks(self)
        for task in tasks:
            task.cancel()
        if tasks:
            self.run_until_complete(asyncio.wait(tasks))
        self.run_until_complete(asyncio.sleep(0.01))
        self.close()
        for context in self.faults:
            raise AssertionError(str(context["message"])) from context.get("exception")

    # -- the network ---------------------------------------------------------------------------------------------------

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:  # type: ignore[override]
        address = self.network.names.get(str(host))
        if address is None:
            raise socket.gaierror(socket.EAI_NONAME, "nobody has this name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **options: Any) -> Any:  # type: ignore[override]
        assert not options.get("ssl"), "the memory speaks no TLS"
        if isinstance(call := options.get("sock"), Call):
            return call.serve(factory())
        return await self.network.connect(factory, str(host), int(port))

    def add_reader(self, fd: Any, callback: Callable[..., object], *args: Any) -> None:  # type: ignore[override]
        if isinstance(fd, Door):
            fd.called = lambda: callback(*args)
        else:
            super().add_reader(fd, callback, *args)

    def remove_reader(self, fd: Any) -> bool:
        return isinstance(fd, Door) or super().remove_reader(fd)

    async def create_server(self, factory: Any, host: Any = None, port: Any = None, **_: Any) -> Any:  # type: ignore[override]
        return Server(self.network, factory, str(host), int(port or 0))

    async def create_datagram_endpoint(self, factory: Any, local_addr: Any = None, **_: Any) -> Any:  # type: ignore[override]
        return self.network.datagrams(factory(), local_addr)

    async def sock_connect(self, sock: Any, address: Any) -> None:
        self.network.asking[sock.fileno()] = _Asking(self.network, address)

    async def sock_sendall(self, sock: Any, data: Any) -> None:
        self.network.asking[sock.fileno()].ask(bytes(data))

    async def sock_recv(self, sock: Any, nbytes: int) -> bytes:
        return await self.network.asking[sock.fileno()].answers.get()


def _never() -> bool:
    return False


class _Asking(asyncio.DatagramProtocol):
    """A datagram socket that was made by hand."""

    def __init__(self, network: Network, address: tuple[str, int]) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()
        self._address = address
        self._ends: Datagrams = network.datagrams(self, None)[0]

    def ask(self, data: bytes) -> None:
        self._ends.sendto(data, self._address)

    def datagram_received(self, data: bytes, _address: Any) -> None:
        self.answers.put_nowait(data)


def refused() -> OSError:
    return ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
