"""Multimedia messages as bytes (OMA-TS-MMS-ENC 1.2, WAP-230-WSP): what is sent, and what a centre says to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message

from gateway.model.services import MmsPart, SendMms

CONTENT_TYPE = "application/vnd.wap.mms-message"
_TEXT_QUOTE = 0x7F
_LENGTH_QUOTE = 31
_CODES = {
    "bcc": 0x81,
    "cc": 0x82,
    "content-type": 0x84,
    "date": 0x85,
    "from": 0x89,
    "message-class": 0x8A,
    "message-id": 0x8B,
    "message-type": 0x8C,
    "version": 0x8D,
    "priority": 0x8F,
    "response-status": 0x92,
    "response-text": 0x93,
    "sender-visibility": 0x94,
    "subject": 0x96,
    "to": 0x97,
    "transaction-id": 0x98,
}
_NAMES = {code: name for name, code in _CODES.items()}
_SEND_REQUEST, _SEND_CONFIRMATION = 0x80, 0x81
_VERSION = 0x92
"""1.2."""
_CLASSES = {"PERSONAL": 0x80, "ADVERTISEMENT": 0x81, "INFORMATIONAL": 0x82, "AUTO": 0x83}
_PRIORITIES = {"LOW": 0x80, "NORMAL": 0x81, "HIGH": 0x82}
_HIDE, _SHOW = 0x80, 0x81
_ADDRESS_PRESENT, _INSERT_ADDRESS = 0x80, 0x81
_MIXED, _RELATED = 0xA3, 0xB3
_MEDIA = {
    "text/plain": 0x83,
    "image/gif": 0x9D,
    "image/jpeg": 0x9E,
    "image/tiff": 0x9F,
    "image/png": 0xA0,
    "image/vnd.wap.wbmp": 0xA1,
}
_CHARSETS = {"us-ascii": 3, "iso-8859-1": 4, "utf-8": 106, "iso-10646-ucs-2": 1000, "utf-16": 1015}
_PRESENTATION = "application/smil"
_DATES = ("%m/%d/%Y %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a centre says: ``status`` is 0x80 when it has taken the message."""

    status: int
    text: str = ""
    message_id: str = ""


def encode(message: SendMms, transaction: str) -> bytes:
    """An M-Send.req. Raises :class:`ValueError` for a field that cannot be one."""
    out = bytearray([_CODES["message-type"], _SEND_REQUEST])
    out += bytes([_CODES["transaction-id"]]) + text(transaction)
    out += bytes([_CODES["version"], _VERSION])
    if message.date:
        out += bytes([_CODES["date"]]) + long_integer(int(_date(message.date).timestamp()))
    out += bytes([_CODES["from"]]) + _sender(message.sender)
    for name, addresses in (("to", message.recipients), ("cc", message.copies), ("bcc", message.blind_copies)):
        for address in addresses:
            out += bytes([_CODES[name]]) + encoded_string(_address(address))
    if message.subject:
        out += bytes([_CODES["subject"]]) + encoded_string(_readable(message.subject))
    out += bytes([_CODES["message-class"], _one_of(_CLASSES, message.message_class)])
    out += bytes([_CODES["priority"], _one_of(_PRIORITIES, message.priority)])
    out += bytes([_CODES["sender-visibility"], _HIDE if message.hide_sender else _SHOW])
    out += bytes([_CODES["content-type"]]) + _body_type(message)
    out += uintvar(len(message.parts))
    for part in message.parts:
        head = _part_head(part)
        out += uintvar(len(head)) + uintvar(len(part.data)) + head + part.data
    return bytes(out)


def decode(data: bytes) -> Confirmation:
    """An M-Send.conf. Raises :class:`ValueError` for what is none."""
    fields: dict[str, int | bytes] = {}
    at = 0
    while at < len(data):
        code = data[at]
        if code < 0x80:  # a header with a name in text
            at = _text_end(data, _text_end(data, at))
            continue
        start, at = at + 1, _value_end(data, at + 1)
        value = data[start:at]
        fields[_NAMES.get(code, "")] = value[0] if len(value) == 1 else value
    if fields.get("message-type") != _SEND_CONFIRMATION or not isinstance(fields.get("response-status"), int):
        raise ValueError("no confirmation of a message")
    status = fields["response-status"]
    assert isinstance(status, int)
    return Confirmation(status, _plain(fields.get("response-text")), _plain(fields.get("message-id")))


# -- values (WAP-230-WSP, 8.4.2) ---------------------------------------------------------------------------------------


def uintvar(number: int) -> bytes:
    """Seven bits a byte, the highest bit set in all but the last."""
    out = [number & 0x7F]
    while number := number >> 7:
        out.append(0x80 | (number & 0x7F))
    return bytes(reversed(out))


def long_integer(number: int) -> bytes:
    """Big-endian behind its length."""
    data = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    return bytes([len(data)]) + data


