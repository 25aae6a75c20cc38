"""Mail in: from servers that others wrote, and from some that refuse or end too early."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from support.postbox import DOVECOT, PASSWORD

from matrix.edsoft import EdsoftHost
from matrix.edsoft_mail import EdsoftIncoming, EdsoftMail
from matrix.host import fails
from matrix.mail import Dovecot, Mailbox, Twisted, script
from matrix.scenario import scenario
from matrix.scenarios.mail import EIGHT_BIT, LARGE, mail_of
from matrix.stage import NOBODY, REFUSED, SERVER, Stage
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_mail import WipsoftIncoming

SERVERS: tuple[type[Mailbox], ...] = (Twisted, Dovecot) if DOVECOT else (Twisted,)
HEADER = b"From: a@there.example\r\nSubject: %s\r\n\r\n"
ONE = HEADER % b"one" + b"first\r\n.\r\n..\r\n.second\r\n\r\n" + EIGHT_BIT
TWO = HEADER % b"two"
"""Without a body."""
THREE = HEADER % b"three" + LARGE


def box_of(stage: Stage, server: type[Mailbox]) -> Mailbox:
    """The pair's box, empty."""
    post = stage.servers.of(server)
    post.box.empty()
    return post


def each_server(*families: str) -> Callable[[Callable[[Stage, type[Mailbox]], None]], None]:
    """A scenario that is played with every server of mail that there is."""

    def add(play: Callable[[Stage, type[Mailbox]], None]) -> None:
        for server in SERVERS:

            def with_it(stage: Stage, _: str, server: type[Mailbox] = server) -> None:
                play(stage, server)

            with_it.__name__ = f"{play.__name__}_of_{server.kind}"
            scenario("mail in", *families)(with_it)

    return add


@each_server()
def mails_are_taken(stage: Stage, server: type[Mailbox]) -> None:
    """Each as it is, first to last, and then it is gone; a box that is empty; another password."""
    post, mail = box_of(stage, server), mail_of(stage)
    mails = (ONE, TWO, THREE)
    post.box.put(*mails)
    with mail.incoming(SERVER, post.port, post.user, PASSWORD) as box:
        for wanted in mails:
            taken = box.take()
            assert taken is not None
            assert taken.endswith(wanted), taken[:500]
        assert box.take() is None
    assert post.box.count == 0
    with fails(mail.codes["wrong password"]), mail.incoming(SERVER, post.port, post.user, "wrong") as box:
        box.take()


@each_server("edsoft")
def mails_without_their_header(stage: Stage, server: type[Mailbox]) -> None:
    """#POP3HEADERMODE=0."""
    post, mail = box_of(stage, server), mail_of(stage)
    post.box.put(ONE, TWO)
    with mail.incoming(SERVER, post.port, post.user, PASSWORD) as box:
        assert box.take(header=False) == ONE.partition(b"\r\n\r\n")[2]
        assert box.take(header=False) == b""
        assert box.take(header=False) is None


@each_server("wipsoft")
def mails_are_listed_read_and_deleted(stage: Stage, server: type[Mailbox]) -> None:
    """Each by its number, in either way to be read; gone is what was deleted, when the session is closed."""
    post, mail = box_of(stage, server), mail_of(stage)
    post.box.put(ONE, TWO, HEADER % b"three" + b"third\r\n")
    with mail.incoming(SERVER, post.port, post.user, PASSWORD) as box:
        assert isinstance(box, WipsoftIncoming)
        sizes = box.sizes()
        assert list(sizes) == [1, 2, 3]
        assert box.option(71) == ["3"]
        assert box.option(72) == [str(sum(sizes.values()))]
        third = box.moving.fetch('7,1,1,"3"')
        assert third.endswith(b"third\r\n")
        first = box.moving.fetch_offline('7,1,7,"1"')
        assert first.endswith(ONE)
        assert box.moving.fetch_offline('7,1,8,"2"').endswith(TWO)
        box.delete(3)
        assert box.moving.fetch('7,1,1,"1"') == first
        for number in ("2", "3", "9"):
            with fails(mail.codes["retrieve"]):
                box.moving.fetch(f'7,1,1,"{number}"')
        assert post.box.count == 3
    assert post.box.count == 1


