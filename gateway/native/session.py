"""What a service's session consists of: its engine, its requests in their order, and the look-out when there are none.

The engines are in files of their own, and each is imported when a host first asks for it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.model.requests import ResolveName
from gateway.model.services import (
    FetchMail,
    GetFile,
    Method,
    OpenFtp,
    OpenHttp,
    OpenMms,
    OpenPop3,
    OpenSmtp,
    PutFile,
    SendMail,
    ServiceRequest,
    WebRequest,
)
from gateway.model.values import HostSocket, Ticket
from gateway.native.service import Kit, Service, Upload

Opening = OpenFtp | OpenSmtp | OpenPop3 | OpenHttp | OpenMms


@dataclass(slots=True, eq=False)
class Operation:
    """One request that is being worked, or waits for its turn."""

    ticket: Ticket
    request: ServiceRequest | ResolveName
    upload: Upload
    task: asyncio.Task[None] | None = None

    @property
    def unfinished(self) -> bool:
        """Whether data of the host or for the host is still to come, so that closing means to give up."""
        if isinstance(self.request, GetFile | FetchMail | WebRequest | Opening):
            return True
        return self.wants_data and not self.upload.ended

    @property
    def wants_data(self) -> bool:
        """Whether the host sends something."""
        request = self.request
        if isinstance(request, WebRequest):
            return request.method in (Method.POST, Method.PUT)
        return isinstance(request, PutFile | SendMail)


@dataclass(slots=True, eq=False)
class Session:
    """A server that a host speaks to, and what it wants of it."""

    socket: HostSocket
    service: Service
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    operations: list[Operation] = field(default_factory=list)
    opened: bool = False
    watch: asyncio.Task[None] | None = None


def engine_of(request: Opening, kit: Kit) -> Service:
    """The engine of a service."""
    match request:
        case OpenFtp():
            from gateway.native.ftp import Ftp  # noqa: PLC0415  # see the module's text

            return Ftp(kit, request)
        case OpenSmtp():
            from gateway.native.smtp import Smtp  # noqa: PLC0415

            return Smtp(kit, request)
        case OpenPop3():
            from gateway.native.pop3 import Pop3  # noqa: PLC0415

            return Pop3(kit, request)
        case OpenHttp():
            from gateway.native.http import Http  # noqa: PLC0415

            return Http(kit, request)
        case OpenMms():
            from gateway.native.mms import Mms  # noqa: PLC0415

            return Mms(kit, request)
