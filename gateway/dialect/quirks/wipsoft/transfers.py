"""What the session of a WIPSoft module moves: files, web pages, mails, parts of multimedia messages (5.57 guide, 6.1)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import (
    Ask,
    Data,
    DataEnd,
    EndReason,
    Fail,
    Finish,
    GiveUp,
    More,
    Ok,
    Order,
    Outcome,
    Raw,
    Refusal,
    Silent,
    Step,
    Steps,
    Tell,
)
from gateway.dialect.quirks.wipsoft.sessions import WipsoftSessions
from gateway.dialect.quirks.wipsoft.state import Deed, MmsPart, Session, SessionState
from gateway.model import services
from gateway.model.causes import Cause
from gateway.model.requests import CloseSocket, ShutdownTcp
from gateway.model.results import Done, Failed, Progress
from gateway.model.services import Begun, DeleteMail, FetchMail, GetFile, Method, PutFile, SendMail, SendMms, WebRequest
from gateway.model.values import Secret
from gateway.wire.dle import ETX
from gateway.wire.files import FilePhase, PartPhase
from gateway.wire.phase import Etx
from gateway.wire.plus import EscapeDetector

SENDER, SENDER_NAME, RECIPIENTS, COPIES, BLIND_COPIES, SUBJECT, HEADER = 61, 62, 63, 64, 65, 66, 67
"""Options of mail out (5.3.7.4)."""
DATE, TO, CC, BCC, TITLE, CLASS, PRIORITY, HIDDEN, FROM, RELATED, CHUNKED = 80, 82, 84, 86, 87, 88, 89, 90, 91, 92, 95
"""Options of multimedia messages (5.3.7.6)."""
METHODS = {1: Method.GET, 2: Method.PUT, 3: Method.DELETE, 4: Method.POST, 7: Method.GET}
"""Mode of +WIPFILE to what is asked of a web server (6.1.5)."""
NO_WAY = (
    Cause.UNREACHABLE, Cause.REFUSED, Cause.TIMED_OUT, Cause.NAME_NOT_RESOLVED, Cause.CLOSED_BY_PEER, Cause.RESET,
    Cause.OPEN_FAILED,
)  # fmt: skip
"""Why a message centre is not reached: all one to a host (894)."""

Request = GetFile | PutFile | SendMail | FetchMail | WebRequest
Exchange = Generator[Step, Any, object]
_ADDRESS = re.compile(r"[^;,]*<[^>]*>|[^;, ]+")
_STATUS = re.compile(r"(?:.*?: )?(\d{3})[ -](.*)", re.DOTALL)


class WipsoftTransfers(WipsoftSessions):
    """+WIPFILE with a data mode, and what sends a multimedia message."""

    def _movable(self, call: Call) -> Session:
        return self._session_of(call, Deed.MOVE)

    # -- files -------------------------------------------------------------------------------------------------------

    def do_ftp_get(self, call: Call) -> Steps:
        """AT+WIPFILE=4,index,1: CONNECT, the file, ETX, OK; transparent, OK stands right behind the file (S38)."""
        session = self._movable(call)
        return self._fetched(session, GetFile(session.handle, call.text("filename")), _transparent(call))

    def do_ftp_put(self, call: Call) -> Steps:
        """AT+WIPFILE=4,index,2: CONNECT, the file up to ETX or a guarded +++ (X17), OK when the server has it."""
        return self._put(call, append=False)

    def do_ftp_append(self, call: Call) -> Steps:
        """AT+WIPFILE=4,index,5: the same, behind what is there."""
        return self._put(call, append=True)

    def _put(self, call: Call, *, append: bool) -> Steps:
        session = self._movable(call)
        request = PutFile(session.handle, call.text("filename"), append)
        return self._sent(session, request, _transparent(call))

    # -- web pages ---------------------------------------------------------------------------------------------------

    def do_http_get(self, call: Call) -> Steps:
        """AT+WIPFILE=5,index,1: CONNECT, the page, ETX, OK; then what the server said of it."""
        session = self._movable(call)
        return self._browsed(call, session, self._fetch(session, self._web(call, session)))

    def do_http_put(self, call: Call) -> Steps:
        """AT+WIPFILE=5,index,2: CONNECT, the body up to ETX, OK; then what the server said. Its page is not shown."""
        session = self._movable(call)
        return self._browsed(call, session, self._send(session, self._web(call, session)))

    do_http_post = do_http_put
    do_http_delete = do_http_get

    def _web(self, call: Call, session: Session) -> WebRequest:
        """The request; credentials stand before headers, and may be left empty (S14)."""
        values = [value.text for value in call.rest]
        headers = tuple(zip(values[::2], values[1::2], strict=True))
        return WebRequest(
            session.handle,
            METHODS[call.number("mode")],
            call.text("url"),
            call.text("user"),
            Secret(call.text("password")),
            headers,
        )

    def _browsed(self, call: Call, session: Session, exchange: Exchange) -> Steps:
        session.answer = None
        outcome = self._ended(session, (yield from exchange))
        answer: Begun | None = session.answer
        if answer is None or not isinstance(outcome, Ok):  # behind an error a status would look like a success
            return outcome
        yield Finish(outcome, "file")
        yield Tell(self._web_status(call, session, answer))
        return Silent()

    def _web_status(self, call: Call, session: Session, answer: Begun) -> str:
        reason = answer.reason.replace('"', "'")
        mode = call.number("mode")
        return self.dialect.say("http_done", index=session.index, mode=mode, status=answer.status, reason=reason)

    # -- mail --------------------------------------------------------------------------------------------------------

    def do_smtp_send(self, call: Call) -> Steps:
        """AT+WIPFILE=6,index,2: the mail that the options begin; what the host sends is its body, or all of it."""
        session = self._movable(call)
        return self._sent(session, self._mail(session))

    def _mail(self, session: Session) -> SendMail:
        value = session.options.values
        return SendMail(
            session.handle,
            str(value[str(SENDER)]),
            _addresses(value[str(RECIPIENTS)]),
            _addresses(value[str(COPIES)]),
            _addresses(value[str(BLIND_COPIES)]),
            str(value[str(SENDER_NAME)]),
            str(value[str(SUBJECT)]),
            header=session.options.number(HEADER) == 1,
        )

    def do_pop3_get(self, call: Call) -> Steps:
        """AT+WIPFILE=7,index,1: CONNECT, the mail, ETX, OK."""
        session = self._movable(call)
        return self._fetched(session, self._letter(call, session))

    def do_pop3_take(self, call: Call) -> Steps:
        """AT+WIPFILE=7,index,3: the same; it is deleted when all of it has been given."""
        session = self._movable(call)
        letter = self._letter(call, session)
        result = yield from self._fetch(session, letter)
        return self._ended(session, (yield from self._taken(session, letter, result)))

    def _letter(self, call: Call, session: Session) -> FetchMail:
        number = call.text("mail").strip()
        if not (number.isascii() and number.isdigit()):
            raise Refusal(Cause.BAD_VALUE)
        return FetchMail(session.handle, int(number))

    def _taken(self, session: Session, letter: FetchMail, result: object) -> Exchange:
        """Delete a mail that was given, and only then."""
        return (yield Ask(DeleteMail(session.handle, letter.number))) if isinstance(result, Done) else result

    # -- multimedia messages -----------------------------------------------------------------------------------------

    def do_mms_part_send(self, call: Call) -> Steps:
        """AT+WIPFILE=8,index,2: a part that option 93 or 94 has announced; what is longer than announced is cut."""
        session = self._movable(call)
        name, content_id = call.text("part"), call.text("content_id")
        part = next((part for part in session.parts if _is_called(part, name, content_id)), None)
        if part is None:
            return Fail(Cause.BAD_VALUE)
        session.state = SessionState.MOVING
        yield Tell("CONNECT")
        phase = PartPhase(part.size_bytes, self._file_detector())
        end: DataEnd = yield Data(session.handle, phase)
        if session.state is SessionState.MOVING:
            session.state = SessionState.READY
        if end.reason is EndReason.LOST:
            yield Raw(ETX)
            return Fail(end.cause)
        part.data = bytes(phase.part)
        if phase.cut:
            yield Finish(Ok(), "file")
            yield Tell(self.dialect.say("file_cut", index=session.index, size=part.size_bytes))
            return Silent()
        return Ok()

    def do_mms_send(self, call: Call) -> Steps:
        """AT+WIPOPT=8,index,2,96: the message goes, and the session ends when the centre has taken it (S31)."""
        session = self._session_of(call, Deed.OPTION)
        if session.state is not SessionState.READY or any(part.data is None for part in session.parts):
            return Fail(Cause.BAD_STATE)
        session.state = SessionState.MOVING
        result = yield Ask(self._message(session))
        if session.state is SessionState.MOVING:
            session.state = SessionState.READY
        if isinstance(result, Failed):
            cause = Cause.SERVER_NETWORK if result.cause in NO_WAY else result.cause
            return self._ended(session, Failed(cause, result.original))
        if self.table.session is session:
            self.table.session = None
            yield Ask(CloseSocket(session.handle))
        yield Finish(Ok(), "close")
        yield Tell(self.dialect.say("peer_closed", protocol=session.protocol, index=session.index))
        return Silent()

    def _message(self, session: Session) -> SendMms:
        options, value = session.options, session.options.values

        def named(option: int) -> str:
            return options.table[str(option)].values[str(value[str(option)])]

        def listed(option: int) -> tuple[str, ...]:
            return tuple(address for part in str(value[str(option)]).split(";") if (address := part.strip()))

        parts = tuple(services.MmsPart(part.kind, part.name, part.data or b"", part.content_id) for part in session.parts)
        return SendMms(
            session.handle,
            listed(TO),
            listed(CC),
            listed(BCC),
            str(value[str(FROM)]),
            str(value[str(TITLE)]),
            str(value[str(DATE)]),
            message_class=named(CLASS),
            priority=named(PRIORITY),
            hide_sender=options.number(HIDDEN) == 1,
            related=options.number(RELATED) == 1,
            chunked=options.number(CHUNKED) == 1,
            parts=parts,
            first=session.start_id,
        )

    # -- in general --------------------------------------------------------------------------------------------------

    def _fetched(self, session: Session, request: Request, transparent: bool = False) -> Steps:
        return self._ended(session, (yield from self._fetch(session, request, transparent)))

    def _sent(self, session: Session, request: Request, transparent: bool = False) -> Steps:
        return self._ended(session, (yield from self._send(session, request, transparent)))

    def _fetch(self, session: Session, request: Request, transparent: bool = False) -> Exchange:
        """The host reads, and can break it off by ETX, +++ or DTR (6.1.2): how the request ended, None when it did so."""
        try:
            end = yield from self._begin(session, request)
            if isinstance(end, Failed):
                return end
            yield Tell("CONNECT")
            if isinstance(end, Begun):
                session.listens = True
                phase = FilePhase(escaped=not transparent, etx=_etx(transparent), plus=self._file_detector(), mute=True)
                end = yield from self._result(session, (yield Data(session.handle, phase)))
            if isinstance(end, DataEnd) and end.reason is not EndReason.LOST:
                yield GiveUp()
                return None
            if not transparent:
                yield Raw(ETX)
            return end
        finally:
            self._rest(session)

    def _send(self, session: Session, request: Request, transparent: bool = False) -> Exchange:
        """The host writes up to ETX, +++ or DTR (6.1.2): how the request ended."""
        try:
            end = yield from self._begin(session, request)
            if isinstance(end, Failed):
                return end
            yield Tell("CONNECT")
            phase = FilePhase(escaped=not transparent, etx=_etx(transparent), plus=self._file_detector())
            if not isinstance(end, Done):
                end = yield Data(session.handle, phase)
                end = yield from self._result(session, end)
            if isinstance(end, Done):  # answered before the host has sent everything: nobody wants the rest
                phase.mute = True
                yield Data(session.handle, phase)
            elif not isinstance(end, DataEnd) or end.reason is EndReason.LOST:
                yield Raw(ETX)
            else:
                yield Order(ShutdownTcp(session.handle))
                end = yield More()
                end = yield from self._result(session, end)
            return end
        finally:
            self._rest(session)

    def _begin(self, session: Session, request: Request) -> Exchange:
        session.state = SessionState.MOVING
        begun = yield Ask(request)
        if isinstance(begun, Begun) and begun.status:
            session.answer = begun
        return begun

    def _result(self, session: Session, news: object) -> Exchange:
        """What ends a data phase or a request; what a web server says before it ends is kept."""
        while isinstance(news, Progress):
            if isinstance(news, Begun):
                session.answer = news
            news = yield More()
        return news

    def _rest(self, session: Session) -> None:
        session.listens = False
        if session.state is SessionState.MOVING:
            session.state = SessionState.READY

    def _ended(self, session: Session, result: object) -> Outcome:
        """The end of a command; options 60 and 70 keep what a mail server said (5.3.7.4)."""
        if isinstance(result, Failed):
            said = _STATUS.match(result.original)
            code = said[1] if said else self.dialect.code(result.cause, "+WIPFILE")
            reason = (said[2] if said else result.original).replace('"', "'").strip()
            session.status = (int(code) if code.isdigit() else 0, " ".join(reason.split()))
            return Fail(result.cause, original=result.original)
        if isinstance(result, DataEnd):
            return Fail(result.cause)
        session.status = (0, "OK")
        return Ok()

    def _file_detector(self) -> EscapeDetector:
        """Its signs never become part of a file (X17)."""
        return EscapeDetector(self.dialect.tables.numbers["guard_ms"] / 1000, self.around.now)


def _transparent(call: Call) -> bool:
    return call.does.endswith("_transparent")


def _etx(transparent: bool) -> Etx:
    return Etx.PAYLOAD if transparent else Etx.ENDS


def _addresses(text: str | int) -> tuple[str, ...]:
    """A list as the options have it: commas or semicolons, blanks."""
    return tuple(address.strip() for address in _ADDRESS.findall(str(text)))


def _is_called(part: MmsPart, name: str, content_id: str) -> bool:
    """Whether a part is meant: by its name, its content id, or both (6.1.5)."""
    same = (not name or part.name == name) and (not content_id or part.content_id == content_id)
    return same and bool(name or content_id)