def integer(number: int) -> bytes:
    """In one byte where that is enough."""
    return bytes([0x80 | number]) if number < 0x80 else long_integer(number)


def text(value: str) -> bytes:
    """Ended by a zero byte. Raises :class:`ValueError` for control characters."""
    if any(ord(character) < 32 for character in value):
        raise ValueError(f"a control character in {value!r}")
    data = value.encode()
    return (bytes([_TEXT_QUOTE]) if data[:1] >= b"\x80" else b"") + data + b"\0"


def value_length(size: int) -> bytes:
    """What stands before a value of several fields."""
    return bytes([size]) if size < _LENGTH_QUOTE else bytes([_LENGTH_QUOTE]) + uintvar(size)


def encoded_string(value: str) -> bytes:
    """Text, with its character set where it is not ASCII."""
    if value.isascii():
        return text(value)
    data = integer(_CHARSETS["utf-8"]) + text(value)
    return value_length(len(data)) + data


# -- fields ------------------------------------------------------------------------------------------------------------


def _sender(address: str) -> bytes:
    data = bytes([_ADDRESS_PRESENT]) + encoded_string(_address(address)) if address else bytes([_INSERT_ADDRESS])
    return value_length(len(data)) + data


def _address(address: str) -> str:
    """A telephone number gets its type (OMA-TS-MMS-ENC, 8)."""
    return address if "@" in address or "/TYPE=" in address.upper() else f"{address}/TYPE=PLMN"


def _one_of(codes: dict[str, int], word: str) -> int:
    if word.upper() not in codes:
        raise ValueError(f"{word!r} is none of {', '.join(codes)}")
    return codes[word.upper()]


def _date(value: str) -> datetime:
    for form in _DATES:
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise ValueError(f"{value!r} is no date")


def _readable(value: str) -> str:
    """A host's bytes as the text that they are."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _body_type(message: SendMms) -> bytes:
    """Of the whole body; one of related parts names the part that shows the others."""
    if not message.related:
        return bytes([_MIXED])
    named = [part for part in message.parts if message.first and _content_id(part) == message.first]
    first = next(iter([*named, *(part for part in message.parts if _media(part)[0] == _PRESENTATION)]), None)
    data = bytes([_RELATED])
    if first is not None:
        data += b"\x89" + text(_media(first)[0]) + b"\x8a" + text(_content_id(first))
    return value_length(len(data)) + data


def _media(part: MmsPart) -> tuple[str, str]:
    """Media type and character set of a part."""
    parsed = Message()
    parsed["Content-Type"] = part.content_type
    return parsed.get_content_type(), str(parsed.get_param("charset", "")).lower()


def _part_head(part: MmsPart) -> bytes:
    media, charset = _media(part)
    data = bytes([_MEDIA[media]]) if media in _MEDIA else text(media)
    if charset in _CHARSETS:
        data += b"\x81" + integer(_CHARSETS[charset])
    place = "" if part.name.startswith("<") else part.name
    if place:
        data += b"\x85" + text(place)
    head = value_length(len(data)) + data
    if part.name or part.content_id:
        head += b'\xc0"' + text(_content_id(part))
    return head + (b"\x8e" + text(place) if place else b"")


def _content_id(part: MmsPart) -> str:
    name = part.content_id or part.name
    return name if name.startswith("<") else f"<{name}>"


# -- reading -----------------------------------------------------------------------------------------------------------


def _text_end(data: bytes, at: int) -> int:
    end = data.find(b"\0", at)
    if end < 0:
        raise ValueError("a text without an end")
    return end + 1


def _value_end(data: bytes, at: int) -> int:
    """Behind a value (WAP-230-WSP, 8.4.1.2)."""
    if at >= len(data):
        raise ValueError("a header without a value")
    first = data[at]
    if first >= 0x80:
        return at + 1
    if first > _LENGTH_QUOTE:
        return _text_end(data, at)
    size, at = _length(data, at)
    if at + size > len(data):
        raise ValueError("a value without an end")
    return at + size


def _length(data: bytes, at: int) -> tuple[int, int]:
    """The size of a value of several fields, and where it begins."""
    if data[at] < _LENGTH_QUOTE:
        return data[at], at + 1
    size, more = 0, 0x80
    while more:
        at += 1
        if at >= len(data) or size > len(data):
            raise ValueError("a length without an end")
        size, more = size << 7 | data[at] & 0x7F, data[at] & 0x80
    return size, at + 1


def _plain(value: int | bytes | None) -> str:
    """An encoded string; it is only shown, so that its character set matters little."""
    if not isinstance(value, bytes):
        return ""
    if value[0] <= _LENGTH_QUOTE:
        _, at = _length(value, 0)
        value = value[at + (1 if value[at : at + 1] >= b"\x80" else 1 + value[at]) :]
    return value.rstrip(b"\0").removeprefix(bytes([_TEXT_QUOTE])).decode("utf-8", "replace")
