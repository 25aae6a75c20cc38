"""Files of a server (RFC 959, RFC 2428), by aioftp over any connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, cast

import aioftp
from aioftp.errors import InvalidCommand

from gateway.model.causes import Cause
from gateway.model.findings import Finding, FindingKind
from gateway.model.results import Done, Result
from gateway.model.services import Begun, DeleteFile, GetFile, OpenFtp, PutFile, ServiceRequest, SetFtp
from gateway.model.values import Endpoint
from gateway.native.dialer import Door, Streams
from gateway.native.network import LOST, NetworkFailure, drained
from gateway.native.service import Exchange, Kit, Refused, Service, hang_up

READ_BYTES = 16384
ANSWER_LIMIT_LINES = 1000
"""Of one answer; a server with more to say is not believed."""
CALL_LIMIT_S = 0.5
"""So long a server's call, made before it has said its last word of the transfer, may take to be taken behind that."""


class _Control(aioftp.Client):
    """The control connection, and data connections in passive mode, through a dialer.

    Text is bytes as the host has them (Latin-1): paths and answers pass whatever their character set is.
    """

    def __init__(self, kit: Kit) -> None:
        super().__init__(encoding="latin-1")
        self._kit = kit
        self._lines = 0

    async def _open_connection(self, host: str, port: int) -> Streams:
        if not 0 < port < 65536:
            raise ValueError(f"a data connection to port {port}")
        return await self._kit.dialer.open(Endpoint(host, port))

    async def command(self, *what: Any, **more: Any) -> Any:
        """Say something, and hear the answer. Raises what the connection was lost by."""
        if what and what[0] and self.stream.writer.is_closing():
            await drained(self.stream.writer)
            raise NetworkFailure(Cause.CLOSED_BY_PEER)
        try:
            return await super().command(*what, **more)
        except ConnectionError:
            await drained(self.stream.writer)
            raise

    async def parse_response(self) -> tuple[aioftp.Code, list[str]]:
        """An answer of not too many lines."""
        self._lines = 0
        return await super().parse_response()

    async def parse_line(self) -> tuple[aioftp.Code, str]:
        """A line of an answer."""
        self._lines += 1
        if self._lines > ANSWER_LIMIT_LINES:
            raise ValueError(f"an answer of more than {ANSWER_LIMIT_LINES} lines")
        line = await self.stream.readline()
        if not line.endswith(b"\n"):  # a part of a line may say something else than all of it
            raise NetworkFailure(Cause.CLOSED_BY_PEER, "the server ended the connection without an answer")
        text = line.decode(self.encoding).rstrip()
        return aioftp.Code(text[:3]), text[3:]


