"""Mail of an eDSoft module (ch. 3), for hosts that want no more of it: each command logs in, moves one mail, logs out.

A mail goes out by #PUTMAIL, also one that the host has stored, since its body is the host's side's. The module takes
bytes as they are, so that no byte but its own line of a single dot has a meaning; nothing ends it without a mail but
the module's own wait for the next byte, 50 s (App. B). So a mail that is given up in the middle keeps the module so
long. The first mail comes by #GETMAIL, and the module deletes it.
"""

from __future__ import annotations

from collections.abc import Collection

from gateway.dialect.driver import Answer, Command, DriverSteps, Part
from gateway.dialect.quirks.edsoft.transfers import TransfersDriver
from gateway.model.causes import Cause
from gateway.model.results import Done, Failed
from gateway.model.services import DeleteMail, FetchMail, ListMail, MailList, OpenPop3, OpenSmtp, SendMail
from gateway.model.values import HostSocket
from gateway.wire.mail import MailFromModule, MailToModule

RECIPIENTS = "REC1"
"""Of the mail whose body comes from the serial port."""
TEXT_END = "\x1a"
SERVER_RESTS = 13
"""A module gives a server that does not answer up after 180 s (App. B): at so many limits of #REST it must have."""
SILENCE_RESTS = 4
"""And a mail that nobody goes on with after 50 s."""


class PostDriver(TransfersDriver):
    """What :class:`EdsoftDriver` does for mail. A session is what the host's side has asked for, as with files."""

    @property
    def plain(self) -> Collection[HostSocket]:
        """The one session that there is."""
        return () if self._post is None else (self._post.session,)

    def _open_post(self, request: OpenSmtp | OpenPop3, **values: str | int) -> DriverSteps:
        if not (yield from self._free()) or self._post is not None:
            return Failed(Cause.NO_FREE_SOCKET, "one service at a time")
        if self._up is None:  # nobody else would say so before the mail
            return Failed(Cause.NO_BEARER)
        failed: Failed | None = yield from self._set(**values)
        if failed is None:
            self._post = request
        return failed or Done()

    def do_open_smtp(self, request: OpenSmtp) -> DriverSteps:
        """Write down who is to be asked."""
        server = request.server
        return self._open_post(
            request, SMTPSERV=server.host, SMTPPORT=server.port, SMTPUN=request.user, SMTPPW=request.password
        )

    def do_send_mail(self, request: SendMail) -> DriverSteps:
        """Ok_Info_WaitingForData, the body, the line of a single dot, OK when the server has it."""
        session, opening = request.session, self._post
        if not isinstance(opening, OpenSmtp) or opening.session != session:
            return Failed(Cause.BAD_STATE)
        failed: Failed | None = yield from self._set(
            DOMAIN=opening.domain or request.sender.rpartition("@")[2],  # an empty one is refused (App. B)
            SENDERADDR=request.sender,
            SENDERNAME=request.sender_name,
            CCREC1=";".join(request.copies),
            SUBJ1=request.subject,
        )
        failed = failed or (yield from self._set_recipients(request.recipients))
        if failed is not None:
            return failed
        self.silence_s = self.mail_silence_s
        ended = yield from self._move(
            session,
            self.dialect.write("mail_put"),
            "waiting_for_data",
            MailToModule(),
            sends=True,
            patience=lambda: SERVER_RESTS if session in self.plain else SILENCE_RESTS,
        )
        if not isinstance(ended, Failed) or ended.cause is not Cause.TIMED_OUT:
            self.silence_s = 0.0
        return ended

    def _set_recipients(self, recipients: tuple[str, ...]) -> Part:
        """One is a parameter, several are a text with a line for each (U21); None, or why they are not taken."""
        if len(recipients) == 1:
            return (yield from self._set(**{RECIPIENTS: recipients[0]}))
        value = "\n".join(recipients)
        if self._written.get(RECIPIENTS) != value:
            text = f"AT#{RECIPIENTS}ADD\r" + "".join(f"{one}\r\n" for one in recipients) + TEXT_END
            answer: Answer = yield Command(text)
            if not answer.ok:
                return (yield from self._refused(self.failed(answer, f"#{RECIPIENTS}ADD")))
            self._written[RECIPIENTS] = value
        return None

    def do_open_pop3(self, request: OpenPop3) -> DriverSteps:
        """Write down who is to be asked."""
        server = request.server
        return self._open_post(
            request, POP3SERV=server.host, POP3PORT=server.port, POP3UN=request.user, POP3PW=request.password
        )

    def do_list_mail(self, _request: ListMail) -> DriverSteps:
        """Nobody knows before it is fetched."""
        yield from ()
        return Done(MailList(((1, 0),)))

    def do_fetch_mail(self, request: FetchMail) -> DriverSteps:
        """Ok_Info_Mail, the mail, the line of a single dot, OK; or Ok_Info_NoMail."""
        if not isinstance(self._post, OpenPop3) or self._post.session != request.session or request.number != 1:
            return Failed(Cause.BAD_STATE)
        failed: Failed | None = yield from self._set(POP3HEADERMODE=int(request.header))
        if failed is not None:
            return failed
        return (
            yield from self._move(
                request.session,
                self.dialect.write("mail_get"),
                "mail",
                MailFromModule(boot=self._boot),
                sends=False,
                empty=("no_mail",),
            )
        )

    def do_delete_mail(self, _request: DeleteMail) -> DriverSteps:
        """The module has done it."""
        yield from ()
        return Done()