@scenario("mail in")
def no_server_with_mail(stage: Stage, _: str) -> None:
    """Nobody there, nobody of the name, one that is not ready, one that knows nobody."""
    mail, refused = mail_of(stage), stage.servers.refused_port
    with closing(script(b"-ERR not now\r\n")) as busy, closing(script(b"+OK\r\n", USER=b"-ERR who\r\n")) as strange:
        for server, port, what in (
            (REFUSED, refused, "refused"), (NOBODY, 110, "unknown name"), (SERVER, busy.port, "not ready"),
            (SERVER, strange.port, "unknown user"),
        ):  # fmt: skip
            with fails(mail.codes[what]), mail.incoming(server, port, "meter", PASSWORD) as box:
                box.take()


@scenario("mail in")
def what_a_box_refuses(stage: Stage, _: str) -> None:
    """The list, a mail, its deletion; the connection in the middle of a mail."""
    mail = mail_of(stage)
    usual = {
        "USER": b"+OK\r\n", "PASS": b"+OK\r\n", "LIST": b"+OK\r\n1 20\r\n.\r\n", "LIST_1": b"+OK 1 20\r\n",
        "RETR": b"+OK\r\nSubject: x\r\n\r\n.\r\n", "DELE": b"+OK\r\n", "QUIT": b"+OK\r\n",
    }  # fmt: skip
    for command, answer, what in (
        ("LIST", b"-ERR no list\r\n", "list"), ("RETR", b"-ERR no mail\r\n", "retrieve"),
        ("DELE", b"-ERR it stays\r\n", "delete"), ("RETR", b"+OK\r\nSubject: x\r\n\r\nhalf", "closed"),
    ):  # fmt: skip
        with closing(script(b"+OK\r\n", **usual | {command: answer})) as server:
            opened = mail.incoming(SERVER, server.port, "meter", PASSWORD)
            with fails(mail.codes[what]), opened as box:
                box.take()


@scenario("mail in", "edsoft", bearer=False)
def mail_in_of_the_manual(stage: Stage, _: str) -> None:
    """Appendix A, Retrieving an Email: AT#GETMAIL."""
    post, host = box_of(stage, Twisted), stage.host
    assert isinstance(host, EdsoftHost)
    host.up()
    post.box.put(HEADER % b"Data" + b"Data\r\nData\r\n")
    for command in (
        f'AT#POP3SERV= "{SERVER}"', f"AT#POP3PORT={post.port}", f'AT#POP3UN= "{post.user}"', f'AT#POP3PW = "{PASSWORD}"'
    ):  # fmt: skip
        host.command(command)
    taken = EdsoftIncoming(EdsoftMail(host)).take()
    assert taken is not None
    assert taken.endswith(HEADER % b"Data" + b"Data\r\nData\r\n")
    host.down()


@scenario("mail in", "wipsoft", bearer=False)
def a_box_of_the_guide(stage: Stage, _: str) -> None:
    """9.8."""
    post, host = box_of(stage, Twisted), stage.host
    assert isinstance(host, WipsoftHost)
    host.up()
    post.box.put(*(HEADER % b"%d" % number for number in range(1, 6)))
    host.command(f'AT+WIPCREATE=7,1,"{SERVER}",{post.port},"{post.user}","{PASSWORD}"')
    host.event("+WIPREADY: 7,1", limit_s=40)
    assert host.command("AT+WIPOPT=7,1,1,71") == "+WIPOPT: 7,71,5"
    assert host.command("AT+WIPOPT=7,1,1,72").startswith("+WIPOPT: 7,72,")
    box = WipsoftIncoming(host)
    assert b"Subject: 5\r\n" in box.moving.fetch('7,1,1,"5"')
    assert b"Subject: 1\r\n" in box.moving.fetch('7,1,3,"1"')
    host.command("AT+WIPCLOSE=7,1")
    assert post.box.count == 4
    host.down()
