"""One connection to a web server, or through a proxy: requests and answers by h11, over any streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import h11

from gateway.model.causes import Cause
from gateway.native.dialer import Streams
from gateway.native.network import NetworkFailure
from gateway.native.service import Kit, Refused, Upload

READ_BYTES = 16384
HEADER_LIMIT_BYTES = 65536
Headers = list[tuple[str, str]]


class HttpLink:
    """Takes one request after the other; :attr:`reusable` tells whether another one."""

    def __init__(self, kit: Kit, streams: Streams) -> None:
        self._kit = kit
        self.streams = streams
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEADER_LIMIT_BYTES)
        self.answered = False
        """Something has come for the present request."""
        self._closing = False
        self._ended = False

    @property
    def reusable(self) -> bool:
        """Whether the last exchange ended, and the connection lives."""
        done = self._state.our_state is h11.DONE and self._state.their_state is h11.DONE
        return done and not self._closing and not self.streams[0].at_eof()

    def reuse(self) -> None:
        """Make ready for the next request."""
        self._state.start_next_cycle()
        self.answered = False

    async def request(self, method: str, target: str, headers: Headers, version: str) -> None:
        """Send a request without its body. Raises :class:`Refused` for one that cannot be."""
        try:
            lines = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
            event = h11.Request(method=method, target=target, headers=lines)
            data = self._state.send(event) or b""
        except (h11.LocalProtocolError, UnicodeEncodeError) as error:
            raise Refused(Cause.BAD_VALUE, str(error)) from error
        if version == "1.0":  # h11 itself speaks 1.1 alone, and reads both
            line, end, rest = data.partition(b"\r\n")
            data = line.removesuffix(b"1.1") + b"1.0" + end + rest
            self._closing = True
        await self._write(data)

    async def body(self, upload: Upload) -> None:
        """Send the body. Raises :class:`NetworkFailure` when it has not the length that was told."""
        while data := await upload.read():
            await self._piece(h11.Data(data=data))
        await self.end()

    async def end(self) -> None:
        """The request is complete."""
        await self._piece(h11.EndOfMessage())

    async def response(self) -> h11.Response:
        """The begin of the answer, however long it takes."""
        while True:
            event = self._event()
            if event is h11.NEED_DATA:
                await self._read()
            elif isinstance(event, h11.Response):
                return event
            elif not isinstance(event, h11.InformationalResponse):
                raise NetworkFailure(Cause.CLOSED_BY_PEER, "the server ended the connection without an answer")

    async def content(self) -> AsyncIterator[bytes]:
        """The body of the answer, in pieces."""
        while True:
            event = self._event()
            if event is h11.NEED_DATA:
                await self._kit.within(self._read())
            elif isinstance(event, h11.Data):
                yield bytes(event.data)
            else:
                return

    def close(self) -> None:
        """End the connection."""
        self._closing = True
        self.streams[1].close()

    # -- inside --------------------------------------------------------------------------------------------------------

    async def _piece(self, event: h11.Data | h11.EndOfMessage) -> None:
        try:
            data = self._state.send(event)
        except h11.LocalProtocolError as error:
            raise NetworkFailure(Cause.SEND_SIZE, str(error)) from error
        await self._write(data or b"")

    async def _write(self, data: bytes) -> None:
        await self._kit.send(self.streams[1], data)

    async def _read(self) -> None:
        data = await self.streams[0].read(READ_BYTES)
        self.answered = self.answered or bool(data)
        self._ended = not data
        try:
            self._state.receive_data(data)
        except RuntimeError as error:  # bytes behind the end
            raise NetworkFailure(Cause.CLOSED_BY_PEER, str(error)) from error

    def _event(self) -> object:
        try:
            return self._state.next_event()
        except h11.RemoteProtocolError as error:
            raise NetworkFailure(Cause.CLOSED_BY_PEER if self._ended else Cause.SERVER_NOT_READY, str(error)) from error


def header_text(response: h11.Response) -> str:
    """The header lines as the server has written them, CR LF between them."""
    lines = [name + b": " + value for name, value in response.headers.raw_items()]
    return b"\r\n".join(lines).decode("latin-1")


def header_value(response: h11.Response, name: bytes) -> str | None:
    """The first line of a header, if there is one; ``name`` in small letters."""
    return next((value.decode("latin-1") for own, value in response.headers if own == name), None)


async def answer_while(link: HttpLink, kit: Kit, upload: Upload | None) -> h11.Response:
    """Send the body and read the begin of the answer, which may come before the body has ended: no more is sent then."""
    answer = asyncio.get_running_loop().create_task(link.response())
    try:
        if upload is None:
            await link.end()
        else:
            early = NetworkFailure(Cause.SEND_FAILED, "answered before the end")
            answer.add_done_callback(lambda _: upload.fail(early))
            try:
                await link.body(upload)
            except (NetworkFailure, ConnectionError) as error:
                if not answer.done() and error is not early and not isinstance(error, ConnectionError):
                    raise
        return await kit.within(asyncio.shield(answer))
    finally:
        if not answer.done():
            answer.cancel()
        elif not answer.cancelled():
            answer.exception()  # was told, or something else was
