"""Web pages (RFC 9110, RFC 9112), by h11 over any connection; direct or through a proxy."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable
from dataclasses import dataclass, replace

import h11

from gateway.model.causes import Cause
from gateway.model.results import Done, Result
from gateway.model.services import Begun, Method, OpenHttp, ServiceRequest, WebRequest
from gateway.model.values import Endpoint
from gateway.native import tls, weburl
from gateway.native.dialer import Streams
from gateway.native.http_link import Headers, HttpLink, answer_while, header_text, header_value
from gateway.native.network import LOST, NetworkFailure
from gateway.native.service import Exchange, Kit, Refused, Service, Upload
from gateway.native.weburl import WebAddress

BODY_LIMIT_BYTES = 1 << 20
"""Of a body that must be counted before it can be sent: HTTP 1.0 without a length."""
SKIPPED_LIMIT_BYTES = 65536
"""Of a redirection's own page that is read to keep the connection."""
_OURS = ("host", "content-length", "transfer-encoding")
"""Header lines that are made here."""


@dataclass(slots=True)
class Call:
    """What is asked, of whom."""

    method: str
    address: WebAddress
    headers: Headers
    proxy: Endpoint | None = None
    version: str = "1.1"
    length: int | None = None
    user: bytes = b""
    password: bytes = b""


