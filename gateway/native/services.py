"""Files, mail, web pages, multimedia messages, the time: what hosts want of servers, over whatever network there is."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from gateway.model.causes import Cause
from gateway.model.events import Event, Received, SocketLost
from gateway.model.findings import Finding
from gateway.model.requests import CloseSocket, ResolveName, ShutdownTcp
from gateway.model.results import Done, Failed, Progress, Result
from gateway.model.services import GetTime, ServiceRequest
from gateway.model.values import HostSocket, Ticket
from gateway.native import tls
from gateway.native.dialer import Dialer
from gateway.native.network import NetworkFailure
from gateway.native.service import (
    DELIVERY_LIMIT_BYTES,
    GOODBYE_LIMIT_S,
    PROGRESS_LIMIT_S,
    Exchange,
    Kit,
    Refused,
    Upload,
    failure_of,
    log,
)
from gateway.native.session import Opening, Operation, Session, engine_of


class ServiceEngine:
    """Works :data:`~gateway.model.services.ServiceRequest`, and names by servers of the host's.

    Requests of one session are worked one after the other.

    ``news(ticket, result)``, ``happened(event)`` and ``congested()`` are called on the event loop. A session whose
    request was withdrawn or failed for its connection's sake connects and logs in again when the next request comes;
    one that the server ends while nothing is asked of it is told as :class:`~gateway.model.events.SocketLost`.
    """

    def __init__(
        self,
        news: Callable[[Ticket, Result | Progress], None],
        happened: Callable[[Event], None],
        congested: Callable[[], None],
        dialer: Dialer,
        *,
        found: Callable[[Finding], None] | None = None,
        verify: bool = True,
        trust: ssl.SSLContext | None = None,
        progress_limit_s: float = PROGRESS_LIMIT_S,
        set_clock: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._news = news
        self._set_clock = set_clock
        self._happened = happened
        self._congested = congested
        self._kit = Kit(dialer, found or _log_finding, lambda: trust or tls.context(verify), progress_limit_s)
        self._sessions: dict[HostSocket, Session] = {}
        self._operations: dict[Ticket, Operation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._taking = asyncio.Event()
        self._taking.set()
        self._was_congested = False

    # -- the session's side --------------------------------------------------------------------------------------------

    def knows(self, socket: HostSocket) -> bool:
        """Whether a session has this number."""
        return socket in self._sessions

    def submit(self, ticket: Ticket, request: ServiceRequest | ResolveName | ShutdownTcp | CloseSocket) -> None:
        """Do something; its result comes by ``news``."""
        if isinstance(request, ShutdownTcp):
            self.shutdown(request.socket)
            if ticket:
                self._news(ticket, Done())
        elif isinstance(request, CloseSocket):
            self.close(request.socket, ticket or None)
        elif isinstance(request, GetTime):
            self._begin(Operation(ticket, request, Upload(self._look)), lambda: self._ask_time(request))
        elif isinstance(request, ResolveName):
            self._begin(Operation(ticket, request, Upload(self._look)), lambda: self._ask_name(request))
        elif isinstance(request, Opening):
            self._open(ticket, request)
        else:
            session = self._sessions.get(request.session)
            if session is None:
                self._news(ticket, Failed(Cause.BAD_STATE, f"there is no session {request.session}"))
                return
            operation = Operation(ticket, request, Upload(self._look))
            session.operations.append(operation)
            self._begin(operation, lambda: self._operate(session, operation, request), session)

    def payload(self, socket: HostSocket, data: bytes) -> None:
        """Bytes for the oldest request that still wants some; without one they are of no use to anybody."""
        upload = self._open_upload(socket)
        if upload is not None:
            upload.put(data)

    def shutdown(self, socket: HostSocket) -> None:
        """The host has sent everything for the oldest request that wanted bytes."""
        upload = self._open_upload(socket)
        if upload is not None:
            upload.end()

    def close(self, socket: HostSocket, ticket: Ticket | None = None) -> None:
        """Say goodbye: after what can end by itself has ended; what wants or brings data is given up.

        A session that is being opened is given up too. With ``ticket`` there is a result, when the server knows.
        """
        session = self._sessions.pop(socket, None)
        if session is None:
            if ticket is not None:
                self._news(ticket, Done())
            return
        for operation in [operation for operation in session.operations if operation.unfinished]:
            self._give_up(operation)
        self._keep(self._leave(session, ticket))

    def withdraw(self, ticket: Ticket) -> None:
        """Its result is not wanted any more."""
        operation = self._operations.pop(ticket, None)
        if operation is not None and operation.task is not None:
            operation.task.cancel()

    def hold(self, held: bool) -> None:
        """The host cannot take more just now (or can again): servers are held back."""
        (self._taking.clear if held else self._taking.set)()

    @property
    def congested(self) -> bool:
        """Whether some server takes too slowly: the host must wait."""
        return any(operation.upload.congested for operation in self._operations.values())

    def cut(self, cause: Cause = Cause.ABORTED) -> list[HostSocket]:
        """The network is gone: end everything at once, with ``cause``. Gives the sessions that there were."""
        for operation in list(self._operations.values()):
            self._give_up(operation, cause)
        sessions = list(self._sessions.values())
        self._sessions.clear()
        for session in sessions:
            if session.watch is not None:
                session.watch.cancel()
            session.service.cut()
        return [session.socket for session in sessions]

    async def shut(self) -> None:
        """End everything, and wait for that."""
        self.cut()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _begin(self, operation: Operation, work: Callable[[], Awaitable[Result]], session: Session | None = None) -> None:
        """Work a request in a task of its own, and tell how it ends."""

        async def tell() -> None:
            result = await self._result(operation.request, work)
            self._operations.pop(operation.ticket, None)
            self._news(operation.ticket, result)

        def ended(_: object) -> None:
            self._operations.pop(operation.ticket, None)
            if session is not None:
                session.operations.remove(operation)
            self._look()

        self._operations[operation.ticket] = operation
        operation.task = self._keep(tell())
        operation.task.add_done_callback(ended)

    async def _result(self, request: object, work: Callable[[], Awaitable[Result]]) -> Result:
        try:
            return await work()
        except Exception as error:
            failure = failure_of(error)
            if failure is None:  # our own fault, and still the host must hear an end
                log.exception("%s could not be worked", type(request).__name__)
                return Failed(Cause.INTERNAL)
            return Failed(failure.cause, str(failure))

    def _give_up(self, operation: Operation, cause: Cause = Cause.ABORTED) -> None:
        if self._operations.pop(operation.ticket, None) is not None:
            self._news(operation.ticket, Failed(cause))
        if operation.task is not None:
            operation.task.cancel()

    def _open(self, ticket: Ticket, request: Opening) -> None:
        if request.session in self._sessions:
            self._news(ticket, Failed(Cause.ALREADY_OPEN, f"session {request.session} is open"))
            return
        session = Session(request.session, engine_of(request, self._kit))
        operation = Operation(ticket, request, Upload(self._look))
        session.operations.append(operation)
        self._sessions[request.session] = session
        self._begin(operation, lambda: self._log_in(session), session)

    async def _log_in(self, session: Session) -> Result:
        async with session.lock:
            try:
                await session.service.open()
                session.opened = True
            finally:
                if not session.opened:
                    session.service.cut()
                    self._forget(session)
            self._watch(session)
        return Done()

    async def _operate(self, session: Session, operation: Operation, request: ServiceRequest) -> Result:
        async with session.lock:
            await self._unwatch(session)
            if not session.opened:
                return Failed(Cause.CLOSED_BY_PEER, "the session has ended")
            exchange = Exchange(
                lambda begun: self._news(operation.ticket, begun),
                lambda data: self._deliver(session.socket, data),
                operation.upload,
            )
            try:
                if not session.service.connected:
                    await self._log_in_again(session)
                return await session.service.work(request, exchange)
            except BaseException as error:
                # A refusal leaves server and us at the same place; after anything else nobody knows where that is.
                if not isinstance(error, Refused):
                    session.service.cut()
                raise
            finally:
                self._watch(session)

    async def _log_in_again(self, session: Session) -> None:
        try:
            await session.service.open()
        except Refused as refusal:  # there is nothing to go on with
            raise NetworkFailure(refusal.cause, str(refusal)) from refusal

    async def _deliver(self, socket: HostSocket, data: bytes) -> None:
        for at in range(0, len(data), DELIVERY_LIMIT_BYTES):
            await self._taking.wait()
            self._happened(Received(socket, data[at : at + DELIVERY_LIMIT_BYTES]))

    async def _leave(self, session: Session, ticket: Ticket | None) -> None:
        """Say goodbye, and tell ``ticket`` how that went."""
        result: Result = Done()
        async with session.lock:
            await self._unwatch(session)
            if session.opened and session.service.connected:
                try:
                    async with asyncio.timeout(GOODBYE_LIMIT_S):
                        await session.service.quit()
                except Refused as refusal:
                    result = Failed(refusal.cause, str(refusal))
                except Exception as error:  # gone is gone
                    log.debug("goodbye: %s", error)
            session.opened = False
            session.service.cut()
        if ticket is not None:
            self._news(ticket, result)

    async def _ask_time(self, request: GetTime) -> Result:
        from gateway.native import ntp  # noqa: PLC0415  # with the engines of sessions

        try_s = min(ntp.TRY_S, self._kit.progress_limit_s)
        time = await ntp.ask(self._kit.dialer, request.server, request.family, try_s=try_s)
        if self._set_clock is not None:
            await self._set_clock(time)
        return Done(time)

    async def _ask_name(self, request: ResolveName) -> Result:
        from gateway.native import dns  # noqa: PLC0415  # as above

        return Done(await dns.resolve(self._kit.dialer, request.name, request.servers, request.family))

    # -- sessions ------------------------------------------------------------------------------------------------------

    def _watch(self, session: Session) -> None:
        """Look from now on whether the server ends a session of which nothing is asked."""
        if session.service.connected and self._sessions.get(session.socket) is session:
            session.watch = self._keep(self._idle(session))

    async def _unwatch(self, session: Session) -> None:
        watch, session.watch = session.watch, None
        if watch is not None and not watch.done():
            watch.cancel()
            await asyncio.wait([watch])

    async def _idle(self, session: Session) -> None:
        try:
            cause = await session.service.idle()
        except Exception as error:
            failure = failure_of(error)
            cause = failure.cause if failure is not None else Cause.INTERNAL
        session.opened = False
        session.service.cut()
        if self._forget(session):
            self._happened(SocketLost(session.socket, cause))

    def _forget(self, session: Session) -> bool:
        """Whether the session was still known."""
        known = self._sessions.get(session.socket) is session
        if known:
            del self._sessions[session.socket]
        return known

    def _open_upload(self, socket: HostSocket) -> Upload | None:
        session = self._sessions.get(socket)
        wanted = [o.upload for o in session.operations if o.wants_data] if session is not None else []
        return next((upload for upload in wanted if not upload.ended), None)

    def _look(self) -> None:
        now = self.congested
        if now != self._was_congested:
            self._was_congested = now
            self._congested()

    def _keep(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _log_finding(finding: Finding) -> None:
    log.info("%s: %s -> %s", finding.kind, finding.old, finding.new)