class Ftp(Service):
    """One log-in. Type and mode are told to the server with each transfer."""

    def __init__(self, kit: Kit, request: OpenFtp) -> None:
        super().__init__(kit)
        self._request = request
        self._binary = request.binary
        self._passive = request.passive
        self._control: _Control | None = None

    async def open(self) -> None:
        """Connect and log in."""
        request = self._request
        self._control = control = _Control(self.kit)
        await self._checked(control.connect(request.server.host, request.server.port), Cause.SERVER_NOT_READY)
        reached = control.stream.writer.get_extra_info("peername")
        if reached:  # data connections go to the same place, however it was found
            control.server_host = reached[0]
        code, _ = await self._answer(f"USER {request.user}", ("230", "331", "332"), Cause.SERVER_USER)
        if code == "331":
            code, _ = await self._answer(f"PASS {request.password}", ("2xx", "332"), Cause.SERVER_PASSWORD)
        if code == "332":
            await self._answer(f"ACCT {request.account}", "2xx", Cause.SERVER_USER)

    async def work(self, request: ServiceRequest, exchange: Exchange) -> Result:
        """One request."""
        match request:
            case SetFtp():
                self._binary, self._passive = request.binary, request.passive
            case GetFile(path=path):
                await self._get(path, exchange)
            case PutFile(path=path, append=append):
                await self._put(f"{'APPE' if append else 'STOR'} {path}", path, exchange)
            case DeleteFile(path=path):
                try:
                    await self._answer(f"DELE {path}", "2xx", Cause.SERVER_DELETE)
                except Refused as refusal:
                    raise await self._blame(refusal, path) from None
            case _:
                raise Refused(Cause.NOT_SUPPORTED)
        return Done()

    async def quit(self) -> None:
        """Say goodbye."""
        await self._answer("QUIT", "2xx", Cause.SERVER_NOT_READY)

    def cut(self) -> None:
        """End the connection."""
        control, self._control = self._control, None
        if control is not None:
            control.close()

    @property
    def connected(self) -> bool:
        """Whether there is a control connection."""
        return self._control is not None

    async def idle(self) -> Cause:
        """A word of the server that nobody asked for is its last (RFC 959, 4.2: 421)."""
        await self._connection.stream.reader.readline()
        return Cause.CLOSED_BY_PEER

    # -- transfers -----------------------------------------------------------------------------------------------------

    async def _get(self, path: str, exchange: Exchange) -> None:
        size = await self._size(path)
        reader, writer, final = await self._transfer(f"RETR {path}", path)
        try:
            exchange.begun(Begun(size))
            failure = await _try(self._download(reader, exchange, size))
            await self._end(final)
            if failure is not None:
                raise failure
        finally:
            final.cancel()
            writer.close()

    async def _download(self, reader: asyncio.StreamReader, exchange: Exchange, size: int | None) -> None:
        """Whatever the server says of it: a connection that ended before its file did is not that file."""
        came = 0
        while data := await self.kit.within(reader.read(READ_BYTES)):
            came += len(data)
            await exchange.deliver(data)
        if size is not None and came < size:
            raise Refused(Cause.CLOSED_BY_PEER, f"the connection ended after {came} of {size} bytes")

    async def _put(self, command: str, path: str, exchange: Exchange) -> None:
        _, writer, final = await self._transfer(command, path)
        ended_early = NetworkFailure(Cause.SEND_FAILED, "the server ended the transfer")
        final.add_done_callback(lambda _: exchange.upload.fail(ended_early))
        whole = False
        try:
            exchange.begun(Begun())
            failure = await _try(self._upload(writer, exchange))
            whole = failure is None
            await self._end(final)
            if failure is not None:
                raise failure
        finally:
            final.cancel()
            if not whole:
                writer.transport.abort()

    async def _upload(self, writer: asyncio.StreamWriter, exchange: Exchange) -> None:
        while data := await exchange.upload.read():
            await self.kit.send(writer, data)
        await hang_up(writer, self.kit.progress_limit_s)

    async def _transfer(self, command: str, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, _Final]:
        """A data connection for a command that the server has begun; and its final answer, which is awaited already."""
        door = await self._door()
        streams = None
        try:
            if door is None:
                streams = await self._call()
            await self._begin(command, path)
            final = asyncio.get_running_loop().create_task(self._final())
            if door is not None:
                streams = await self._take(door, final)
            assert streams is not None, "neither called nor was called"
        except BaseException:
            if streams is not None:
                streams[1].transport.abort()
            raise
        finally:
            if door is not None:
                door.close()
        return *streams, final

    async def _begin(self, command: str, path: str) -> None:
        try:
            await self._answer(command, "1xx", Cause.SERVER_FILE)
        except Refused as refusal:
            raise await self._blame(refusal, path) from None

    async def _call(self) -> Streams:
        """Connect to where the server waits: passive mode."""
        work = self._connection.get_passive_connection("I" if self._binary else "A")
        try:
            return cast(Streams, await self._checked(work, Cause.OPEN_FAILED))
        except IndexError:  # what the library makes of it
            raise NetworkFailure(Cause.SERVER_NOT_READY, "the server does not say where it waits") from None

    async def _door(self) -> Door | None:
        """Wait for the server's call: active mode. None for passive mode."""
        if self._passive:
            return None
        if not self.kit.dialer.can_listen:
            finding = Finding(FindingKind.CHANGED, "FTP in active mode", "passive mode: nobody can call", "RFC 959, 5.1")
            self.kit.found(finding)
            return None
        door = await self.kit.dialer.listen(self._request.server)
        try:
            await self._answer(f"TYPE {'I' if self._binary else 'A'}", "200", Cause.BAD_OPTION)
            port = door.local.port
            numbers = f"{door.local.host.replace('.', ',')},{port >> 8},{port & 255}"
            await self._answer(f"PORT {numbers}", "2xx", Cause.OPEN_FAILED)
        except BaseException:
            door.close()
            raise
        return door

    async def _take(self, door: Door, final: _Final) -> Streams:
        """The server's call, or what it says instead; of a short file it may have said all before the call is taken."""
        call = asyncio.get_running_loop().create_task(door.accept())
        try:
            await self.kit.within(asyncio.wait({call, final}, return_when=asyncio.FIRST_COMPLETED))
            if not call.done():
                await asyncio.wait({call}, timeout=CALL_LIMIT_S)
            if not call.done():
                await self._end(final)
            return await self.kit.within(call)
        except BaseException:
            final.cancel()
            if call.done() and not call.cancelled() and call.exception() is None:
                call.result()[1].transport.abort()
            raise
        finally:
            call.cancel()

    # -- the control connection ----------------------------------------------------------------------------------------

    @property
    def _connection(self) -> _Control:
        if self._control is None:
            raise NetworkFailure(Cause.CLOSED_BY_PEER)
        return self._control

    async def _final(self) -> Exception | None:
        """What was wrong with a transfer when it ended, however long it takes."""
        try:
            await self._connection.command(None, "2xx", "1xx")
        except Exception as error:
            return error
        return None

    async def _end(self, final: _Final) -> None:
        """Wait for the server's last word about a transfer. Raises what was wrong."""
        error = await self.kit.within(asyncio.shield(final))
        if isinstance(error, aioftp.StatusCodeError):
            raise _refusal(error, Cause.SERVER_FILE)
        if error is not None:
            raise error

    async def _answer(self, command: str, expected: str | tuple[str, ...], cause: Cause) -> tuple[aioftp.Code, list[str]]:
        """What the server says to a command. Raises :class:`Refused` with ``cause`` when that is not expected."""
        work = self._connection.command(command, expected, censor_after=5)
        return cast(tuple[aioftp.Code, list[str]], await self._checked(work, cause))

    async def _checked(self, work: Awaitable[object], cause: Cause) -> object:
        try:
            return await self.kit.within(work)
        except aioftp.StatusCodeError as error:
            raise _refusal(error, cause) from error
        except (InvalidCommand, UnicodeEncodeError) as error:
            raise Refused(Cause.BAD_VALUE, str(error)) from error

    async def _size(self, path: str) -> int | None:
        """Of a file, where the server says it; of text it is not known (RFC 3659, 4)."""
        if not self._binary:
            return None
        try:
            await self._answer("TYPE I", "200", Cause.BAD_OPTION)
            _, lines = await self._answer(f"SIZE {path}", "213", Cause.SERVER_FILE)
        except Refused:
            return None
        text = lines[-1].strip()
        return int(text) if text.isascii() and text.isdigit() else None

    async def _blame(self, refusal: Refused, path: str) -> Refused:
        """Whether the folder was wrong and not the file: only asked when something was."""
        folder = path.rpartition("/")[0]
        if not folder or not str(refusal).startswith("55"):
            return refusal
        _, lines = await self._answer("PWD", "257", refusal.cause)
        here = lines[-1].split('"')
        try:
            await self._answer(f"CWD {folder}", "2xx", Cause.SERVER_FOLDER)
        except Refused as error:
            return error
        await self._answer(f"CWD {here[1] if len(here) > 2 else '/'}", "2xx", refusal.cause)
        return refusal


_Final = asyncio.Task[Exception | None]


async def _try(work: Awaitable[None]) -> Exception | None:
    """How a data connection failed: to be told when the server has no better word for it. It has none for a silence."""
    try:
        await work
    except TimeoutError:
        raise
    except LOST as error:
        return error
    return None


def _refusal(error: aioftp.StatusCodeError, cause: Cause) -> NetworkFailure:
    """What a server says that is not what was hoped for."""
    code = error.received_codes[-1]
    text = f"{code} {' '.join(part.strip(' -') for part in error.info)}"
    if code == "421":  # RFC 959, 4.2: the server closes the connection
        return NetworkFailure(Cause.SERVER_NOT_READY, text)
    if code == "425":
        return Refused(Cause.OPEN_FAILED, text)
    return Refused(Cause.CLOSED_BY_PEER if code == "426" else cause, text)