class Caller:
    """Keeps a connection for as long as the next request is for the same server."""

    def __init__(self, kit: Kit, proxy_user: str = "", proxy_password: str = "") -> None:
        self._kit = kit
        self._proxy_user = _basic(_raw(proxy_user), _raw(proxy_password)) if proxy_user else ""
        self._link: HttpLink | None = None
        self._key: object = None

    async def ask(
        self, call: Call, upload: Upload | None = None, ready: Callable[[], None] | None = None
    ) -> tuple[HttpLink, h11.Response]:
        """The begin of the answer; ``ready`` is called when a body can be sent.

        A connection that was kept and turns out to be dead is replaced, once; a body is never sent on one.
        """
        link = self._kept(call) if upload is None else None
        if link is not None:
            try:
                await link.request(call.method, _target(call), self._headers(call, upload), call.version)
                return link, await answer_while(link, self._kit, None)
            except LOST as failure:  # by whatever, of this computer's or of a module's
                if link.answered or isinstance(failure, Refused | TimeoutError):
                    raise
        self.close()
        self._link = link = HttpLink(self._kit, await self._dial(call))
        self._key = _key(call)
        if upload is not None and ready is not None:
            ready()
        await link.request(call.method, _target(call), self._headers(call, upload), call.version)
        return link, await answer_while(link, self._kit, upload)

    def close(self) -> None:
        """End the connection that is kept."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _kept(self, call: Call) -> HttpLink | None:
        if self._link is None or self._key != _key(call) or not self._link.reusable:
            return None
        self._link.reuse()
        return self._link

    async def _dial(self, call: Call) -> Streams:
        address, dialer = call.address, self._kit.dialer
        if call.proxy is None:
            return await dialer.open(address.place, secure=address.secure)
        streams = await dialer.open(call.proxy)
        return await self._through(streams, address) if address.secure else streams

    async def _through(self, streams: Streams, address: WebAddress) -> Streams:
        """A way through a proxy (RFC 9110, 9.3.6), and TLS in it."""
        place = f"{address.place.host}:{address.place.port}"
        link = HttpLink(self._kit, streams)
        try:
            await link.request("CONNECT", place, [("Host", place), *self._for_proxy()], "1.1")
            response = await answer_while(link, self._kit, None)
            if not 200 <= response.status_code < 300:
                said = f"the proxy says {response.status_code} {response.reason.decode('latin-1')}"
                raise NetworkFailure(
                    Cause.SERVER_PASSWORD if response.status_code == 407 else Cause.SERVER_NOT_READY, said
                )
            return await tls.upgrade(*streams, self._kit.trust(), address.place.host)
        except BaseException:
            link.close()
            raise

    def _for_proxy(self) -> Headers:
        return [("Proxy-Authorization", self._proxy_user)] if self._proxy_user else []

    def _headers(self, call: Call, upload: Upload | None) -> Headers:
        headers = [("Host", call.address.authority)]
        names = {name.lower() for name, _ in call.headers}
        headers += [(name, value) for name, value in call.headers if name.lower() not in _OURS]
        if call.user and "authorization" not in names:
            headers.append(("Authorization", _basic(call.user, call.password)))
        if call.proxy is not None and not call.address.secure:
            headers += self._for_proxy()
        if upload is not None:
            told = call.length is not None
            headers.append(("Content-Length", str(call.length)) if told else ("Transfer-Encoding", "chunked"))
        if call.version == "1.0" and "connection" not in names:
            headers.append(("Connection", "close"))
        return headers


class Http(Service):
    """A session: what is common to its requests, and the connection that they share where they can."""

    def __init__(self, kit: Kit, request: OpenHttp) -> None:
        super().__init__(kit)
        self._request = request
        self._caller = Caller(kit, request.user, request.password)

    async def open(self) -> None:
        """Nothing is asked of a server before there is a request."""

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
        """One request, and where it is sent on to."""
        if not isinstance(request, WebRequest):
            raise Refused(Cause.NOT_SUPPORTED)
        call = self._call(request)
        upload = exchange.upload if request.method in (Method.POST, Method.PUT) else None
        ready: Callable[[], None] | None = functools.partial(exchange.begun, Begun())
        if upload is not None and call.version == "1.0" and call.length is None:
            exchange.begun(Begun())
            upload, call.length = await _counted(upload)
            ready = None
        link, response = await self._caller.ask(call, upload, ready)
        for _ in range(self._request.redirects):
            following = _following(call, response, upload)
            if following is None:
                break
            await self._skip(link)
            call, upload = following, None
            link, response = await self._caller.ask(call)
        size = header_value(response, b"content-length")
        known = int(size) if size is not None and size.isascii() and size.isdigit() else None
        reason = response.reason.decode("latin-1")
        exchange.begun(Begun(known, response.status_code, reason, header_text(response)))
        async for data in link.content():
            await exchange.deliver(data)
        if not link.reusable:
            self._caller.close()
        return Done()

    def _call(self, request: WebRequest) -> Call:
        session = self._request
        address = weburl.parse(request.url, session.server)
        direct = session.server is None or session.server.host.lower() == address.place.host.lower()
        own = {name.lower() for name, _ in request.headers}
        headers = [(name, value) for name, value in session.headers if name.lower() not in own]
        headers += request.headers
        told = next((value.strip() for name, value in headers if name.lower() == "content-length"), "")
        call = Call(request.method.value, address, headers, None if direct else session.server, session.version)
        call.length = request.length if request.length is not None else int(told) if told.isdigit() else None
        if request.user:
            call.user, call.password = _raw(request.user), _raw(request.password)
        elif address.user:
            call.user, call.password = address.user, address.password
        elif direct:
            call.user, call.password = _raw(session.user), _raw(session.password)
        return call

    async def _skip(self, link: HttpLink) -> None:
        """Read a page that nobody wants, if that costs less than another connection."""
        size = 0
        async for data in link.content():
            size += len(data)
            if size > SKIPPED_LIMIT_BYTES:
                break
        if not link.reusable:
            self._caller.close()


def _following(call: Call, response: h11.Response, upload: Upload | None) -> Call | None:
    """The request that a redirection asks for, if it can be made: a body that has been sent is gone."""
    status, place = response.status_code, header_value(response, b"location")
    if status not in (301, 302, 303, 307, 308) or not place:
        return None
    method = call.method
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):  # RFC 9110, 15.4
        method = "GET"
    elif upload is not None:
        return None
    try:
        address = call.address.joined(place)
    except Refused:
        return None
    made = replace(call, method=method, address=address, length=None)
    if not address.same_origin(call.address):
        made.user = made.password = b""
        made.headers = [line for line in made.headers if line[0].lower() not in ("authorization", "cookie")]
    return made


async def _counted(upload: Upload) -> tuple[Upload, int]:
    """A body whose size is known, because all of it is here."""
    data = await upload.read_all(BODY_LIMIT_BYTES)
    whole = Upload(lambda: None)
    whole.put(data)
    whole.end()
    return whole, len(data)


def _target(call: Call) -> str:
    """What stands in the request line: all of the address for a proxy (RFC 9112, 3.2)."""
    return call.address.text if call.proxy is not None and not call.address.secure else call.address.path


def _key(call: Call) -> object:
    """What two requests must have in common to share a connection."""
    if call.proxy is not None and not call.address.secure:
        return call.proxy
    return call.proxy, call.address.scheme, call.address.place


def _basic(user: bytes, password: bytes) -> str:
    return f"Basic {base64.b64encode(user + b':' + password).decode()}"


def _raw(text: str) -> bytes:
    """A host's bytes."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
