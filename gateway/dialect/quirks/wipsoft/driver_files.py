"""The session of a module with a server, of which there is one at a time, and files by FTP.

(5.57 guide, 5.1, 5.3.7.2, 6.1; 2006 guide, 6.1, 7.1.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import (
    Afterwards,
    Answer,
    Chores,
    Command,
    DriverSteps,
    Emit,
    EndSending,
    Enter,
    Final,
    Leave,
    Outlet,
    Part,
    Put,
    Report,
    gave_up,
    until_still,
)
from gateway.dialect.quirks.wipsoft.driver_data import DataDriver
from gateway.dialect.quirks.wipsoft.driver_phases import PUT_BYTES
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.events import Event, SocketLost
from gateway.model.requests import CloseSocket, ShutdownTcp
from gateway.model.results import Done, Failed
from gateway.model.services import Begun, GetFile, OpenFtp, PutFile, SetFtp
from gateway.model.values import ANY_ADDRESS, HostSocket
from gateway.wire.module_phase import ModulePhase

FTP = 4
INDEX = 1
"""There is one session at a time."""
TYPE, MODE = 40, 41
UNTOLD = (8,)
"""Protocols of which some modules do not say that a session is ready (S17)."""
NO_FILE = (Cause.INTERNAL, Cause.UNREACHABLE, Cause.CREATION_FAILED)
"""What a module may say of a file that is not there."""


@dataclass(slots=True)
class Session:
    """The session of the module's."""

    session: HostSocket
    transferring: bool = False
    phase: ModulePhase | None = None
    sending: bool = False
    """The host has not sent all of what it sends."""
    protocol: int = FTP
    written: dict[int, str | int] = field(default_factory=dict)
    """Options that it was given."""
    gone: bool = False
    """The server has ended it while something was moved."""


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
        return self._end_session() if self._is_files(request.socket) else self._close(request.socket)

    def data_ended(self, socket: HostSocket, mark: bytes) -> Chores:
        """Of a file: its own request waits for what the module says of it."""
        if not self._is_files(socket):
            yield from super().data_ended(socket, mark)
            return
        phase = self._files.phase if self._files is not None else None
        if phase is not None and phase.restarted and (yield from gave_up(phase)):
            yield from self._find(adopt=False)

    def outlet(self, socket: HostSocket) -> Outlet | None:
        """Of a file: its data mode, when that is open; behind its end there is no use for more of it."""
        files = self._files
        if files is None or files.session != socket:
            return super().outlet(socket)
        if not files.transferring:
            return None
        return Outlet(PUT_BYTES if self.mapped == socket else 0)

    def _session_of(self, socket: HostSocket, protocol: int) -> Session | None:
        """The session that a request is for, if it is there."""
        files = self._files
        return files if files is not None and (files.session, files.protocol) == (socket, protocol) else None

    def _begin_session(self, session: Session, text: str, host: str) -> DriverSteps:
        """Create a session that says when it is ready; ``host``: whom it is opened to, "" for nobody."""
        if self._files is not None:
            return Failed(Cause.INDEX_IN_USE)
        answer: Answer = yield from self._create(text, session.protocol, INDEX)
        failed: Failed | None = None if answer.ok else self.failed(answer, "+WIPCREATE")
        if failed is None:
            failed = yield from self._ready(session.protocol, INDEX)
            if failed is not None and failed.cause is Cause.TIMED_OUT and session.protocol in UNTOLD:
                failed = None
        if failed is None:
            self._files = session
            self._closed_here = False
            return Done()
        if failed.cause is not Cause.NO_MODULE:
            if failed.cause is Cause.TIMED_OUT:
                yield from self._shut(session.protocol, INDEX)
            failed = yield from self._why(failed, host or ANY_ADDRESS)
        return failed

    def _write_options(self, session: Session, wanted: dict[int, str | int], defaults: dict[int, str | int]) -> Part:
        """Options that differ from what the session was given before."""
        for option, value in wanted.items():
            if session.written.get(option, defaults[option]) == value:
                continue
            place = {"protocol": session.protocol, "index": INDEX, "option": option}
            try:
                text = self.dialect.write("option_set", **place, value=value)
            except WrongValue:
                return Failed(Cause.BAD_VALUE, f"option {option}")
            answer: Answer = yield Command(text)
            if not answer.ok:
                return self.failed(answer, "+WIPOPT")
            session.written[option] = value
        return None

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
            yield from self._end_session()
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
        return (yield from self._move(files, text, uploads=does != "ftp_get", refused=(Cause.SERVER_FILE, NO_FILE)))

    def _move(
        self,
        files: Session,
        text: str,
        *,
        uploads: bool = False,
        data: bytes | None = None,
        phase: type[ModulePhase] = ModulePhase,
        refused: tuple[Cause, tuple[Cause, ...]] | None = None,
        behind: Callable[[], Part] | None = None,
    ) -> DriverSteps:
        """What +WIPFILE moves, either way: CONNECT, the data, OK.

        ``uploads``: to the server, what the host sends, or ``data``. ``refused``: what it means when the module says
        instead of CONNECT one of these. ``behind``: what is waited for behind the OK.
        """
        yield from self._close_session()
        guard_s = self.dialect.tables.numbers["guard_ms"] / 1000
        uploads = uploads or data is not None
        boot = self.dialect.boot_lines()
        opened = phase(escaped=True, divided=False, guard_s=guard_s, uploads=uploads, boot=boot)
        files.phase = opened
        answer: Answer = yield Enter(text, files.session, opened)
        if answer.final is not Final.CONNECT:
            failed = self.failed(answer, "+WIPFILE")
            if refused is not None and failed.cause in refused[1]:
                return Failed(refused[0], failed.original)
            return failed
        files.transferring, files.sending = True, uploads
        if data is None:
            yield Report(Begun())
        else:
            yield Put(data)
            yield from self._end_file()
        ended: Heard | None = yield from until_still(
            "+WIPFILE", lambda moved: self._files is files and (moved or files.sending)
        )
        if behind is not None and ended is not None and ended.key == "result":
            yield from behind()
        if self._files is files:
            yield Leave(there=ended is not None)
            files.transferring = False
        if files.gone:
            yield Afterwards(self._tell_lost(files))
        if ended is None:
            yield from self._find(adopt=False)  # it may have restarted
            return Failed(Cause.TIMED_OUT)
        if ended.key == "error":
            failed = self.failed(Answer(Final.ERROR, ended.fields["code"]), "+WIPFILE")
            if failed.cause is Cause.INTERNAL:  # it had begun: so it broke
                failed = Failed(Cause.CLOSED_BY_PEER, failed.original)
            why: Failed = yield from self._unless_gone(failed)
            return why
        return Done() if ended.fields["text"] == "OK" else Failed(Cause.SEND_FAILED, ended.fields["text"])

    def _tell_lost(self, files: Session) -> Chores:
        if self._files is files:
            self._files = None
            yield Emit(SocketLost(files.session, Cause.CLOSED_BY_PEER))

    def _end_file(self) -> DriverSteps:
        """The host has sent its file: ETX; what comes now is the module's word."""
        if self._files is not None:
            self._files.sending = False
        yield EndSending(over=True)
        return Done()

    def _session_gone(self, protocol: int) -> list[Event]:
        """The server has ended the session: while nothing is moved nobody else says so."""
        files, echo = self._files, self._closed_here
        self._closed_here = False
        if files is None or files.protocol != protocol or echo:
            return []
        if files.transferring:
            files.gone = True
            return []
        self._files = None
        return [SocketLost(files.session, Cause.CLOSED_BY_PEER)]

    def _end_session(self) -> DriverSteps:
        files, self._files = self._files, None
        if files is None:
            return Done()
        if files.transferring:
            yield Leave()
        self._closed_here = files.protocol == FTP
        answer: Answer = yield from self._shut(files.protocol, INDEX)
        return Done() if answer.ok or answer.final is not Final.ERROR else self.failed(answer, "+WIPCLOSE")

    def _bearer_gone(self) -> list[Event]:
        """The session with the rest."""
        events = super()._bearer_gone()
        files, self._files = self._files, None
        return events if files is None else [*events, SocketLost(files.session, Cause.BEARER_LOST)]

    def finish(self) -> Chores:
        """Nor does a session stay."""
        yield from self._end_session()
        yield from super().finish()
