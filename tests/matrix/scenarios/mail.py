"""Mail out: to a real server, to one that refuses, to some that end too early."""

from __future__ import annotations

import socket
from contextlib import closing
from email import message_from_bytes
from email.message import Message
from email.policy import SMTP

from aiosmtpd.smtp import Envelope
from support.office import PASSWORD, USER
from support.rig import abort, end

from matrix.edsoft import EdsoftHost
from matrix.edsoft_mail import EdsoftMail, EdsoftOutgoing
from matrix.host import fails
from matrix.mail import Letter, MailProgram, Office, script
from matrix.scenario import scenario
from matrix.scenarios.endings import same_as_a_close
from matrix.scenarios.streams import EVERY
from matrix.stage import NOBODY, REFUSED, SERVER, Stage
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_mail import HEADER, RECIPIENTS, WipsoftMail, WipsoftOutgoing

EIGHT_BIT = EVERY.translate(None, b"\0\r\n") + b"\r\n"
"""Whatever may stand in a line."""
LINES = b".one\r\n..\r\n...\r\n\r\n.  \r\n \r\nlast\r\n" + EIGHT_BIT
TEN = tuple(f"number{number}@there.example" for number in range(10))
LARGE = b"".join(b"%06d %s\r\n" % (number, b"x" * (number % 70)) for number in range(2400))
"""100 KiB."""


def mail_of(stage: Stage) -> MailProgram:
    """The mail verbs of a pair's host."""
    host = stage.host
    if isinstance(host, EdsoftHost):
        return EdsoftMail(host)
    assert isinstance(host, WipsoftHost)
    return WipsoftMail(host)


def office_of(stage: Stage) -> Office:
    """The pair's server, as if new."""
    office = stage.servers.of(Office)
    office.forget()
    return office


def named_by_host(stage: Stage) -> bool:
    """Whether the server is greeted by the name that the host gives."""
    return "greeted" not in stage.pair.lost("mail out")


def read(letter: Envelope) -> tuple[Message, bytes]:
    """A letter's header and body."""
    assert isinstance(letter.content, bytes)
    return message_from_bytes(letter.content, policy=SMTP), letter.content.partition(b"\r\n\r\n")[2]


@scenario("mail out")
def a_mail(stage: Stage, _: str) -> None:
    """All that a header has, ten recipients, lines that begin with a dot, the user's login."""
    office, mail = office_of(stage), mail_of(stage)
    blind = ("blind@there.example",) if isinstance(mail, WipsoftMail) else ()
    body = LINES + b".\r\nbehind it\r\n" if mail.dotted else LINES
    letter = Letter(body, TEN, ("c1@there.example", "c2@there.example"), blind)
    with mail.outgoing(SERVER, office.port, USER, PASSWORD) as out:
        out.send(letter)
    (sent,) = office.letters
    assert office.users == [USER.encode()]
    assert (sent.mail_from, sent.rcpt_tos) == (letter.sender, [*TEN, *letter.copies, *blind])
    header, got = read(sent)
    assert (header["From"], header["Subject"]) == ("Meter 7 <meter@here.example>", "Reading")
    assert (header["To"], header["Cc"]) == (", ".join(TEN), ", ".join(letter.copies))
    assert header["Date"]
    assert header["Message-ID"]
    assert b"blind@" not in (sent.content or b"")
    assert got == body
    if isinstance(mail, EdsoftMail) and named_by_host(stage):
        assert office.greetings == ["meter.here.example"]


@scenario("mail out")
def mails_of_any_length(stage: Stage, _: str) -> None:
    """100 KiB, and none at all; without a login."""
    office, mail = office_of(stage), mail_of(stage)
    with mail.outgoing(SERVER, office.port) as out:
        out.send(Letter(LARGE))
        out.send(Letter(b"", subject=""))
    bodies = [read(letter)[1] for letter in office.letters]
    assert bodies[0] == LARGE
    assert bodies[1].strip() == b""
    assert office.users == []


