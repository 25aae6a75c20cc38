"""The data phases of mail: CR LF . CR LF ends them, in any split."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.cuts import splits

from gateway.wire.dle import ETX
from gateway.wire.mail import END, MailFromHost, MailFromModule, MailToHost, MailToModule

TEXT = st.text(alphabet="\r\n.ax", max_size=40).map(str.encode)


@given(st.data(), TEXT, TEXT)
def test_a_body_ends_at_the_sequence(data: st.DataObject, body: bytes, behind: bytes) -> None:
    stream = body + END + behind
    at = stream.index(END)
    phase, got, rest, ended = MailFromHost(50, 0), b"", b"", False
    for piece in data.draw(splits(stream)):
        if ended:
            rest += piece
            continue
        taken = phase.from_host(piece, 1)
        got += b"".join(taken.payload)
        ended, rest = taken.ended, taken.rest
    assert ended
    assert got == stream[: at + 2]
    assert rest == stream[at + len(END) :]


def test_silence_ends_it() -> None:
    phase = MailFromHost(50, 100)
    assert phase.deadline == 150
    assert not phase.tick(149).expired
    phase.from_host(b"a", 140)
    assert phase.deadline == 190
    assert phase.tick(190).expired


@given(st.data(), TEXT)
def test_the_sequence_never_stands_inside_a_mail(data: st.DataObject, mail: bytes) -> None:
    phase, written = MailToHost(), b""
    for piece in data.draw(splits(mail)):
        written += phase.to_host(piece)
    whole = b"\r\n" + written + phase.end()
    assert whole.endswith(END)
    assert END not in whole[:-1]
    if b"." not in mail:
        assert written == mail


@given(st.data(), TEXT, TEXT)
def test_a_module_gives_a_mail_that_ends_at_the_sequence(data: st.DataObject, mail: bytes, behind: bytes) -> None:
    """What a host is given of it is what the module gave."""
    written = MailToHost()
    stream = written.to_host(mail) + written.end() + behind
    phase, got, rest, ended = MailFromModule(boot=()), b"", b"", False
    for piece in data.draw(splits(stream)):
        if ended:
            rest += piece
            continue
        fed = phase.feed(piece, 1)
        got += b"".join(fed.payload)
        ended, rest = fed.mark == ETX, fed.rest
    assert ended
    assert got == (mail if not mail or mail.endswith(b"\r\n") else mail + b"\r\n")
    assert rest == behind


@given(st.data(), TEXT)
def test_a_module_takes_a_body_as_the_host_gave_it(data: st.DataObject, body: bytes) -> None:
    if END in b"\r\n" + body + b"\r\n":
        return  # goes another way
    phase, sent = MailToModule(), b""
    for piece in data.draw(splits(body)):
        sent += phase.encode(piece, 1)
    assert sent == body
    assert phase.end_sending(1) == (END[2:] if body.endswith(b"\r\n") else END)
    taken = MailFromHost(50, 0).from_host(sent + END if not body.endswith(b"\r\n") else sent + END[2:], 1)
    assert taken.ended
    assert b"".join(taken.payload).removesuffix(b"\r\n") == body.removesuffix(b"\r\n")
    assert taken.rest == b""


def test_what_a_module_says_in_the_middle_of_a_body_is_its_own() -> None:
    fed = MailToModule().feed(b"\r\n#CME ERROR: 37966\r\n", 1)
    assert (fed.payload, fed.mark, fed.rest) == ([], ETX, b"\r\n#CME ERROR: 37966\r\n")
