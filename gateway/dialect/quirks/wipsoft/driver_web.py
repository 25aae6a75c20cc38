"""Web pages of a module: a session of HTTP (5.57 guide, 5.1, 5.3.7.3, 6.1)."""

from __future__ import annotations

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Await, DriverSteps, Part, Report
from gateway.dialect.quirks.wipsoft.driver_files import INDEX, FilesDriver, Session
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.results import Failed
from gateway.model.services import Begun, Method, OpenHttp, WebRequest

HTTP = 5
VERSION, REDIRECTS = 52, 53
"""Options (5.3.7.3)."""
DEFAULTS: dict[int, str | int] = {VERSION: 1, REDIRECTS: 8}
FORMS = {Method.GET: "http_get", Method.PUT: "http_put", Method.DELETE: "http_delete", Method.POST: "http_post"}
UPLOADS = ("http_put", "http_post")
STATUS_S = 2.0
"""So long behind the OK the server's status may come."""


class WebDriver(FilesDriver):
    """See the module's text."""

    def do_open_http(self, request: OpenHttp) -> DriverSteps:
        """Nothing is asked of a server yet; the one that is named is a proxy."""
        place: dict[str, str | int] = {"index": INDEX}
        if request.server is not None:
            place |= {"proxy": request.server.host, "proxy_port": request.server.port}
        try:
            text = self.dialect.write("http_create", *_flat(request.headers), **place, **_login(request, request.headers))
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        session = Session(request.session, protocol=HTTP)
        result = yield from self._begin_session(session, text, request.server.host if request.server else "")
        if isinstance(result, Failed):
            return result
        version: dict[int, str | int] = {VERSION: int(request.version == "1.1"), REDIRECTS: request.redirects}
        failed: Failed | None = yield from self._write_options(session, version, DEFAULTS)
        return failed or result

    def do_web_request(self, request: WebRequest) -> DriverSteps:
        """CONNECT, a page or a body with its ETX and DLE escaped, ETX, OK; then the server's status."""
        session = self._session_of(request.session, HTTP)
        if session is None:
            return Failed(Cause.BAD_STATE)
        form = FORMS.get(request.method)
        if form is None:
            return Failed(Cause.NOT_SUPPORTED, f"no {request.method}")
        try:
            login = _login(request, request.headers)
            text = self.dialect.write(form, *_flat(request.headers), index=INDEX, url=request.url, **login)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        return (yield from self._move(session, text, uploads=form in UPLOADS, behind=self._status))

    def _status(self) -> Part:
        said: Heard | None = yield Await(lambda heard: heard.key == "http_done", STATUS_S)
        if said is not None:
            yield Report(Begun(status=said.number("status"), reason=said.fields["reason"]))


def _login(request: OpenHttp | WebRequest, headers: tuple[tuple[str, str], ...]) -> dict[str, str | int]:
    """User and password; they stand before headers, also where there are none (S14)."""
    return {"user": request.user, "password": str(request.password)} if request.user or headers else {}


def _flat(headers: tuple[tuple[str, str], ...]) -> list[str]:
    return [text for pair in headers for text in pair]
