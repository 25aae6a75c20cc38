"""Mail out (RFC 5321), by aiosmtplib over any connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from gateway.model.causes import Cause
from gateway.model.results import Done, Result
from gateway.model.services import Begun, OpenSmtp, SendMail, ServiceRequest
from gateway.native import mailtext, tls
from gateway.native.network import NetworkFailure
from gateway.native.relay import Relay
from gateway.native.service import Exchange, Kit, Refused, Service, failure_of

STARTTLS_PORTS = (25, 587)
"""Where a secure session begins in the clear (RFC 3207); at other ports TLS comes first (RFC 8314)."""
RECIPIENTS_LIMIT = 100
"""Of one mail (RFC 5321, 4.5.3.1.8)."""
ORIGINAL_LIMIT_CHARACTERS = 1000

Value = TypeVar("Value")


class Smtp(Service):
    """One session; a mail is sent to all of its recipients or to none."""

    def __init__(self, kit: Kit, request: OpenSmtp) -> None:
        super().__init__(kit)
        self._request = request
        self._client = aiosmtplib.SMTP(timeout=None)
        self._writer: asyncio.StreamWriter | None = None
        self._relay: Relay | None = None
        self._lost = asyncio.Event()

    async def open(self) -> None:
        """Say hello, and log in where there is a user."""
        request = self._request
        starts_tls = request.secure and request.server.port in STARTTLS_PORTS
        reader, writer = await self.kit.dialer.open(request.server, secure=request.secure and not starts_tls)
        self._writer = writer
        self._lost = lost = asyncio.Event()
        protocol = SMTPProtocol(asyncio.get_running_loop(), lambda _: lost.set())
        self._relay = relay = Relay(reader, writer)
        relay.tunnel.start(protocol)
        domain = request.domain or _literal(writer)
        try:
            client = aiosmtplib.SMTP(hostname=request.server.host, local_hostname=domain, timeout=None, start_tls=False)
        except ValueError as error:
            relay.tunnel.abort()
            raise Refused(Cause.BAD_VALUE, str(error)) from error
        self._client = client
        client.protocol, client.transport = protocol, relay.tunnel
        greeting = await self._said(protocol.read_response(), Cause.SERVER_NOT_READY)
        if greeting.code != 220:
            raise NetworkFailure(Cause.SERVER_NOT_READY, f"{greeting.code} {greeting.message}")
        await self._hello()
        if starts_tls:
            await self._start_tls(reader, writer, relay, protocol)
        if request.user:
            await self._log_in()

    async def work(self, request: ServiceRequest, exchange: Exchange) -> Result:
        """One mail."""
        if not isinstance(request, SendMail):
            raise Refused(Cause.NOT_SUPPORTED)
        await self._envelope(request)
        answer = await self._said(self._client.execute_command(b"DATA"), Cause.SERVER_BODY)
        if answer.code != 354:
            raise Refused(Cause.SERVER_BODY, f"{answer.code} {answer.message}")
        exchange.begun(Begun())
        await self._body(request, exchange)
        answer = await self._said(self._client.execute_command(b"."), Cause.SERVER_BODY)
        if answer.code != 250:
            raise Refused(Cause.SERVER_BODY, f"{answer.code} {answer.message}")
        return Done()

    async def quit(self) -> None:
        """Say goodbye."""
        await self._said(self._client.quit(), Cause.SERVER_NOT_READY)

    def cut(self) -> None:
        """End the connection."""
        self._client.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._client.is_connected and not self._lost.is_set()

    async def idle(self) -> Cause:
        """Wait until the server closes."""
        return (await self._gone()).cause

    async def _gone(self) -> NetworkFailure:
        """How the server went: that is known a moment later than that it did."""
        await self._lost.wait()
        loss = self._relay.loss if self._relay is not None else None
        return (failure_of(loss) if loss is not None else None) or NetworkFailure(Cause.CLOSED_BY_PEER)

    # -- log-in --------------------------------------------------------------------------------------------------------

    async def _hello(self) -> None:
        try:
            await self._said(self._client.ehlo(), Cause.SERVER_NOT_READY)
        except Refused:
            await self._said(self._client.helo(), Cause.SERVER_NOT_READY)

    async def _start_tls(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, relay: Relay, protocol: SMTPProtocol
    ) -> None:
        if not self._client.supports_extension("starttls"):
            raise NetworkFailure(Cause.OPEN_FAILED, "the server speaks no TLS")
        answer = await self._said(self._client.execute_command(b"STARTTLS"), Cause.OPEN_FAILED)
        if answer.code != 220:
            raise NetworkFailure(Cause.OPEN_FAILED, f"{answer.code} {answer.message}")
        await relay.stop()
        inner, self._writer = await tls.upgrade(reader, writer, self.kit.trust(), self._request.server.host)
        self._relay = relay = Relay(inner, self._writer)
        relay.tunnel.start(protocol)
        self._client.transport = relay.tunnel
        await self._hello()  # what was said in the clear counts no more (RFC 3207, 4.2)

    async def _log_in(self) -> None:
        client, request = self._client, self._request
        if not client.supports_extension("auth") or not client.supported_auth_methods:
            raise NetworkFailure(Cause.AUTHENTICATION, "the server offers no log-in that is known here")
        work = client.login(_raw(request.user), _raw(request.password))
        await self._said(work, Cause.SERVER_PASSWORD)

    # -- a mail --------------------------------------------------------------------------------------------------------

    async def _envelope(self, mail: SendMail) -> None:
        """Sender and recipients. All are asked for, so that each that is rejected is told."""
        client = self._client
        options = ["BODY=8BITMIME"] if client.supports_extension("8bitmime") else []
        _check(mail.sender, Cause.SERVER_SENDER)
        await self._said(client.mail(mail.sender, options=options), Cause.SERVER_SENDER)
        wanted = [(address, Cause.SERVER_RECIPIENT) for address in mail.recipients]
        wanted += [(address, Cause.SERVER_COPY) for address in mail.copies]
        wanted += [(address, Cause.SERVER_BLIND_COPY) for address in mail.blind_copies]
        rejected: list[Refused] = []
        for address, cause in wanted[:RECIPIENTS_LIMIT]:
            try:
                _check(address, cause)
                await self._said(client.rcpt(address), cause)
            except Refused as refusal:
                rejected.append(Refused(cause, f"{address}: {refusal}"))
        if not wanted:
            rejected.append(Refused(Cause.SERVER_RECIPIENT, "no recipient"))
        if len(wanted) > RECIPIENTS_LIMIT:
            rejected.append(Refused(wanted[-1][1], f"more than {RECIPIENTS_LIMIT} recipients"))
        if rejected:
            await self._said(client.rset(), Cause.SERVER_NOT_READY)
            # Recipients stand first, then copies: the first is the worst.
            raise Refused(rejected[0].cause, "; ".join(map(str, rejected))[:ORIGINAL_LIMIT_CHARACTERS])

    async def _body(self, mail: SendMail, exchange: Exchange) -> None:
        encoder = mailtext.BodyEncoder()
        if mail.header:
            domain = self._request.domain or mail.sender.rpartition("@")[2].rstrip("> ")
            await self._send(encoder.encode(mailtext.header(mail, domain)))
        gone = asyncio.get_running_loop().create_task(self._give_up(exchange))
        try:
            while data := await exchange.upload.read():
                await self._send(encoder.encode(data))
        finally:
            gone.cancel()
        await self._send(encoder.finish())

    async def _give_up(self, exchange: Exchange) -> None:
        exchange.upload.fail(await self._gone())

    async def _send(self, data: bytes) -> None:
        if self._writer is None or self._writer.is_closing():
            raise await self.kit.within(self._gone())
        await self.kit.send(self._writer, data)

    async def _said(self, work: Awaitable[Value], cause: Cause) -> Value:
        """What the server says, in time. Raises :class:`Refused` with ``cause`` when it says no."""
        try:
            return await self.kit.within(work)
        except aiosmtplib.SMTPResponseException as error:
            text = f"{error.code} {error.message}"
            if error.code == 421:  # RFC 5321, 3.8: the server closes the connection
                raise NetworkFailure(Cause.SERVER_NOT_READY, text) from error
            raise Refused(cause, text) from error
        except aiosmtplib.SMTPServerDisconnected as error:
            raise await self.kit.within(self._gone()) from error
        except aiosmtplib.SMTPException as error:
            raise NetworkFailure(cause, str(error)) from error
        except ValueError as error:  # an address that cannot be one
            raise Refused(cause, str(error)) from error


def _check(address: str, cause: Cause) -> None:
    """Raises :class:`Refused` for what would be more than an address."""
    if not address.isprintable():
        raise Refused(cause, f"{address!r} is no address")


def _literal(writer: asyncio.StreamWriter) -> str:
    """What names us where the host has no name for itself: our address (RFC 5321, 4.1.3)."""
    own = writer.get_extra_info("sockname")
    return f"[{own[0] if own else '127.0.0.1'}]"


def _raw(text: str) -> bytes:
    """A host's bytes."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
