"""Files of an eDSoft module (ch. 4): each transfer logs in, moves one file and logs out, all by one command."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import (
    Answer,
    Await,
    Chores,
    Command,
    DriverSteps,
    EndSending,
    Leave,
    Part,
    Report,
    Stay,
    until_still,
)
from gateway.dialect.quirks.edsoft.link import LinkDriver, changed
from gateway.model.causes import Cause
from gateway.model.results import Done, Failed
from gateway.model.services import Begun, GetFile, OpenFtp, PutFile, SetFtp
from gateway.model.values import HostSocket
from gateway.wire.service_phase import ServicePhase

MODE = "FTPMODE"
"""Active or passive; 2.10 has no such parameter."""


class TransfersDriver(LinkDriver):
    """What :class:`EdsoftDriver` does for files. A session is what the host's side has asked for, and no more: whether
    the server lets it in is known with the first transfer."""

    _sending = False
    """The host has not sent all of its file."""
    _moving: HostSocket | None = None
    """The session whose file or mail is on its way, also when nobody wants the rest of it."""

    @abstractmethod
    def _begin(self, session: HostSocket, phase: ServicePhase) -> bool:
        """Have the service to itself, with its data mode; whether it is free."""

    @abstractmethod
    def _is_transfer(self, socket: HostSocket) -> bool:
        """Whether a socket is the session of the files."""

    @abstractmethod
    def _end_of(self, session: HostSocket) -> bool:
        """The service is free again; whether it was still this one's."""

    def do_open_ftp(self, request: OpenFtp) -> DriverSteps:
        """Write down who is to be asked."""
        if self._files is not None:
            return Failed(Cause.INDEX_IN_USE)
        if not (yield from self._free()):
            return Failed(Cause.NO_FREE_SOCKET, "one service at a time")
        if self._up is None:  # nobody else would say so before the first transfer
            return Failed(Cause.NO_BEARER)
        failed: Failed | None = yield from self._set(
            FTPSERV=request.server.host, FTPPORT=request.server.port, FTPUN=request.user, FTPPW=request.password
        )
        if failed is None:
            self._files = request
            yield from self._tell_mode(request.passive)
        return failed or Done()

    def _free(self) -> Part:
        """Whether no service runs. For the end of a file that nobody wants any more it is worth to wait."""
        if self._moving is not None and self._running == self._moving:
            yield Await(lambda heard: heard.key in ("result", "error"), "#TRANSFER", aside=True, overhears=True)
        return self._running is None

    def _tell_mode(self, passive: bool) -> Chores:
        """An older module has no parameter for it."""
        if passive and MODE not in self.dialect.tables.parameters:
            yield changed("FTP in passive mode", "active mode: the server calls")

    def do_set_ftp(self, request: SetFtp) -> DriverSteps:
        """For the transfers to come: the module is told with the next one, it may be in its data mode."""
        files = self._files
        if files is None or files.session != request.session:
            return Failed(Cause.BAD_STATE)
        if not files.passive:
            yield from self._tell_mode(request.passive)
        self._files = replace(files, binary=request.binary, passive=request.passive)
        return Done()

    def do_get_file(self, request: GetFile) -> DriverSteps:
        """Ok_Info_DataBegin, the file, ETX, OK; nothing can break it off."""
        folder, name = _split(request.path)
        values = {"FTPGETPATH": folder, "FTPGETFILENAME": name}
        return (yield from self._transfer("file_get", "data_begin", request.session, values))

    def do_put_file(self, request: PutFile) -> DriverSteps:
        """Ok_Info_WaitingForData, the file up to our ETX, OK."""
        if request.append:
            return Failed(Cause.NOT_SUPPORTED, "a file is always written anew")
        folder, name = _split(request.path)
        values = {"FTPPUTPATH": folder, "FTPPUTFILENAME": name}
        return (yield from self._transfer("file_put", "waiting_for_data", request.session, values))

    def _transfer(self, does: str, begins: str, session: HostSocket, values: dict[str, str]) -> DriverSteps:
        files = self._files
        if files is None or files.session != session:
            return Failed(Cause.BAD_STATE)
        if not (yield from self._free()):
            return Failed(Cause.BUSY, "one service at a time")
        failed: Failed | None = yield from self._set(
            FTPTYPE="I" if files.binary else "A", **{MODE: int(files.passive)}, **values
        )
        if failed is not None:
            return failed
        uploads = does == "file_put"
        phase = ServicePhase(closing=(), uploads=uploads, boot=self._boot)
        return (yield from self._move(session, self.dialect.write(does), begins, phase, sends=uploads))

    def _move(
        self,
        session: HostSocket,
        text: str,
        begins: str,
        phase: ServicePhase,
        *,
        sends: bool,
        empty: tuple[str, ...] = (),
        patience: Callable[[], int] | None = None,
    ) -> DriverSteps:
        """Have ``phase`` opened by a command whose message ``begins``, and wait until all has moved. ``empty``: the
        message that there is nothing. ``patience``: it cannot be broken off from here, and so many limits of #REST on
        end may pass with nothing moved."""
        if not self._begin(session, phase):
            return Failed(Cause.BUSY, "one service at a time")
        self._sending, self._moving = sends, session
        answer: Answer = yield Command(text, ends=frozenset({begins, *empty}))
        said = {heard.key for heard in answer.heard}
        if not answer.ok or begins not in said:
            self._moving = None
            self._end_of(session)
            if said:
                yield from self._late_result()  # U16
                return Done()
            if answer.ok:
                return Failed(Cause.SERVER_FILE, "OK without data")
            refused: Failed = yield from self._refused(self.failed(answer, text))
            return refused
        yield Report(Begun())
        if patience is not None:
            yield Stay()
        still = 0

        def goes_on(moved: bool) -> bool:
            nonlocal still
            still = 0 if moved or self._sending else still + 1
            return self._running == session and (self._sending or still < (patience() if patience else 1))

        ended: Heard | None = yield from until_still("#TRANSFER" if patience is None else "#REST", goes_on)
        if ended is None and patience is None and goes_on(not self._sending):
            # Nobody wants the rest, and nothing but its end ends it.
            yield Stay()
            ended = yield from until_still("#REST", goes_on)
        self._moving = None
        if self._end_of(session):
            yield Leave(there=True)
        if ended is None:
            yield from self._find(adopt=False)  # it may have restarted
            return Failed(Cause.TIMED_OUT)
        if ended.key == "error":
            return Failed(self.dialect.cause_of(ended.fields["code"]), ended.fields["code"])
        if ended.fields["text"] not in ("OK", "0"):  # what it sends is no longer a file's or a mail's to the module
            yield from self._find(adopt=False)
            return Failed(Cause.SEND_FAILED, ended.fields["text"])
        return Done()

    def _end_sending(self) -> DriverSteps:
        """The host has sent its file, or its mail."""
        self._sending = False
        yield EndSending(over=True)
        return Done()


def _split(path: str) -> tuple[str, str]:
    """Folder and name; "." is where the server begins (U41)."""
    folder, slash, name = path.rpartition("/")
    return folder or slash or ".", name
