"""Mail of a module: sessions of SMTP and POP3 (5.57 guide, 5.1, 5.3.7.4, 5.3.7.5, 6.1)."""

from __future__ import annotations

from gateway.dialect.driver import Answer, Command, DriverSteps, Part
from gateway.dialect.quirks.wipsoft.driver_files import INDEX, FilesDriver, Session
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.results import Done, Failed
from gateway.model.services import DeleteMail, FetchMail, ListMail, MailList, OpenPop3, OpenSmtp, SendMail
from gateway.model.values import Endpoint, HostSocket, Secret
from gateway.wire.mail import BehindHeader

SMTP, POP3 = 6, 7
SMTP_STATUS, SENDER, SENDER_NAME, RECIPIENTS, COPIES, BLIND_COPIES, SUBJECT, HEADER = range(60, 68)
"""Options of mail out (5.3.7.4)."""
COUNT, LISTING, DELETION = 71, 73, 74
"""Options of mail in (5.3.7.5)."""
DEFAULTS: dict[int, str | int] = {
    SENDER: "", SENDER_NAME: "", RECIPIENTS: "", COPIES: "", BLIND_COPIES: "", SUBJECT: "", HEADER: 1
}  # fmt: skip


class MailDriver(FilesDriver):
    """See the module's text."""

    # -- out -----------------------------------------------------------------------------------------------------------

    def do_open_smtp(self, request: OpenSmtp) -> DriverSteps:
        """Connect and log in; the module greets the server by a name of its own."""
        return self._open_mail(SMTP, "smtp", request.session, request.server, request.user, request.password)

    def do_send_mail(self, request: SendMail) -> DriverSteps:
        """The fields as options, then CONNECT, the body with its ETX and DLE escaped, ETX, OK."""
        session = self._session_of(request.session, SMTP)
        if session is None:
            return Failed(Cause.BAD_STATE)
        wanted: dict[int, str | int] = {
            SENDER: request.sender,
            SENDER_NAME: request.sender_name,
            RECIPIENTS: ", ".join(request.recipients),
            COPIES: ", ".join(request.copies),
            BLIND_COPIES: ", ".join(request.blind_copies),
            SUBJECT: request.subject,
            HEADER: int(request.header),
        }
        failed: Failed | None = yield from self._write_options(session, wanted, DEFAULTS)
        if failed is not None:
            return failed
        result = yield from self._move(session, self.dialect.write("smtp_send", index=INDEX), uploads=True)
        return (yield from self._said(result)) if isinstance(result, Failed) else result

    def _said(self, failed: Failed) -> Part:
        """The same failure, with the server's own words where the module tells them."""
        if self._files is None or failed.cause is Cause.NO_MODULE:
            return failed
        text = self.dialect.write("option_get", protocol=SMTP, index=INDEX, option=SMTP_STATUS)
        answer: Answer = yield Command(text, frozenset({"smtp_status"}))
        if not answer.ok or not answer.heard or not answer.heard[0].number("code"):
            return failed
        said = answer.heard[0].fields
        return Failed(failed.cause, f"{said['code']} {said['reason']}")

    # -- in ------------------------------------------------------------------------------------------------------------

    def do_open_pop3(self, request: OpenPop3) -> DriverSteps:
        """Connect and log in."""
        return self._open_mail(POP3, "pop3", request.session, request.server, request.user, request.password)

    def do_list_mail(self, request: ListMail) -> DriverSteps:
        """Number and size of each mail; a module may refuse to list none."""
        if self._session_of(request.session, POP3) is None:
            return Failed(Cause.BAD_STATE)
        answer = yield from self._read_option(LISTING)
        if answer.ok:
            return Done(MailList(tuple(_listed(heard.fields["value"]) for heard in answer.heard)))
        count = yield from self._read_option(COUNT)
        if count.ok and count.heard and count.heard[0].fields["value"] == "0":
            return Done(MailList(()))
        return self.failed(answer, "+WIPOPT")

    def _read_option(self, option: int) -> Part:
        text = self.dialect.write("option_get", protocol=POP3, index=INDEX, option=option)
        return (yield Command(text, frozenset({"socket_option"})))

    def do_fetch_mail(self, request: FetchMail) -> DriverSteps:
        """CONNECT, the mail with its ETX and DLE escaped, ETX, OK; the module gives every header."""
        session = self._session_of(request.session, POP3)
        if session is None:
            return Failed(Cause.BAD_STATE)
        text = self.dialect.write("pop3_get", index=INDEX, mail=str(request.number))
        if request.header:
            return (yield from self._move(session, text))
        return (yield from self._move(session, text, phase=BehindHeader))

    def do_delete_mail(self, request: DeleteMail) -> DriverSteps:
        """Gone is it when the session is closed."""
        if self._session_of(request.session, POP3) is None:
            return Failed(Cause.BAD_STATE)
        place = {"protocol": POP3, "index": INDEX, "option": DELETION}
        answer: Answer = yield Command(self.dialect.write("option_set", **place, value=request.number))
        return Done() if answer.ok else self.failed(answer, "+WIPOPT")

    # -- in general ----------------------------------------------------------------------------------------------------

    def _open_mail(
        self, protocol: int, name: str, session: HostSocket, server: Endpoint, user: str, password: Secret
    ) -> DriverSteps:
        login = {"user": user, "password": str(password)} if user else {}
        place: dict[str, str | int] = {"index": INDEX, "host": server.host, f"{name}_port": server.port}
        try:
            text = self.dialect.write(f"{name}_create", **place, **login)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        return (yield from self._begin_session(Session(session, protocol=protocol), text, server.host))


def _listed(text: str) -> tuple[int, int]:
    """A mail's number and size, as the listing has them."""
    number, _, size = text.strip('"').partition(",")
    return int(number), int(size)
