"""FTP sessions of a module (5.57 guide, 5.1, 5.3.7.2, 6.1; 2006 guide, 6.1, 7.1)."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import (
    Answer,
    Chores,
    Command,
    DriverSteps,
    EndSending,
    Enter,
    Final,
    Leave,
    Outlet,
    Report,
    until_still,
)
from gateway.dialect.quirks.wipsoft.driver_data import PUT_BYTES, DataDriver
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.events import Event, SocketLost
from gateway.model.requests import CloseSocket, ShutdownTcp
from gateway.model.results import Done, Failed
from gateway.model.services import Begun, GetFile, OpenFtp, PutFile, SetFtp
from gateway.model.values import HostSocket
from gateway.wire.module_phase import ModulePhase

FTP = 4
INDEX = 1
"""There is one session at a time."""
TYPE, MODE = 40, 41


@dataclass(slots=True)
class Session:
    """The FTP session of the module's."""

    session: HostSocket
    transferring: bool = False
    sending: bool = False
    """The host has not sent all of its file."""


class FilesDriver(DataDriver):
    """See the module's text."""

    _files: Session | None = None
    _closed_here = False
    """The module may say yet that a session is closed, which we closed ourselves (X12)."""

    def _is_files(self, socket: HostSocket) -> bool:
        return self._files is not None and self._files.session == socket

    def do_shutdown_tcp(self, request: ShutdownTcp) -> DriverSteps:
        """Of a socket, or of the file that the host sends."""
        return self._end_file() if self._is_files(request.socket) else super().do_shutdown_tcp(request)

    def do_close_socket(self, request: CloseSocket) -> DriverSteps:
        """A socket, a listener or the session with a server."""
        return self._close_ftp() if self._is_files(request.socket) else self._close(request.socket)

    def data_ended(self, socket: HostSocket, mark: bytes) -> Chores:
        """Of a file: its own request waits for what the module says of it."""
        if not self._is_files(socket):
            yield from super().data_ended(socket, mark)

    def outlet(self, socket: HostSocket) -> Outlet | None:
        """Of a file: its data mode, when that is open."""
        if self._is_files(socket):
            return Outlet(PUT_BYTES if self.mapped == socket else 0)
        return super().outlet(socket)

    def do_open_ftp(self, request: OpenFtp) -> DriverSteps:
        """Connect and log in, then set type and mode; OK when that is done."""
        if self._files is not None:
            return Failed(Cause.INDEX_IN_USE)
        try:
            account = {"account": str(request.account)} if request.account else {}
            text = self.dialect.write(
                "ftp_create",
                index=INDEX,
                host=request.server.host,
                ftp_port=request.server.port,
                user=request.user,
                password=str(request.password),
                **account,
            )
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer: Answer = yield Command(text)
        if not answer.ok and self._says(answer, "+WIPCREATE", Cause.INDEX_IN_USE, Cause.INDEX_RESERVED):
            yield from self._shut(FTP, INDEX)
            answer = yield Command(text)
        if not answer.ok:
            why: Failed = yield from self._why(self.failed(answer, "+WIPCREATE"), request.server.host)
            return why
        self._files = Session(request.session)
        self._closed_here = False  # it would have said so before it logged in again
        set_up = yield from self._set_ftp(request.binary, request.passive)
        if isinstance(set_up, Failed):
            yield from self._close_ftp()
        return set_up

    def _set_ftp(self, binary: bool, passive: bool) -> DriverSteps:
        for option, wanted in ((TYPE, binary), (MODE, passive)):
            if self._has("ftp", option):
                text = self.dialect.write("option_set", protocol=FTP, index=INDEX, option=option, value=int(wanted))
                answer: Answer = yield Command(text)
                if not answer.ok:  # a file as text that should be binary is another file
                    return self.failed(answer, "+WIPOPT")
        return Done()

    def do_set_ftp(self, request: SetFtp) -> DriverSteps:
        """Type and mode of the transfers to come."""
        return (yield from self._set_ftp(request.binary, request.passive))

    def do_get_file(self, request: GetFile) -> DriverSteps:
        """CONNECT, the file with its ETX and DLE escaped, ETX, OK."""
        return (yield from self._transfer("ftp_get", request.session, request.path))

    def do_put_file(self, request: PutFile) -> DriverSteps:
        """CONNECT; the file up to our ETX, then OK."""
        return (yield from self._transfer("ftp_append" if request.append else "ftp_put", request.session, request.path))

    def _transfer(self, does: str, session: HostSocket, path: str) -> DriverSteps:
        files = self._files
        if files is None or files.session != session:
            return Failed(Cause.BAD_STATE)
        if not self.dialect.writes(does):
            return Failed(Cause.NOT_SUPPORTED)  # an older one cannot append
        try:
            text = self.dialect.write(does, index=INDEX, filename=path)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        yield from self._close_session()
        guard_s = self.dialect.tables.numbers["guard_ms"] / 1000
        phase = ModulePhase(escaped=True, divided=False, guard_s=guard_s, uploads=does != "ftp_get")
        answer: Answer = yield Enter(text, session, phase)
        if answer.final is not Final.CONNECT:
            failed = self.failed(answer, "+WIPFILE")
            missing = failed.cause in (Cause.INTERNAL, Cause.UNREACHABLE, Cause.CREATION_FAILED)
            return Failed(Cause.SERVER_FILE, failed.original) if missing else failed
        files.transferring, files.sending = True, does != "ftp_get"
        yield Report(Begun())
        ended: Heard | None = yield from until_still(
            "+WIPFILE", lambda moved: self._files is files and (moved or files.sending)
        )
        if self._files is files:
            files.transferring = False
            yield Leave(there=ended is not None)
        if ended is None:
            yield from self._find(adopt=False)  # it may have restarted
            return Failed(Cause.TIMED_OUT)
        if ended.key == "error":
            failed = self.failed(Answer(Final.ERROR, ended.fields["code"]), "+WIPFILE")
            unknown = failed.cause is Cause.INTERNAL  # it had begun: so it broke
            return Failed(Cause.CLOSED_BY_PEER, failed.original) if unknown else failed
        return Done() if ended.fields["text"] == "OK" else Failed(Cause.SEND_FAILED, ended.fields["text"])

    def _end_file(self) -> DriverSteps:
        """The host has sent its file: ETX; what comes now is the module's word."""
        if self._files is not None:
            self._files.sending = False
        yield EndSending(over=True)
        return Done()

    def _bearer_gone(self) -> list[Event]:
        files, self._files = self._files, None
        lost = [SocketLost(files.session, Cause.BEARER_LOST)] if files is not None else []
        return [*super()._bearer_gone(), *lost]

    def _ftp_gone(self) -> list[Event]:
        """The server has ended the session: while nothing is moved nobody else says so."""
        files, echo = self._files, self._closed_here
        self._closed_here = False
        if files is None or files.transferring or echo:
            return []
        self._files = None
        return [SocketLost(files.session, Cause.CLOSED_BY_PEER)]

    def _close_ftp(self) -> DriverSteps:
        files, self._files = self._files, None
        if files is not None and files.transferring:
            yield Leave()
        self._closed_here = True
        yield from self._shut(FTP, INDEX)
        return Done()
