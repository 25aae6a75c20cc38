"""Multimedia messages out (OMA MMS encapsulation): posted to a centre, through a proxy where there is one."""

from __future__ import annotations

import secrets

from gateway.model.causes import Cause
from gateway.model.results import Done, Result
from gateway.model.services import Method, OpenMms, SendMms, ServiceRequest
from gateway.native import mmscodec, weburl
from gateway.native.http import Call, Caller
from gateway.native.http_link import HttpLink
from gateway.native.mmscodec import CONTENT_TYPE
from gateway.native.network import NetworkFailure
from gateway.native.service import Exchange, Kit, Refused, Service, Upload

CONFIRMATION_LIMIT_BYTES = 65536
_TAKEN = (0x80,)
_CAUSES = {
    0x82: Cause.SERVER_DENIED,
    0x83: Cause.SERVER_FORMAT,
    0x84: Cause.SERVER_ADDRESS,
    0x85: Cause.SERVER_MESSAGE,
    0x86: Cause.SERVER_NETWORK,
    0x87: Cause.SERVER_CONTENT,
    0x88: Cause.SERVER_UNSUPPORTED,
    0xC1: Cause.SERVER_ADDRESS,
    0xC2: Cause.SERVER_MESSAGE,
    0xC3: Cause.SERVER_NETWORK,
    0xE1: Cause.SERVER_DENIED,
    0xE2: Cause.SERVER_FORMAT,
    0xE3: Cause.SERVER_ADDRESS,
    0xE4: Cause.SERVER_MESSAGE,
    0xE5: Cause.SERVER_CONTENT,
}
"""OMA-TS-MMS-ENC 1.2, 7.2.27; any other is told as one without a name."""


class Mms(Service):
    """A session with a centre; a message's result has its identity there."""

    def __init__(self, kit: Kit, request: OpenMms) -> None:
        super().__init__(kit)
        self._request = request
        self._caller = Caller(kit)

    async def open(self) -> None:
        """Look at the address alone: nothing is asked of a centre before there is a message."""
        weburl.parse(self._request.centre)

    async def quit(self) -> None:
        """There is no word for it."""

    def cut(self) -> None:
        """End the connection."""
        self._caller.close()

    @property
    def connected(self) -> bool:
        """A connection is made when it is needed."""
        return True

    async def work(self, request: ServiceRequest, exchange: Exchange) -> Result:
        """One message."""
        del exchange  # all parts are in the request
        if not isinstance(request, SendMms):
            raise Refused(Cause.NOT_SUPPORTED)
        try:
            data = mmscodec.encode(request, secrets.token_hex(8))
        except ValueError as error:
            raise Refused(Cause.BAD_VALUE, str(error)) from error
        upload = Upload(lambda: None)
        upload.put(data)
        upload.end()
        headers = [("Content-Type", CONTENT_TYPE), ("Accept", f"{CONTENT_TYPE}, */*")]
        address = weburl.parse(self._request.centre)
        call = Call(Method.POST.value, address, headers, self._request.proxy)
        call.length = None if request.chunked else len(data)
        link, response = await self._caller.ask(call, upload)
        answer = await self._content(link)
        if response.status_code != 200:
            reason = response.reason.decode("latin-1")
            raise Refused(Cause.SERVER_NOT_READY, f"the centre says {response.status_code} {reason}")
        return self._confirmed(answer)

    async def _content(self, link: HttpLink) -> bytes:
        answer = bytearray()
        async for part in link.content():
            answer += part
            if len(answer) > CONFIRMATION_LIMIT_BYTES:
                raise NetworkFailure(Cause.SERVER_NOT_READY, "an answer that is too long for a confirmation")
        return bytes(answer)

    def _confirmed(self, answer: bytes) -> Result:
        try:
            confirmation = mmscodec.decode(answer)
        except ValueError as error:
            raise Refused(Cause.SERVER_NOT_READY, str(error)) from error
        if confirmation.status not in _TAKEN:
            cause = _CAUSES.get(confirmation.status, Cause.SERVER_UNSPECIFIED)
            raise Refused(cause, f"status {confirmation.status:#x} {confirmation.text}".strip())
        return Done(confirmation.message_id or None)
