"""The day of an eDSoft host."""

from __future__ import annotations

from matrix.edsoft import EdsoftHost, escape
from matrix.host import OK

from recovery.program import HERE, MUCH, Doing, Program, State, common
from recovery.servers import DEAF, FILE, FTP, HOLD, MAIL, POP3, SMTP, STALL

WAITING = b"Ok_Info_WaitingForData\r\n"
CLOSED = b"Ok_Info_SocketClosed\r\n"
UP = b"Ok_Info_GprsActivation\r\n"


class EdsoftProgram(Program):
    """See the module's text."""

    host: EdsoftHost
    no_bearer = ("35867",)
    one_error = True

    def up(self) -> None:
        self.host.up()

    def was_told(self, heard: bytes) -> bool:
        return b"#CME ERROR: " in heard

    def is_up(self) -> bool:
        return self.host.command("AT#VSTATE") == '#STATE: "CONNECTED"'

    def tidy(self) -> None:
        self.host.command(self.service("LTCPSTOP").decode().strip())
        self.host.command("AT#LUDPSTOP")

    def service(self, command: str) -> bytes:
        return f"AT#{command}{'=1' if self.host.numbered else ''}\r".encode()

    def peer(self, port: int) -> None:
        own = "1," if self.host.numbered else ""
        self.host.command(f'AT#TCPSERV={own}"{HERE}";#TCPPORT={own}{port};#DLEMODE={own}1')

    # -- the bearer ----------------------------------------------------------------------------------------------------

    def starting(self) -> Doing:
        self.lab.faults.trouble.bearer_delay_s = 20.0
        self.begun(b"AT#CONNECTIONSTART\r")
        return Doing((UP,))

    def stopping(self) -> Doing:
        self.unanswered(b"AT#CONNECTIONSTOP\r")
        return Doing((OK,), dies=False)

    # -- sockets -------------------------------------------------------------------------------------------------------

    def connecting(self) -> Doing:
        self.peer(DEAF)
        self.begun(self.service("OTCP"))
        return Doing((WAITING,))

    def connected(self) -> Doing:
        self.held()
        return Doing(in_data=True, ends=b"\x03")

    def transparent(self) -> Doing:
        self.host.connect(HERE, HOLD, "transparent")
        return Doing(in_data=True, ends=b"+++")

    def sending(self) -> Doing:
        self.held().send(MUCH)
        return Doing(in_data=True, ends=b"\x03")

    def receiving(self) -> Doing:
        self.held()
        self.lab.servers.held[-1][1].write(MUCH)
        self.lab.wait(0.002)
        return Doing(in_data=True, ends=b"\x03")

    def closing(self) -> Doing:
        self.held()
        self.unanswered(b"\x03")
        return Doing((OK,), dies=False)

    def accepted(self) -> Doing:
        listening = self.host.listen(7777)
        self.lab.call(7777)
        listening.accepted()
        return Doing(in_data=True, ends=b"\x03")

    def speaks(self) -> Doing:
        self.host.udp(HERE, 9999)
        return Doing(in_data=True, ends=b"\x03")

    def pinging(self) -> Doing:
        self.host.command(f'AT#PINGREMOTE="{HERE}";#PINGNUM=20;#PINGDELAY=1')
        self.begun(b"AT#PING\r")
        self.line.rest()
        return Doing((OK,))

    # -- files (ch. 4) -------------------------------------------------------------------------------------------------

    def _ftp(self, port: int = FTP, name: str = "file") -> None:
        self.host.command(f'AT#FTPSERV="{HERE}";#FTPPORT={port};#FTPUN="meter";#FTPPW="secret";#FTPTYPE="I"')
        self.host.command(f'AT#FTPGETPATH=".";#FTPGETFILENAME="{name}";#FTPPUTPATH=".";#FTPPUTFILENAME="new"')

    def gets_file(self) -> None:
        self._ftp()
        self.line.say(b"AT#FTPGET\r")
        self.hears(b"Ok_Info_DataBegin\r\n")
        wanted = escape(FILE) + b"\x03" + OK
        assert self.line.take(len(wanted)) == wanted

    def puts_file(self) -> None:
        self._ftp()
        self.line.say(b"AT#FTPPUT\r")
        self.hears(WAITING)
        self.line.say(escape(FILE) + b"\x03")
        self.hears(OK)
        assert self.lab.servers.files.pop("new") == FILE

    def logging_in(self) -> Doing:
        self._ftp(DEAF)
        self.begun(b"AT#FTPGET\r")
        return Doing((b"Ok_Info_DataBegin\r\n",))

    def downloading(self) -> Doing:
        self._ftp(name=STALL)
        self.begun(b"AT#FTPGET\r")
        self.line.until(b"Ok_Info_DataBegin\r\n")
        self.line.rest()
        return Doing(in_data=True)

    def uploading(self) -> Doing:
        self._ftp()
        self.line.say(b"AT#FTPPUT\r")
        self.line.until(WAITING)
        self.line.say(MUCH)
        self.lab.wait(0.1)
        return Doing(in_data=True, ends=b"\x03")

    # -- mail (ch. 3) --------------------------------------------------------------------------------------------------

    def _smtp(self, port: int = SMTP) -> None:
        self.host.command(f'AT#SMTPSERV="{HERE}";#SMTPPORT={port};#DOMAIN="a.example"')
        self.host.command('AT#SENDERADDR="a@a.example";#REC1="b@b.example"')

    def _pop3(self, user: str = "meter") -> None:
        self.host.command(f'AT#POP3SERV="{HERE}";#POP3PORT={POP3};#POP3UN="{user}";#POP3PW="secret"')

    def puts_mail(self) -> None:
        self._smtp()
        self.line.say(b"AT#PUTMAIL\r")
        self.hears(WAITING)
        self.line.say(b"the body\r\n.\r\n")
        self.hears(OK)
        assert b"the body" in self.lab.servers.letters[-1]

    def gets_mail(self) -> None:
        self._pop3()
        self.host.command("AT#POP3HEADERMODE=1")
        self.line.say(b"AT#GETMAIL\r")
        self.hears(b"\r\nOk_Info_Mail\r\n")
        wanted = MAIL + b".\r\n" + OK
        assert self.line.take(len(wanted)) == wanted

    def greeting(self) -> Doing:
        self._smtp(DEAF)
        self.begun(b"AT#PUTMAIL\r")
        return Doing((WAITING,))

    def writing(self) -> Doing:
        self._smtp()
        self.line.say(b"AT#PUTMAIL\r")
        self.line.until(WAITING, limit_s=30)
        self.line.say(b"half of a body\r\n")
        self.lab.wait(0.1)
        return Doing(in_data=True, ends=b"\r\n.\r\n")

    def reading(self) -> Doing:
        self._pop3(STALL)
        self.begun(b"AT#GETMAIL\r", 8.0)
        self.line.rest()
        return Doing(in_data=True)


_P = EdsoftProgram
EdsoftProgram.states = [
    *common(_P),
    State("connected transparent", "TCP client", _P.transparent, _P.talks),
    State("FTP log in", "FTP", _P.logging_in, _P.gets_file),
    State("FTP down", "FTP", _P.downloading, _P.gets_file),
    State("FTP up", "FTP", _P.uploading, _P.puts_file),
    State("mail greeting", "mail out", _P.greeting, _P.puts_mail),
    State("mail out", "mail out", _P.writing, _P.puts_mail),
    State("mail in", "mail in", _P.reading, _P.gets_mail),
]
