"""Mail as bytes in motion (RFC 5321, 4.5.2; RFC 5322, 2.1.1; RFC 1939, 3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model.services import SendMail
from gateway.model.values import HostSocket
from gateway.native.mailtext import LINE_LIMIT_BYTES, BodyDecoder, BodyEncoder, header

MAILISH = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b" ", b"a", b"\xff", b"x" * 700, b"y" * 1500])).map(
    b"".join
)
NOW = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)


def encode(*parts: bytes) -> bytes:
    encoder = BodyEncoder()
    return b"".join(map(encoder.encode, parts)) + encoder.finish()


@pytest.mark.parametrize(
    ("body", "wire"),
    [
        (b"", b""),
        (b"one", b"one\r\n"),
        (b"one\r\ntwo\r\n", b"one\r\ntwo\r\n"),
        (b"one\ntwo\rthree", b"one\r\ntwo\r\nthree\r\n"),
        (b".\r\n..\r\nnot.one", b"..\r\n...\r\nnot.one\r\n"),
        (b"\r\n\r\n", b"\r\n\r\n"),
        (b"\r", b"\r\n"),
        (b"a" * 998, b"a" * 998 + b"\r\n"),
        (b"a" * 999, b"a" * 998 + b"\r\na\r\n"),
        (b"a" * 600 + b" " + b"b" * 600, b"a" * 600 + b" \r\n" + b"b" * 600 + b"\r\n"),
        (b"a" * 998 + b".b", b"a" * 998 + b"\r\n..b\r\n"),
    ],
)
def test_a_body_as_it_goes_behind_data(body: bytes, wire: bytes) -> None:
    assert encode(body) == wire
    assert encode(*(body[at : at + 1] for at in range(len(body)))) == wire


@given(MAILISH, st.lists(st.integers(0, 3000)))
def test_any_body_in_any_pieces(body: bytes, cuts: list[int]) -> None:
    ends = sorted({min(cut, len(body)) for cut in cuts} | {0, len(body)})
    wire = encode(*(body[a:b] for a, b in pairwise(ends)))
    assert wire == encode(body)
    lines = wire.split(b"\r\n")
    assert lines.pop() == b""
    assert all(b"\r" not in line and b"\n" not in line and line != b"." for line in lines)
    plain = [line[1:] if line.startswith(b".") else line for line in lines]
    assert all(len(line) <= LINE_LIMIT_BYTES for line in plain)
    assert b"".join(plain) == body.replace(b"\r", b"").replace(b"\n", b"")


@given(MAILISH, st.lists(st.integers(0, 3000)), st.booleans())
def test_what_was_stuffed_comes_out_again_in_any_pieces(body: bytes, cuts: list[int], with_header: bool) -> None:
    wire = encode(body)
    whole = wire + b".\r\nbehind"
    ends = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    decoder = BodyDecoder(header=with_header)
    got = b"".join(decoder.decode(whole[a:b]) for a, b in pairwise(ends))
    assert decoder.finished
    expected = BodyDecoder()
    mail = expected.decode(wire + b".\r\n")
    if not with_header:
        mail = mail[2:] if mail.startswith(b"\r\n") else mail.partition(b"\r\n\r\n")[2]
    assert got == mail


def test_a_server_that_sends_line_feeds_alone_or_never_an_end() -> None:
    assert BodyDecoder().decode(b"..a\nb\n.\n") == b".a\nb\n"
    decoder = BodyDecoder()
    got = b"".join(decoder.decode(byte * 5000) for byte in (b"x", b"\r") * 100)
    assert got == ((b"x" * 5000 + b"\r" * 5000) * 100)[:-1]
    assert not decoder.finished
    assert len(decoder._rest) <= LINE_LIMIT_BYTES


def test_the_header_has_the_fields_and_no_blind_copies() -> None:
    mail = SendMail(
        HostSocket(1),
        "meter@example.com",
        ("a@example.com", "b@example.org"),
        ("c@example.com",),
        ("secret@example.com",),
        sender_name="Zähler, alt",
        subject="Über 30 °C" + " und noch viel mehr" * 10,
    )
    text = header(mail, "example.com", NOW)
    assert text.endswith(b"\r\n\r\n") and text.isascii()
    assert all(len(line) <= 78 for line in text.split(b"\r\n"))
    assert b"secret" not in text
    parsed = message_from_bytes(text, policy=SMTP)
    assert parsed["Date"] == "Thu, 29 Feb 2024 12:30:00 +0000"
    assert parsed["From"].addresses[0].display_name == "Zähler, alt"
    assert parsed["From"].addresses[0].addr_spec == "meter@example.com"
    assert parsed["To"] == "a@example.com, b@example.org"
    assert parsed["Cc"] == "c@example.com"
    assert parsed["Subject"] == mail.subject
    assert parsed["Message-ID"].rstrip(">").endswith("@example.com")


@pytest.mark.parametrize("host", ["Zürich".encode(), "Zürich".encode("latin-1")])
def test_a_hosts_bytes_are_read_as_what_they_are(host: bytes) -> None:
    mail = SendMail(HostSocket(1), "a@b.example", ("c@d.example",), subject=host.decode("latin-1"))
    assert message_from_bytes(header(mail, ""), policy=SMTP)["Subject"] == "Zürich"


def test_a_subject_cannot_add_a_header() -> None:
    mail = SendMail(HostSocket(1), "a@b.example", ("c@d.example",), subject="x\r\nBcc: all@e.example\x00")
    parsed = message_from_bytes(header(mail, ""), policy=SMTP)
    assert parsed["Bcc"] is None
    assert parsed["Subject"] == "x Bcc: all@e.example "
