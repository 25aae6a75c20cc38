"""What a user types for a link, understood: a device, ``pty:PATH``, a pySerial URL, ``tcp-listen://`` or ``tls-listen://``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from gateway.errors import InputError, nearest

PYSERIAL_OPTIONS = {
    "rfc2217": ("logging", "ign_set_control", "poll_modem", "timeout"),
    "socket": ("logging",),
    "loop": ("logging",),
    "spy": ("file", "color", "raw", "all"),
    "hwgrep": None,  # a question mark may be of its pattern
    "alt": ("class",),
    "cp2110": (),
}
"""pySerial's handlers, and the options that each has."""
LISTEN_SCHEMES = ("tcp-listen", "tls-listen")
PARITIES = ("N", "E", "O", "M", "S")
FLOWS = ("none", "rtscts", "xonxoff")
_SERIAL_KEYS = ("baudrate", "bytesize", "parity", "stopbits", "flow")
_TLS_KEYS = ("cert", "key", "client_ca")
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How a serial port is set; ``baudrate`` in bits per second."""

    baudrate: int = 115200
    bytesize: int = 8
    parity: str = "N"
    stopbits: float = 1
    flow: str = "none"


@dataclass(frozen=True, slots=True)
class LinkSpec:
    """A link: its kind, where it is, and its settings.

    ``kind`` is ``pty``, ``device``, ``url`` (a pySerial handler), ``tcp-listen`` or ``tls-listen``.
    """

    text: str
    kind: str
    target: str
    settings: SerialSettings = SerialSettings()
    cert: str = ""
    key: str = ""
    client_ca: str = ""

    @property
    def host_port(self) -> tuple[str, int]:
        """Address and port of a network link."""
        host, _, port = self.target.rpartition(":")
        return host.strip("[]"), int(port)

    def is_same(self, other: LinkSpec) -> bool:
        """Whether both are the same line, whatever their paths are called; any free port is never the same."""
        if self.kind in LISTEN_SCHEMES and other.kind in LISTEN_SCHEMES:
            return self.host_port == other.host_port and self.host_port[1] != 0
        return bool(self._places & other._places)

    @property
    def _places(self) -> set[str]:
        """Where the link is found: a pseudo-terminal at its symbolic link, a device also where such a link leads to."""
        if self.kind not in ("pty", "device"):
            return {self.target}
        folder, name = os.path.split(self.target)
        place = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118  # Path.resolve() raises for a link to itself
        return {place} if self.kind == "pty" else {place, os.path.realpath(self.target)}


def parse_link(text: str) -> LinkSpec:
    """Read a link. Raises :class:`InputError` with what is wrong in it."""
    bare, _, query = text.partition("?")
    if not bare:
        raise InputError("a link must not be empty: give a device, pty:PATH, socket://HOST:PORT, ...")
    if "\0" in text:
        raise InputError(f"link {text!r}: no name has a zero byte in it")
    if bare.startswith("pty:"):
        path = bare.removeprefix("pty:")
        if not path:
            raise InputError(
                f"link {text!r}: pty: needs the path of the symbolic link to make, for example pty:/tmp/host"
            )
        return LinkSpec(text, "pty", path, _settings(text, query))
    scheme, separator, rest = bare.partition("://")
    if not separator:
        return LinkSpec(text, "device", bare, _settings(text, query))
    if scheme in LISTEN_SCHEMES:
        return _listen(text, scheme, rest, query)
    if scheme in PYSERIAL_OPTIONS:
        own, foreign = _split(query)
        target = bare + ("?" + foreign if foreign else "")
        if scheme in ("socket", "rfc2217"):
            _check_port(text, rest.removesuffix("/"))
        options = PYSERIAL_OPTIONS[scheme]
        if options is not None:
            _values(text, query, (*_SERIAL_KEYS, *options))
        return LinkSpec(text, "url", target, _settings(text, own))
    known = ["pty", *LISTEN_SCHEMES, *PYSERIAL_OPTIONS]
    close = nearest(scheme, known)
    hint = f"did you mean {close}://? " if close else ""
    raise InputError(
        f"link {text!r}: unknown kind {scheme!r}: {hint}known are a device path, pty: and {', '.join(known[1:])}"
    )


def _split(query: str) -> tuple[str, str]:
    """Our own settings apart from those of the pySerial handler."""
    parts = [part for part in query.split("&") if part]
    own = [part for part in parts if part.partition("=")[0] in _SERIAL_KEYS]
    return "&".join(own), "&".join(part for part in parts if part not in own)


def _listen(text: str, scheme: str, target: str, query: str) -> LinkSpec:
    _check_port(text, target)
    values = _values(text, query, (*_SERIAL_KEYS, *_TLS_KEYS))
    tls = {key: values.get(key, "") for key in _TLS_KEYS}
    if scheme == "tls-listen" and not tls["cert"]:
        raise InputError(f"link {text!r}: tls-listen needs ?cert=FILE (and &key=FILE unless the key is in the same file)")
    useless = [key for key in _TLS_KEYS if key in values and scheme != "tls-listen"]
    if useless:
        raise InputError(f"link {text!r}: {useless[0]} is for tls-listen://: {scheme} is not encrypted")
    settings = _settings(text, _split(query)[0])
    return LinkSpec(text, scheme, target, settings, tls["cert"], tls["key"], tls["client_ca"])


def _check_port(text: str, target: str) -> None:
    host, _, port = target.rpartition(":")
    if not host.strip("[]") or not _NUMBER.fullmatch(port) or int(port) > 65535:
        raise InputError(f"link {text!r}: expected HOST:PORT behind ://, found {target!r}")


def _values(text: str, query: str, known: tuple[str, ...]) -> dict[str, str]:
    values = dict(parse_qsl(query, keep_blank_values=True))
    for key in values:
        if key not in known:
            close = nearest(key, list(known))
            raise InputError(f"link {text!r}: unknown setting {key!r}" + (f"; did you mean {close!r}?" if close else ""))
    return values


def _settings(text: str, query: str) -> SerialSettings:
    values = _values(text, query, _SERIAL_KEYS)

    def number(key: str, default: int, allowed: tuple[int, ...] = ()) -> int:
        value = values.get(key, str(default))
        if not _NUMBER.fullmatch(value) or int(value) <= 0 or (allowed and int(value) not in allowed):
            kinds = f"one of {', '.join(map(str, allowed))}" if allowed else "a positive number"
            raise InputError(f"link {text!r}: {key} must be {kinds}, not {value!r}")
        return int(value)

    def word(key: str, default: str, allowed: tuple[str, ...]) -> str:
        value = values.get(key, default)
        if value not in allowed:
            raise InputError(f"link {text!r}: {key} must be one of {', '.join(allowed)}, not {value!r}")
        return value

    stopbits = float(word("stopbits", "1", ("1", "1.5", "2")))
    return SerialSettings(
        number("baudrate", 115200),
        number("bytesize", 8, (5, 6, 7, 8)),
        word("parity", "N", PARITIES),
        stopbits,
        word("flow", "none", FLOWS),
    )
