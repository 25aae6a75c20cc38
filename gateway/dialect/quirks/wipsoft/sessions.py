"""Sessions of a WIPSoft module with servers: FTP, HTTP, mail, MMS, of which there is one at a time; their options.

Sections are those of the 5.57 guide. What a session moves stands in ``transfers``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator
from typing import Any

from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.firmware import (
    Ask,
    Fail,
    Finish,
    Firmware,
    Ok,
    Refusal,
    Say,
    Silent,
    Spawn,
    Step,
    Steps,
    Surroundings,
    Tell,
)
from gateway.dialect.quirks.wipsoft.media import MEDIA_TYPES
from gateway.dialect.quirks.wipsoft.state import (
    Deed,
    MmsPart,
    Options,
    Refused,
    Session,
    SessionState,
    Sockets,
    text_value,
    write_option,
)
from gateway.model.causes import Cause
from gateway.model.requests import CloseSocket
from gateway.model.results import Done, Failed
from gateway.model.services import DeleteMail, ListMail, MailList, OpenFtp, OpenHttp, OpenMms, OpenPop3, OpenSmtp, SetFtp
from gateway.model.values import Endpoint, Secret

FTP, HTTP, SMTP, POP3, MMS = 4, 5, 6, 7, 8
TABLES = {FTP: "ftp", HTTP: "http", SMTP: "smtp", POP3: "pop3", MMS: "mms"}
"""Protocol to its table of options (5.3.7)."""
TYPE, PASSIVE, VERSION, REDIRECTS = 40, 41, 52, 53
MAIL_COUNT, MAIL_SIZE, MAIL_LIST, MAIL_DELETE = "71", "72", "73", "74"
MMS_PARTS, MMS_FILE_ANY = 92, 94
OpenRequest = OpenFtp | OpenHttp | OpenSmtp | OpenPop3 | OpenMms
Opening = Generator[Step, Any, Fail | None]


class WipsoftSessions(Firmware):
    """The part of a module's behaviour that is about its session."""

    def __init__(self, dialect: Dialect, around: Surroundings) -> None:
        super().__init__(dialect, around)
        self.table = Sockets(dialect)

    @abstractmethod
    def _may_create(self) -> None:
        """Raises :class:`Refusal` when stack or bearer are not up."""

    @abstractmethod
    def _room(self) -> None:
        """Raises :class:`Refusal` when there are too many sockets."""

    # -- creating (5.1) ------------------------------------------------------------------------------------------------

    def _session_of(self, call: Call, deed: Deed) -> Session:
        session = self.table.session
        mine = session is not None and (session.protocol, session.index) == (
            call.number("protocol"),
            call.number("index"),
        )
        refused = self.table.refusal(deed, session if mine else None)
        if session is None or refused is not None:
            raise Refusal(refused or Cause.BAD_STATE)
        return session

    def _new_session(self, call: Call, server: Endpoint | None = None) -> Session:
        self._may_create()
        refused = self.table.refusal(Deed.CREATE, self.table.session)
        if refused is not None:
            raise Refusal(refused)
        self._room()
        protocol = call.number("mode")
        options = Options(self.dialect.tables.options[TABLES[protocol]], {})
        session = Session(protocol, call.number("index"), self.table.handle(), options, server)
        session.user, session.password = call.text("user"), Secret(call.text("password"))
        self.table.session = session
        return session

    def do_ftp_create(self, call: Call) -> Steps:
        """AT+WIPCREATE=4: OK when the login is done, and nothing behind it (X25)."""
        session = self._new_session(call, Endpoint(call.text("host"), call.number("ftp_port")))
        request = OpenFtp(
            session.handle,
            self._server(session),
            session.user,
            session.password,
            Secret(call.text("account")),
            binary=session.options.number(TYPE) == 1,
            passive=session.options.number(PASSIVE) == 1,
        )
        return (yield from self._open(session, request)) or Ok()

    def do_http_create(self, call: Call) -> Steps:
        """AT+WIPCREATE=5: the server, when there is one, is a proxy."""
        proxy = Endpoint(call.text("proxy"), call.number("proxy_port")) if call.text("proxy") else None
        session = self._new_session(call, proxy)
        values = [value.text for value in call.rest]
        session.headers = tuple(zip(values[::2], values[1::2], strict=True))
        return (yield from self._open_later(session, self._http(session)))

    def _http(self, session: Session) -> OpenHttp:
        return OpenHttp(
            session.handle,
            session.server,
            session.user,
            session.password,
            session.headers,
            version=f"1.{session.options.number(VERSION)}",
            redirects=session.options.number(REDIRECTS),
        )

    def do_smtp_create(self, call: Call) -> Steps:
        """AT+WIPCREATE=6."""
        session = self._new_session(call, Endpoint(call.text("host"), call.number("smtp_port")))
        request = OpenSmtp(session.handle, self._server(session), session.user, session.password)
        return (yield from self._open_later(session, request))

    def do_pop3_create(self, call: Call) -> Steps:
        """AT+WIPCREATE=7."""
        session = self._new_session(call, Endpoint(call.text("host"), call.number("pop3_port")))
        request = OpenPop3(session.handle, self._server(session), session.user, session.password)
        return (yield from self._open_later(session, request))

    def do_mms_create(self, call: Call) -> Steps:
        """AT+WIPCREATE=8: the server is the operator's proxy, the URL the message centre."""
        session = self._new_session(call, Endpoint(call.text("host"), call.number("port")))
        return (yield from self._open_later(session, OpenMms(session.handle, call.text("url"), session.server)))

    def _server(self, session: Session) -> Endpoint:
        assert session.server is not None
        return session.server

    def _open_later(self, session: Session, request: OpenRequest) -> Steps:
        """OK at once; ready, or the error, when it is known."""
        yield Finish(Ok(), f"open {session.handle}")
        failed: Fail | None = yield from self._open(session, request)
        if failed is None and self.table.session is session:
            yield Tell(self.dialect.say("ready", mode=session.protocol, index=session.index))
        return failed or Silent()

    def _open(self, session: Session, request: OpenRequest) -> Opening:
        result = yield Ask(request)
        if self.table.session is not session:
            return None  # closed in the meantime
        if isinstance(result, Failed):
            self.table.session = None
            return Fail(result.cause, "+WIPCREATE", result.original)
        session.state = SessionState.READY
        return None

    # -- closing (5.2) -------------------------------------------------------------------------------------------------

    def _close_session(self, call: Call) -> Steps:
        """AT+WIPCLOSE: the FTP session's end is told, the others' not (X12)."""
        session = self._session_of(call, Deed.CLOSE)
        self.table.session = None
        yield Ask(CloseSocket(session.handle))
        if session.protocol == FTP or self.dialect.switch("local_close") == "all":
            yield Finish(Ok(), "close")
            yield Tell(self.dialect.say("peer_closed", protocol=session.protocol, index=session.index))
            return Silent()
        return Ok()

    def _lose_session(self) -> list[Spawn]:
        """The session is dead: it is told as a peer's close; one that is being opened says itself how that ended."""
        session = self.table.session
        if session is None or session.state is SessionState.OPENING:
            return []
        self.table.session = None
        line = self.dialect.say("peer_closed", protocol=session.protocol, index=session.index)
        return [Spawn(_telling(line), "close")]

    def _session_lines(self) -> list[str]:
        """How AT+WIPCREATE? lists the session: what it was created with (5.1.2)."""
        session = self.table.session
        if session is None or session.state is SessionState.OPENING:
            return []
        key = "ready_login" if session.password else "ready_user" if session.user else "ready_peer"
        if session.server is None:
            key = "ready"
        fields = {"mode": session.protocol, "index": session.index}
        peer = session.server.host if session.server is not None else ""
        return [self.dialect.say(key, **fields, peer=peer, user=session.user, password=str(session.password))]

    # -- options (5.3) -------------------------------------------------------------------------------------------------

    def _session_option(self, call: Call, access: str) -> tuple[Session, str]:
        session, number = self._session_of(call, Deed.OPTION), str(call.number("option"))
        entry = session.options.table.get(number)
        if entry is not None and entry.refused is not None:
            raise Refusal(entry.refused)
        if entry is None or access not in entry.access:
            raise Refusal(Cause.BAD_OPTION)
        return session, number

    def _get_session_option(self, call: Call) -> Steps:
        session, number = self._session_option(call, "r")
        option, protocol = session.options.table[number], session.protocol
        if option.kind == "status":
            code, reason = session.status
            yield Say((self.dialect.say(f"{TABLES[protocol]}_status", code=code, reason=reason),))
            return Ok(after_text=True)
        if number in (MAIL_COUNT, MAIL_SIZE, MAIL_LIST):
            result = yield Ask(ListMail(session.handle))
            if isinstance(result, Failed):
                return Fail(result.cause, original=result.original)
            values = _mailbox(number, result)
        else:
            number = option.lists or number
            values = [write_option(option, session.options.values[number])]
        lines = [
            self.dialect.say("socket_option", protocol=protocol, index=session.index, option=number, value=value)
            for value in values
        ]
        if lines:
            yield Say(tuple(lines))
        return Ok(after_text=bool(lines))

    def _set_session_option(self, call: Call) -> Steps:
        session, number = self._session_option(call, "w")
        value = call.text("value")
        try:
            if session.options.table[number].lists:
                self._add_recipient(session, number, value)
            else:
                session.options.set(int(number), text_value(value))
        except Refused as refused:
            return Fail(refused.cause)
        request: DeleteMail | SetFtp | OpenHttp | None = None
        if number == MAIL_DELETE:
            request = DeleteMail(session.handle, session.options.number(int(number)))
        elif session.protocol == FTP:
            binary, passive = session.options.number(TYPE) == 1, session.options.number(PASSIVE) == 1
            request = SetFtp(session.handle, binary, passive)
        elif session.protocol == HTTP:  # nothing was asked of a server when it was opened: that can be done again
            yield Ask(CloseSocket(session.handle))
            request = self._http(session)
        result = (yield Ask(request)) if request is not None else Done()
        return Fail(result.cause, original=result.original) if isinstance(result, Failed) else Ok()

    def _add_recipient(self, session: Session, number: str, value: str) -> None:
        """Telephone numbers and addresses make one list a field (5.3.7.6.4)."""
        option, numbers = session.options.table[number], self.dialect.tables.numbers
        before = str(session.options.values[option.lists])
        after = ";".join(part for part in (before, value + option.suffix) if part)
        count = 1 + sum(
            len(str(session.options.values[shown]).split(";"))
            for shown in {entry.lists for entry in session.options.table.values() if entry.lists}
            if session.options.values[shown]
        )
        if not value or count > numbers["mms_recipients"] or len(after) > numbers["mms_recipient_list_characters"]:
            raise Refused(Cause.BAD_VALUE)
        session.options.values[option.lists] = after

    def do_mms_parts(self, call: Call) -> Steps:
        """AT+WIPOPT=8,index,2,92: parts side by side, or one that presents the others."""
        yield from ()
        session, _ = self._session_option(call, "w")
        try:
            session.options.set(MMS_PARTS, text_value(call.text("value")))
        except Refused as refused:
            return Fail(refused.cause)
        session.start_type, session.start_id = call.text("start_type"), call.text("start_id")
        return Ok()

    def do_mms_part_add(self, call: Call) -> Steps:
        """AT+WIPOPT=8,index,2,93 and 94: a part that +WIPFILE will bring, with its size."""
        yield from ()
        session, number = self._session_option(call, "w")
        options = Options({number: session.options.table[number]}, {})
        try:
            options.set(int(number), text_value(call.text("value")))
        except Refused as refused:
            return Fail(refused.cause)
        if not call.text("name") and not call.text("content_id"):
            return Fail(Cause.BAD_COUNT)
        size = call.number("size")
        if size + sum(part.size_bytes for part in session.parts) > self.dialect.tables.numbers["mms_bytes"]:
            return Fail(Cause.BAD_VALUE)
        kind = str(options.values[number])
        kind = kind if int(number) == MMS_FILE_ANY else MEDIA_TYPES[session.options.table[number].values[kind]]
        session.parts.append(MmsPart(kind, size, call.text("name"), call.text("content_id")))
        return Ok()


def _mailbox(number: str, result: Done) -> list[str]:
    """Options 71 to 73: how many mails, their size in all, or id and size of each."""
    mails = result.value.mails if isinstance(result.value, MailList) else ()
    if number == MAIL_COUNT:
        return [str(len(mails))]
    if number == MAIL_SIZE:
        return [str(sum(size for _, size in mails))]
    return [f'"{mail},{size}"' for mail, size in mails]


def _telling(line: str) -> Steps:
    yield Tell(line)
    return Silent()
