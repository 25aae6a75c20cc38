"""Servers in memory: just enough of each protocol, and each can stop in the middle of what it does."""

from __future__ import annotations

import asyncio
import random
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, cast

from recovery.clock import Loop

ECHO, HOLD, FTP, SMTP, POP3, HTTP, TIME, DATAGRAMS = 7, 9, 21, 25, 110, 80, 123, 9007
SECURE_HOLD = 443
"""As ``HOLD``, by TLS."""
DEAF = 6666
"""Nobody answers there, not even that nobody is there."""
FILE = random.Random(1).randbytes(3000) + bytes(range(256))
MAIL = b"Subject: hello\r\nFrom: a@b.example\r\n\r\nthe body\r\nof a mail\r\n"
STALL = "stall"
"""A file, a page or a mailbox of this name ends in the middle and nothing follows."""

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Servers:
    """All of them, on a loop's network."""

    def __init__(self, loop: Loop, tls: ssl.SSLContext | None = None) -> None:
        self._loop, self._tls = loop, tls
        self.held: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        """Peers that do what the test has them do."""
        self.files: dict[str, bytes] = {"file": FILE}
        self.letters: list[bytes] = []
        self.mails = [MAIL]
        self._servers: list[Any] = []
        self._never = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []
        loop.network.silent.add(DEAF)

    async def open(self) -> None:
        for port, serve in (
            (ECHO, self._echo),
            (HOLD, self._hold),
            (SECURE_HOLD, self._hold_securely),
            (FTP, self._ftp),
            (SMTP, self._smtp),
            (POP3, self._pop3),
            (HTTP, self._http),
        ):
            self._servers.append(await asyncio.start_server(self._to_the_end(serve), "127.0.0.1", port))
        for port, answer in ((TIME, _time), (DATAGRAMS, _same)):
            address = ("127.0.0.1", port)
            await self._loop.create_datagram_endpoint(lambda answer=answer: _Answering(answer), local_addr=address)

    def close(self) -> None:
        for writer in self._writers:
            writer.close()

    def _to_the_end(self, serve: Serve) -> Serve:
        async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.append(writer)
            with suppress(OSError, EOFError, asyncio.CancelledError):
                await serve(reader, writer)

        return run

    # -- peers ---------------------------------------------------------------------------------------------------------

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    async def _hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.held.append((reader, writer))
        self._loop.nudge()
        await self._never.wait()

    async def _hold_securely(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._tls is not None, "no certificate"
        await writer.start_tls(self._tls)
        await self._hold(reader, writer)

    # -- files ---------------------------------------------------------------------------------------------------------

    async def _ftp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        active: tuple[str, int] | None = None
        doors: asyncio.Queue[Any] = asyncio.Queue()

        def call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers.append(writer)
            doors.put_nowait((reader, writer))

        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode("latin-1").strip():
            word, _, rest = line.partition(" ")
            name = rest.rpartition("/")[2]
            match word.upper():
                case "USER":
                    writer.write(b"331 and who says so\r\n")
                case "PASS":
                    writer.write(b"230 in\r\n")
                case "TYPE":
                    writer.write(b"200 so\r\n")
                case "SIZE":
                    writer.write(b"550 who knows\r\n")
                case "PASV":
                    door = await asyncio.start_server(call, "127.0.0.1", 0)
                    port = door.sockets[0].getsockname()[1]
                    writer.write(f"227 at (127,0,0,1,{port >> 8},{port & 255})\r\n".encode())
                    active = None
                case "PORT":
                    numbers = [int(part) for part in rest.split(",")]
                    active = ".".join(map(str, numbers[:4])), numbers[4] * 256 + numbers[5]
                    writer.write(b"200 there\r\n")
                case "RETR" | "STOR":
                    writer.write(b"150 now\r\n")
                    there, out = await (asyncio.open_connection(*active) if active else doors.get())
                    self._writers.append(out)
                    if word.upper() == "STOR":
                        data = bytearray()
                        while part := await there.read(65536):
                            data += part
                        self.files[name] = bytes(data)
                    elif name == STALL:
                        out.write(b"x" * 1000)
                        await self._never.wait()
                    else:
                        out.write(self.files[name])
                    out.close()
                    writer.write(b"226 done\r\n")
                case "QUIT":
                    writer.write(b"221 bye\r\n")
                    writer.close()
                    return
                case _:
                    writer.write(b"500 what\r\n")

    # -- mail ----------------------------------------------------------------------------------------------------------

    async def _smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line[:4].upper()
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                self.letters.append(await reader.readuntil(b"\r\n.\r\n"))
            writer.write(b"221 bye\r\n" if word == b"QUIT" else b"250 so\r\n")
            if word == b"QUIT":
                writer.close()
                return

    async def _pop3(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stalls = False
        writer.write(b"+OK here\r\n")
        while line := (await reader.readline()).decode("latin-1").strip():
            word, _, rest = line.partition(" ")
            match word.upper():
                case "LIST" if rest:
                    writer.write(f"+OK {rest} {len(MAIL)}\r\n".encode())
                case "LIST":
                    sizes = [f"{number + 1} {len(mail)}\r\n" for number, mail in enumerate(self.mails)]
                    writer.write(f"+OK\r\n{''.join(sizes)}.\r\n".encode())
                case "RETR" if stalls:
                    writer.write(b"+OK\r\n" + b"x" * 40)
                    await self._never.wait()
                case "RETR":
                    writer.write(b"+OK\r\n" + MAIL + b".\r\n")
                case "QUIT":
                    writer.write(b"+OK bye\r\n")
                    writer.close()
                    return
                case "CAPA" | "UIDL" | "TOP" | "AUTH":
                    writer.write(b"-ERR what\r\n")
                case _:
                    stalls = stalls or (word.upper() == "USER" and rest == STALL)
                    writer.write(b"+OK\r\n")

    # -- web -----------------------------------------------------------------------------------------------------------

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 So\r\nContent-Length: {len(FILE)}\r\nConnection: close\r\n\r\n".encode())
        if STALL.encode() in head.split()[1]:
            writer.write(b"x" * 1000)
            await self._never.wait()
        writer.write(FILE)
        writer.close()


class _Answering(asyncio.DatagramProtocol):
    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._transport.sendto(self._answer(data), addr)


def _same(data: bytes) -> bytes:
    return data


def _time(request: bytes) -> bytes:
    seconds = 2208988800 + 1709210096
    times = bytes(8) + request[40:48] + bytes(8) + struct.pack("!II", seconds, 1 << 31)
    return bytes([0b00_100_100, 2]) + bytes(10) + b"LOCL" + times
