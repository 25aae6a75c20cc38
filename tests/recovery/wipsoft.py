"""The day of a WIPSoft host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from matrix.edsoft import escape
from matrix.host import GUARD_S, OK, Failure
from matrix.wipsoft import WipsoftHost

from recovery.program import HERE, MUCH, Doing, Program, State, common
from recovery.servers import DEAF, FILE, FTP, HOLD, HTTP, MAIL, POP3, SMTP, STALL

CONNECT = b"\r\nCONNECT\r\n"
ALREADY = ("844", "804", "803")
"""Stack and bearer that are open from the time before (4.1, 4.2)."""


class WipsoftProgram(Program):
    """See the module's text."""

    host: WipsoftHost
    bad_news = (b"ERROR", b"+WIPPEERCLOSE: ")
    no_bearer = ("803", "819", "800", "815", "820", "836", "842", "3")

    def up(self) -> None:
        host = self.host
        for command in ("CFG=1", "BR=1,6"):
            with _allowed(*ALREADY):
                host.command(f"AT+WIP{command}")
        if not host.older:
            host.command("AT+WIPCFG=2,13,1")  # the signs of +++ are not the peer's
        for option in ('11,"APN name"', '0,"user name"', '1,"passwd"'):
            host.command(f"AT+WIPBR=2,6,{option}")
        host.command("AT+WIPBR=4,6,0", limit_s=40)
        host.is_up = True

    def was_told(self, heard: bytes) -> bool:
        return False  # no line of the dialect says it

    def is_up(self) -> bool:
        return "6,1" in self.host.command("AT+WIPBR?")

    def tidy(self) -> None:
        for place in ("2,1", "2,2", "2,3", "2,4", "3,1", "2,5", "1,1", "4,1", "5,1", "6,1", "7,1"):
            with suppress(Failure):
                self.host.command(f"AT+WIPCLOSE={place}", limit_s=40)
        self.lab.wait(1.0)
        self.line.rest()
        self.host.told.clear()

    # -- the bearer ----------------------------------------------------------------------------------------------------

    def starting(self) -> Doing:
        for command in ("CFG=1", "BR=1,6", 'BR=2,6,11,"APN name"'):
            self.host.command(f"AT+WIP{command}")
        self.lab.faults.trouble.bearer_delay_s = 20.0
        self.begun(b"AT+WIPBR=4,6,0\r")
        return Doing((OK,))

    def stopping(self) -> Doing:
        self.unanswered(b"AT+WIPBR=5,6\r")
        return Doing((OK,), dies=False)

    def starts(self) -> None:
        if self.is_up():
            self.host.command("AT+WIPBR=5,6", limit_s=30)
        self.up()
        self.talks()

    # -- sockets -------------------------------------------------------------------------------------------------------

    def connecting(self) -> Doing:
        self.begun(f'AT+WIPCREATE=2,1,"{HERE}",{DEAF}\r'.encode())
        assert self.line.rest() == OK
        return Doing((b"+WIPREADY: 2,1", b"+WIPPEERCLOSE: 2,1"))

    def connected(self) -> Doing:
        self.host.connect(HERE, HOLD, aside=True)
        return Doing()

    def _in(self, form: str) -> Doing:
        self.host.connect(HERE, HOLD, form)
        return Doing(in_data=form != "offline", ends=b"+++")

    def continuous(self) -> Doing:
        return self._in("continuous")

    def transparent(self) -> Doing:
        return self._in("transparent")

    def offline(self) -> Doing:
        return self._in("offline")

    def sending(self) -> Doing:
        self.host.connect(HERE, HOLD).send(MUCH)
        return Doing(in_data=True, ends=b"+++")

    def receiving(self) -> Doing:
        self.host.connect(HERE, HOLD)
        self.lab.servers.held[-1][1].write(MUCH)
        self.lab.wait(0.002)
        return Doing(in_data=True, ends=b"+++")

    def leaving(self) -> Doing:
        self.host.connect(HERE, HOLD)
        self.lab.wait(GUARD_S)
        self.unanswered(b"+++", GUARD_S)
        return Doing((OK,), dies=False)

    def closing(self) -> Doing:
        self.host.connect(HERE, HOLD, aside=True)
        self.unanswered(b"AT+WIPCLOSE=2,1\r")
        return Doing((OK,), dies=False)

    def accepted(self) -> Doing:
        listening = self.host.listen(7777)
        self.lab.call(7777)
        listening.accepted(aside=True)
        return Doing()

    def speaks(self) -> Doing:
        self.host.udp(HERE, 9999)
        return Doing(in_data=True, ends=b"+++")

    def pinging(self) -> Doing:
        self.begun(f'AT+WIPPING="{HERE}",20,1000,1000\r'.encode())
        self.line.rest()
        return Doing((b"+WIPPING: 0,19,",))

    # -- sessions (5.1, 6.1) -------------------------------------------------------------------------------------------

    def _open(self, protocol: int, rest: str) -> None:
        said = self.host.answer(f"AT+WIPCREATE={protocol},1{rest}", limit_s=40)
        assert said == ["OK"], said
        if protocol != 4:
            self.host.event(f"+WIPREADY: {protocol},1", limit_s=40)

    def _close(self, protocol: int) -> None:
        self.host.command(f"AT+WIPCLOSE={protocol},1", limit_s=30)
        if protocol == 4 or self.host.older:
            self.host.event(f"+WIPPEERCLOSE: {protocol},1")

    def _gets(self, command: str, wanted: bytes) -> None:
        self.line.say(command.encode() + b"\r")
        self.hears(CONNECT)
        wanted = escape(wanted) + b"\x03" + OK
        assert self.line.take(len(wanted), limit_s=40) == wanted

    def _log_in(self) -> None:
        self._open(4, f',"{HERE}",{FTP},"meter","secret"')

    def gets_file(self) -> None:
        self._log_in()
        self._gets('AT+WIPFILE=4,1,1,"file"', FILE)
        self._close(4)

    def puts_file(self) -> None:
        self._log_in()
        self._puts('AT+WIPFILE=4,1,2,"new"', escape(FILE))
        assert self.lab.servers.files.pop("new") == FILE
        self._close(4)

    def _puts(self, command: str, data: bytes) -> None:
        self.line.say(command.encode() + b"\r")
        self.hears(CONNECT)
        self.line.say(data + b"\x03")
        self.hears(OK)

    def logging_in(self) -> Doing:
        self.begun(f'AT+WIPCREATE=4,1,"{HERE}",{DEAF},"meter","secret"\r'.encode())
        return Doing((OK,))

    def logged_in(self) -> Doing:
        self._log_in()
        return Doing()

    def downloading(self) -> Doing:
        self._log_in()
        self.begun(f'AT+WIPFILE=4,1,1,"{STALL}"\r'.encode())
        self.line.until(CONNECT)
        self.line.rest()
        return Doing(in_data=True, ends=b"+++")

    def uploading(self) -> Doing:
        self._log_in()
        self.line.say(b'AT+WIPFILE=4,1,2,"new"\r')
        self.hears(CONNECT)
        self.line.say(MUCH)
        self.lab.wait(0.1)
        return Doing(in_data=True, ends=b"\x03")

    def _smtp(self) -> None:
        self._open(6, f',"{HERE}",{SMTP}')
        self.host.command('AT+WIPOPT=6,1,2,61,"a@a.example"')
        self.host.command('AT+WIPOPT=6,1,2,63,"b@b.example"')

    def puts_mail(self) -> None:
        self._smtp()
        self._puts("AT+WIPFILE=6,1,2", b"the body\r\n")
        assert b"the body" in self.lab.servers.letters[-1]
        self._close(6)

    def gets_mail(self) -> None:
        self._open(7, f',"{HERE}",{POP3},"meter","secret"')
        self._gets('AT+WIPFILE=7,1,1,"1"', MAIL)
        self._close(7)

    def gets_page(self) -> None:
        self._open(5, "")
        self._gets(f'AT+WIPFILE=5,1,1,"http://{HERE}:{HTTP}/page"', FILE)
        self.host.event("+WIPFILE: 5,1,1,200")
        self._close(5)

    def greeting(self) -> Doing:
        self.begun(f'AT+WIPCREATE=6,1,"{HERE}",{DEAF}\r'.encode())
        assert self.line.rest() == OK
        return Doing((b"+WIPREADY: 6,1",))

    def writing(self) -> Doing:
        self._smtp()
        self.line.say(b"AT+WIPFILE=6,1,2\r")
        self.hears(CONNECT)
        self.line.say(b"half of a body\r\n")
        self.lab.wait(0.1)
        return Doing(in_data=True, ends=b"\x03")

    def reading(self) -> Doing:
        self._open(7, f',"{HERE}",{POP3},"{STALL}","secret"')
        self.begun(b'AT+WIPFILE=7,1,1,"1"\r')
        self.line.until(CONNECT)
        self.line.rest()
        return Doing(in_data=True, ends=b"+++")

    def browsing(self) -> Doing:
        self._open(5, "")
        self.begun(f'AT+WIPFILE=5,1,1,"http://{HERE}:{HTTP}/{STALL}"\r'.encode())
        self.line.until(CONNECT)
        self.line.rest()
        return Doing(in_data=True, ends=b"+++")


@contextmanager
def _allowed(*codes: str) -> Iterator[None]:
    """One of these is as good as OK."""
    try:
        yield
    except Failure as failure:
        assert failure.code in codes, failure.code


_P = WipsoftProgram
_NEWER = ("wipsoft-5.57",)
WipsoftProgram.states = [
    *common(_P),
    State("continuous", "TCP client", _P.continuous, _P.talks),
    State("transparent", "TCP client", _P.transparent, _P.talks, only=_NEWER),
    State("offline", "TCP client", _P.offline, _P.talks, only=_NEWER),
    State("leaving", "TCP client", _P.leaving, _P.talks),
    State("FTP log in", "FTP", _P.logging_in, _P.gets_file),
    State("FTP session", "FTP", _P.logged_in, _P.gets_file),
    State("FTP down", "FTP", _P.downloading, _P.gets_file),
    State("FTP up", "FTP", _P.uploading, _P.puts_file),
    State("mail greeting", "mail out", _P.greeting, _P.puts_mail),
    State("mail out", "mail out", _P.writing, _P.puts_mail),
    State("mail in", "mail in", _P.reading, _P.gets_mail),
    State("web", "web", _P.browsing, _P.gets_page),
]