@scenario("mail out")
def what_a_server_of_mail_refuses(stage: Stage, _: str) -> None:
    """Each refusal has its number; the next mail goes."""
    office, mail = office_of(stage), mail_of(stage)
    letter = Letter(recipients=("a@there.example", "b@there.example"), copies=("c@there.example",))
    with fails(mail.codes["wrong password"]), mail.outgoing(SERVER, office.port, USER, "wrong") as out:
        out.send(letter)
    for what, unknown in (("sender", letter.sender), ("recipient", "b@there.example"), ("copy", "c@there.example")):
        office.unknown = {unknown}
        with fails(mail.codes[what]), mail.outgoing(SERVER, office.port) as out:
            out.send(letter)
    office.forget()
    office.body_answer = "552 Not this"
    with fails(mail.codes["body"]), mail.outgoing(SERVER, office.port) as out:
        out.send(letter)
    assert office.letters == []
    office.forget()
    with mail.outgoing(SERVER, office.port) as out:
        out.send(letter)
    assert len(office.letters) == 1


@scenario("mail out")
def no_server_for_mail(stage: Stage, _: str) -> None:
    """Nobody there, nobody of the name, one that is not ready, one that lets nobody log in."""
    mail, refused = mail_of(stage), stage.servers.refused_port
    here = b"220 here\r\n"
    with closing(script(b"554 not now\r\n")) as busy, closing(script(here, ELSE=b"250 OK\r\n")) as unlettered:
        for server, port, user, what in (
            (REFUSED, refused, "", "refused"), (NOBODY, 25, "", "unknown name"), (SERVER, busy.port, "", "not ready"),
            (SERVER, unlettered.port, USER, "no login"),
        ):  # fmt: skip
            with fails(mail.codes[what]), mail.outgoing(server, port, user, user) as out:
                out.send(Letter())


@scenario("mail out")
def a_server_that_leaves_in_the_middle_of_a_mail(stage: Stage, _: str) -> None:
    mail = mail_of(stage)
    answers = {"DATA": b"354 go on\r\n", "ELSE": b"250 OK\r\n"}
    for leave, code in ((end, "closed"), (abort, "closed" if same_as_a_close(stage) else "reset")):
        with (
            closing(script(b"220 here\r\n", leave, **answers)) as server,
            mail.outgoing(SERVER, server.port) as out,
        ):
            out.begin(Letter())
            stage.line.say(b"a line\r\nand half of")
            with fails(mail.codes[code]):
                out.answered()


# -- eDSoft ------------------------------------------------------------------------------------------------------------


@scenario("mail out", "edsoft")
def three_mails_that_are_stored(stage: Stage, _: str) -> None:
    """AT#SENDMAILn: each with its own parameters and body."""
    office, mail = office_of(stage), mail_of(stage)
    with mail.outgoing(SERVER, office.port, USER, PASSWORD) as out:
        assert isinstance(out, EdsoftOutgoing)
        for number in (1, 2, 3):
            body = b"the body of %d" % number
            out.send_stored(Letter(body, (f"to{number}@there.example",), subject=f"Mail {number}"), number)
    for number, letter in enumerate(office.letters, 1):
        header, body = read(letter)
        assert (letter.rcpt_tos, header["Subject"]) == ([f"to{number}@there.example"], f"Mail {number}")
        assert body == b"the body of %d\r\n" % number
    assert len(office.letters) == 3


@scenario("mail out", "edsoft")
def mails_that_cannot_be_sent(stage: Stage, _: str) -> None:
    """App. B: without a recipient or a sender; a user without a password does not log in (#SMTPUN)."""
    office, mail = office_of(stage), mail_of(stage)
    with mail.outgoing(SERVER, office.port, "nobody") as out:
        with fails(mail.codes["recipient"]):
            out.send(Letter(recipients=("",)))
        with fails(mail.codes["sender"]):
            out.send(Letter(sender=""))
        out.send(Letter())
    assert len(office.letters) == 1
    assert office.users == []


@scenario("mail out", "edsoft", bearer=False)
def mail_of_the_manual(stage: Stage, _: str) -> None:
    """Appendix A, Sending an Email: AT#PUTMAIL."""
    office, host = office_of(stage), stage.host
    assert isinstance(host, EdsoftHost)
    host.up()
    for command in (
        f'AT#SMTPSERV= "{SERVER}"', f"AT#SMTPPORT={office.port}", 'AT#SMTPUN="";#SMTPPW=""', 'AT#DOMAIN= "domain.com"',
        'AT#SENDERNAME= "Test module"', 'AT#SENDERADDR= "module@domain.com"', "AT#REC1= recipient@domain.com",
        "AT#CCREC1= ccrecipient@domain.com", 'AT#SUBJ1= "Email Subject"',
    ):  # fmt: skip
        host.command(command)
    out = EdsoftOutgoing(EdsoftMail(host))
    out.enter()
    out.end(b"Data\r\n")
    (letter,) = office.letters
    header, body = read(letter)
    assert letter.rcpt_tos == ["recipient@domain.com", "ccrecipient@domain.com"]
    assert (header["From"], header["Subject"]) == ("Test module <module@domain.com>", "Email Subject")
    assert body == b"Data\r\n"
    if named_by_host(stage):
        assert office.greetings == ["domain.com"]
    host.down()


