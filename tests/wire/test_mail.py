"""The data phases of mail: CR LF . CR LF ends them, in any split."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.cuts import splits

from gateway.wire.mail import END, MailFromHost, MailToHost

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
