"""Files and mail of this family: each command opens a session with its server, does one thing and closes it."""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import (
    Ask,
    Claim,
    Data,
    DataEnd,
    EndReason,
    Fail,
    Interrupted,
    More,
    Ok,
    Order,
    Outcome,
    Raw,
    Refusal,
    Send,
    Silent,
    Steps,
    Tell,
)
from gateway.dialect.quirks.edsoft.base import SERVICE, EdsoftBase
from gateway.model.causes import Cause
from gateway.model.requests import CloseSocket, Request, ShutdownTcp
from gateway.model.results import Done, Failed, Result
from gateway.model.services import (
    DeleteMail,
    FetchMail,
    GetFile,
    ListMail,
    MailList,
    OpenFtp,
    OpenPop3,
    OpenSmtp,
    PutFile,
    SendMail,
)
from gateway.model.values import HostSocket, Secret
from gateway.wire.dle import ETX
from gateway.wire.mail import END, MailFromHost, MailToHost
from gateway.wire.phase import Etx, HostPhase

Work = Callable[[], Steps]


def _addresses(text: str) -> tuple[str, ...]:
    """Addresses as a parameter holds them: separated by semicolons, commas or blanks."""
    return tuple(address for address in re.split(r"[;, ]+", text) if address)


class Services(EdsoftBase):
    """Behaviours that :class:`EdsoftFirmware` has besides its sockets."""

    # -- files (ch. 4) -----------------------------------------------------------------------------------------------

    def do_file_get(self, call: Call) -> Steps:
        """AT#FTPGET: Ok_Info_DataBegin, the file with its ETX and DLE escaped, ETX, OK; the host cannot end it."""
        opening = self._ftp(call)
        path = self._path("FTPGETPATH", "FTPGETFILENAME")
        return self._served(call, opening, lambda: self._get(call, opening.session, path))

    def do_file_put(self, call: Call) -> Steps:
        """AT#FTPPUT: Ok_Info_WaitingForData, the file up to the host's ETX, OK when the server has it."""
        opening = self._ftp(call)
        path = self._path("FTPPUTPATH", "FTPPUTFILENAME")
        return self._served(call, opening, lambda: self._put(call, opening.session, PutFile(opening.session, path)))

    def _ftp(self, call: Call) -> OpenFtp:
        self._free(call)
        passive = "FTPMODE" in self.dialect.tables.parameters and self.number("FTPMODE") == 1
        return OpenFtp(
            self._socket(),
            self._peer("FTPSERV", "FTPPORT"),
            self.text("FTPUN"),
            Secret(self.text("FTPPW")),
            binary=self.text("FTPTYPE").upper() != "A",
            passive=passive,
        )

    def _path(self, folder: str, name: str) -> str:
        """Folder and name joined; no folder and "." are the server's own (U41)."""
        where = self.text(folder)
        return self.text(name) if where in ("", ".") else f"{where.rstrip('/')}/{self.text(name)}"

    def _get(self, call: Call, session: HostSocket, path: str) -> Steps:
        begun = yield Ask(GetFile(session, path))
        if isinstance(begun, Failed):
            return Fail(begun.cause, call.name, begun.original)
        yield Tell(self.dialect.information_text("data_begin"))
        result = yield Data(session, HostPhase(escaped=True, etx=Etx.PAYLOAD))
        yield Raw(ETX)
        return self._ended(call, result)

    def _put(self, call: Call, session: HostSocket, request: Request) -> Steps:
        begun = yield Ask(request)
        if isinstance(begun, Failed):
            return Fail(begun.cause, call.name, begun.original)
        yield Tell(self.dialect.information_text("waiting_for_data"))
        echo = ETX if self.dialect.switch("echo_terminator") == "yes" else b""  # U15
        end = yield Data(session, HostPhase(escaped=True, etx=Etx.ENDS), echo)
        return (yield from self._sent(call, session, end))

    def _sent(self, call: Call, session: HostSocket, end: object) -> Steps:
        """The host has ended its data (or the server has, with an error): wait for the server's word."""
        if isinstance(end, DataEnd) and end.reason is EndReason.HOST:
            yield Order(ShutdownTcp(session))
            return self._ended(call, (yield More()))
        return self._ended(call, end)

    def _ended(self, call: Call, result: object) -> Outcome:
        match result:
            case Done():
                return Ok()
            case Failed(cause, original):
                return Fail(cause, call.name, original)
            case DataEnd(EndReason.LOST, cause):
                silent = cause in (Cause.BEARER_IDLE, Cause.NO_BEARER)
                return Silent() if silent else Fail(cause, call.name)
        return Fail(Cause.CLOSED_BY_PEER, call.name)

    # -- mail out (ch. 3) --------------------------------------------------------------------------------------------

    def do_mail_send(self, call: Call) -> Steps:
        """AT#SENDMAIL1 to 3: the mail that the parameters make."""
        number = call.name[-1]
        body = self.text(f"BODY{number}").encode("latin-1", "replace")
        opening, mail = self._smtp(call, number, body)
        return self._served(call, opening, lambda: self._send_stored(call, mail, body))

    def do_mail_put(self, call: Call) -> Steps:
        """AT#PUTMAIL: header of mail 1, body from the host up to CR LF . CR LF; 50 s of its silence end it."""
        opening, mail = self._smtp(call, "1")
        return self._served(call, opening, lambda: self._put_mail(call, mail))

    def _smtp(self, call: Call, number: str, body: bytes = b"") -> tuple[OpenSmtp, SendMail]:
        self._free(call)
        session, sender = self._socket(), self.text("SENDERADDR")
        user, password = self.text("SMTPUN"), self.text("SMTPPW")
        recipients = _addresses(self.text(f"REC{number}"))
        most = self.dialect.tables.parameters[f"REC{number}"].max_items or len(recipients)
        dotted = END in END[:2] + body + END[:2]
        opening = OpenSmtp(
            session,
            self._peer("SMTPSERV", "SMTPPORT"),
            user if password else "",  # one without the other is no login (#SMTPUN)
            Secret(password),
            self.text("DOMAIN"),
            plain=len(recipients) <= most and not dotted,
        )
        if not sender:
            raise Refusal(Cause.SERVER_SENDER, "#SENDERADDR is not set")
        if not recipients:
            raise Refusal(Cause.SERVER_RECIPIENT, "no recipient is set")
        mail = SendMail(
            session,
            sender,
            recipients,
            _addresses(self.text(f"CCREC{number}")),
            sender_name=self.text("SENDERNAME"),
            subject=self.text(f"SUBJ{number}"),
        )
        return opening, mail

    def _send_stored(self, call: Call, mail: SendMail, body: bytes) -> Steps:
        begun = yield Ask(mail)
        if isinstance(begun, Failed):
            return Fail(begun.cause, call.name, begun.original)
        yield Send(mail.session, body)
        yield Order(ShutdownTcp(mail.session))
        return self._ended(call, (yield More()))

    def _put_mail(self, call: Call, mail: SendMail) -> Steps:
        begun = yield Ask(mail)
        if isinstance(begun, Failed):
            return Fail(begun.cause, call.name, begun.original)
        yield Tell(self.dialect.information_text("waiting_for_data"))
        silence_s = self.dialect.tables.numbers["mail_silence_s"]
        echo = END if self.dialect.switch("echo_terminator") == "yes" else b""
        end = yield Data(mail.session, MailFromHost(silence_s, self.around.now), echo)
        return (yield from self._sent(call, mail.session, end))

    # -- mail in (ch. 3) ---------------------------------------------------------------------------------------------

    def do_mail_get(self, call: Call) -> Steps:
        """AT#GETMAIL: the first mail, up to CR LF . CR LF; then it is deleted. Ok_Info_NoMail when there is none."""
        self._free(call)
        server = self._peer("POP3SERV", "POP3PORT")
        opening = OpenPop3(self._socket(), server, self.text("POP3UN"), Secret(self.text("POP3PW")), plain=True)
        return self._served(call, opening, lambda: self._get_mail(call, opening.session))

    def _get_mail(self, call: Call, session: HostSocket) -> Steps:
        listed: Result = yield Ask(ListMail(session))
        if isinstance(listed, Failed):
            return Fail(listed.cause, call.name, listed.original)
        mails = listed.value.mails if isinstance(listed, Done) and isinstance(listed.value, MailList) else ()
        number = mails[0][0] if mails else 0
        begun = (yield Ask(FetchMail(session, number, header=self.number("POP3HEADERMODE") == 1))) if mails else Done()
        if isinstance(begun, Failed):
            return Fail(begun.cause, call.name, begun.original)
        if isinstance(begun, Done):
            yield Tell(self.dialect.information_text("no_mail"))
            return Ok() if self.dialect.switch("no_mail_result") == "yes" else Silent()
        yield Tell(self.dialect.information_text("mail"))
        phase = MailToHost()
        result = yield Data(session, phase)
        yield Raw(phase.end())
        if isinstance(result, Done):
            result = yield Ask(DeleteMail(session, number))
        return self._ended(call, result)

    # -- in general ----------------------------------------------------------------------------------------------------

    def _served(self, call: Call, opening: OpenFtp | OpenSmtp | OpenPop3, work: Work) -> Steps:
        """Open the session, work in it, close it whatever comes; one service at a time (37122)."""
        self.service = "session"
        try:
            yield Claim(SERVICE)
            result = yield Ask(opening)
            if isinstance(result, Failed):
                return Fail(result.cause, call.name, result.original)
            outcome: Outcome = yield from work()
            yield Ask(CloseSocket(opening.session))
            return outcome
        except Interrupted as interrupted:
            yield Ask(CloseSocket(opening.session))
            silent = interrupted.cause in (Cause.BEARER_IDLE, Cause.NO_BEARER)
            return Silent() if silent else Fail(interrupted.cause, call.name)
        finally:
            self.service = ""