# -- WIPSoft -----------------------------------------------------------------------------------------------------------


@scenario("mail out", "wipsoft")
def several_mails_in_one_session(stage: Stage, _: str) -> None:
    """A header of the library's, one of the host's, one by digits; what the server refuses costs no session."""
    office, mail = office_of(stage), mail_of(stage)
    office.unknown = {"b@there.example", "x@there.example"}
    own = b"Subject: mine\r\nTo: a@there.example\r\n\r\n" + LINES + b"no end of line"
    with mail.outgoing(SERVER, office.port, USER, PASSWORD) as out:
        assert isinstance(out, WipsoftOutgoing)
        assert out.status()[0] == 0
        out.send(Letter(b"one\r\n"))
        with fails(mail.codes["blind copy"]):
            out.send(Letter(blind_copies=("b@there.example",)))
        with fails(mail.codes["recipient"]):
            out.send(Letter(recipients=("x@there.example",)))
        assert out.status() == (550, "No x@there.example")
        out.write_header(Letter())
        out.option(HEADER, 0)
        out.moving.give("6,1,2", own)
        assert out.status()[0] == 0
        out.option(RECIPIENTS, "second@there.example")
        out.moving.give_offline("6,1,6", own[:450])
    one, two, three = office.letters
    assert read(one)[1] == b"one\r\n"
    assert (two.content, two.rcpt_tos) == (own + b"\r\n", ["a@there.example"])
    assert (three.content, three.rcpt_tos) == (own[:450].removesuffix(b"\r\n") + b"\r\n", ["second@there.example"])


@scenario("mail out", "wipsoft")
def a_server_that_leaves_between_two_mails(stage: Stage, _: str) -> None:
    host = stage.host
    assert isinstance(host, WipsoftHost)
    with closing(script(b"220 here\r\n", ELSE=b"250 OK\r\n")) as server:
        host.command(f'AT+WIPCREATE=6,1,"{SERVER}",{server.port}')
        host.event("+WIPREADY: 6,1", limit_s=40)
        server.arrived().shutdown(socket.SHUT_RDWR)
        host.event("+WIPPEERCLOSE: 6,1")
        with fails("831"):
            host.command("AT+WIPFILE=6,1,2")


@scenario("mail out", "wipsoft", bearer=False)
def a_session_of_mail_of_the_guide(stage: Stage, _: str) -> None:
    """9.7."""
    office, host = office_of(stage), stage.host
    assert isinstance(host, WipsoftHost)
    host.up()
    host.command(f'AT+WIPCREATE=6,1,"{SERVER}",{office.port},"{USER}","{PASSWORD}"')
    host.event("+WIPREADY: 6,1", limit_s=40)
    for option, value in (
        (61, "sender@mail.com"), (62, "sender name"), (63, "rec01@mail.com, rec02@mail.com"),
        (64, "ccrec01@mail.com, ccrc02@mail.com"), (65, "bccrec01@mail.com, bccrec02@mail.com"), (66, "mail subject"),
    ):  # fmt: skip
        host.command(f'AT+WIPOPT=6,1,2,{option},"{value}"')
    WipsoftOutgoing(host).moving.give("6,1,2", b"some text\r\n")
    (letter,) = office.letters
    header, body = read(letter)
    names = ("rec01", "rec02", "ccrec01", "ccrc02", "bccrec01", "bccrec02")
    assert letter.rcpt_tos == [f"{name}@mail.com" for name in names]
    assert (header["From"], header["Subject"]) == ("sender name <sender@mail.com>", "mail subject")
    assert body == b"some text\r\n"
    host.command("AT+WIPCLOSE=6,1")
    host.down()
