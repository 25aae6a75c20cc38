"""Where a web address leads (RFC 3986, RFC 9110, 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from gateway.model.causes import Cause
from gateway.model.values import Endpoint
from gateway.native.service import Refused

_PORTS = {"http": 80, "https": 443}
_KEPT = "%/:=&?~+!$,;'@()*[]-._|"
"""What stays in a path and a query as it is; everything else that is not a letter or a digit is escaped."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A server and what is asked of it."""

    scheme: str
    place: Endpoint
    path: str
    """With the query."""
    user: bytes = b""
    password: bytes = b""

    @property
    def secure(self) -> bool:
        """Whether by TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host, and the port where it is not the usual one."""
        host = f"[{self.place.host}]" if ":" in self.place.host else self.place.host
        return host if self.place.port == _PORTS[self.scheme] else f"{host}:{self.place.port}"

    @property
    def text(self) -> str:
        """The whole address, without user and password."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def same_origin(self, other: WebAddress) -> bool:
        """Whether it is the same server, spoken to in the same way."""
        return (self.scheme, self.place) == (other.scheme, other.place)

    def joined(self, reference: str) -> WebAddress:
        """Where a reference from here leads. Raises :class:`Refused`."""
        whole = urljoin(self.text, reference.strip())
        if "://" not in whole:
            raise Refused(Cause.BAD_PROTOCOL, f"{whole!r} leads elsewhere")
        return parse(whole)


def parse(text: str, server: Endpoint | None = None) -> WebAddress:
    """Read an address; one that begins with ``/`` is of ``server``. Raises :class:`Refused`."""
    text = text.strip()
    if not text.isprintable():
        raise Refused(Cause.BAD_VALUE, "a control character in the address")
    if server is not None and (not text or text[0] in "/?"):
        scheme = "https" if server.port == _PORTS["https"] else "http"
        text = f"{scheme}://{server.host}:{server.port}{text}"
    elif "://" not in text:
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").encode("idna" if not (parts.hostname or "").isascii() else "ascii").decode()
    except ValueError as error:
        raise Refused(Cause.BAD_VALUE, f"{text!r}: {error}") from error
    if parts.scheme not in _PORTS:
        raise Refused(Cause.BAD_PROTOCOL, f"{parts.scheme!r} is not spoken here")
    if not host or port == 0:
        raise Refused(Cause.BAD_VALUE, f"{text!r} names no server")
    return WebAddress(
        parts.scheme,
        Endpoint(host, port or _PORTS[parts.scheme]),
        _escaped(parts.path or "/") + (f"?{_escaped(parts.query)}" if parts.query else ""),
        unquote_to_bytes(parts.username or ""),
        unquote_to_bytes(parts.password or ""),
    )


def _escaped(text: str) -> str:
    """Without what may not stand in a request line; a host's bytes are kept as they are."""
    try:
        return quote(text.encode("latin-1"), safe=_KEPT)
    except UnicodeEncodeError:
        return quote(text, safe=_KEPT)
