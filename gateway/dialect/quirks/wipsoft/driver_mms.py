"""Multimedia messages of a module (5.57 guide, 5.1, 5.3.7.6, 6.1, 9.9)."""

from __future__ import annotations

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Answer, Await, Command, DriverSteps, Part
from gateway.dialect.quirks.wipsoft.driver_files import INDEX, FilesDriver, Session
from gateway.dialect.quirks.wipsoft.media import MEDIA_TYPES
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.results import Done, Failed
from gateway.model.services import MmsPart, OpenMms, SendMms

MMS = 8
TO, CC, BCC = (81, 82), (83, 84), (85, 86)
"""Options that add a telephone number, or an address, to a list."""
DATE, SUBJECT, CLASS, PRIORITY, HIDDEN, FROM, RELATED, FILE, ANY_FILE, CHUNKED = 80, 87, 88, 89, 90, 91, 92, 93, 94, 95
PHONE = "/TYPE=PLMN"
SENDING_S = 180.0
"""So long a centre may take for a message."""
CLOSE_S = 2.0
"""So long behind its OK the module may take to say that the session has ended with the message (S31)."""


class MmsDriver(FilesDriver):
    """See the module's text."""

    _centre = ""
    """The command that opens the session."""

    def do_open_mms(self, request: OpenMms) -> DriverSteps:
        """By way of a proxy: the module knows no other."""
        if request.proxy is None:
            return Failed(Cause.NOT_SUPPORTED, "no proxy")
        proxy = request.proxy
        try:
            text = self.dialect.write("mms_create", index=INDEX, host=proxy.host, port=proxy.port, url=request.centre)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        self._centre = text
        session = Session(request.session, protocol=MMS)
        return (yield from self._begin_session(session, text, request.proxy.host))

    def do_send_mms(self, request: SendMms) -> DriverSteps:
        """Fields and parts as options, each part in a data mode, and off; the session ends with it."""
        session = self._session_of(request.session, MMS)
        if session is None:
            return Failed(Cause.BAD_STATE)
        if session.written:  # what was announced for a message that was refused cannot be taken back
            yield from self._end_session()
            session = Session(request.session, protocol=MMS)
            again = yield from self._begin_session(session, self._centre, "")
            if isinstance(again, Failed):
                return again
        try:
            commands = self._commands(request)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        for text in commands:
            session.written[len(session.written)] = text
            answer: Answer = yield Command(text)
            if not answer.ok:
                return self.failed(answer, "+WIPOPT")
        for part in request.parts:
            named = {"part": part.name} if part.name else {}
            named |= {"content_id": part.content_id} if part.content_id else {}
            moved = yield from self._move(
                session, self.dialect.write("mms_part_send", index=INDEX, **named), data=part.data
            )
            if isinstance(moved, Failed):
                return moved
        result: Done | Failed = yield from self._off(session)
        return result

    def _off(self, session: Session) -> Part:
        answer: Answer = yield Command(self.dialect.write("mms_send", index=INDEX), limit_s=SENDING_S)
        if not answer.ok:
            return self.failed(answer, "+WIPOPT")
        if self._files is session:
            self._files = None
        yield Await(_closed, CLOSE_S)
        return Done()

    def _commands(self, request: SendMms) -> list[str]:
        """Raises :class:`WrongValue`."""
        commands = []
        lists = ((TO, request.recipients), (CC, request.copies), (BCC, request.blind_copies))
        for (phone, mail), addresses in lists:
            for address in addresses:
                is_phone = address.endswith(PHONE)
                commands.append(self._option(phone if is_phone else mail, address.removesuffix(PHONE)))
        for option, text in ((DATE, request.date), (SUBJECT, request.subject), (FROM, request.sender)):
            commands += [self._option(option, text)] if text else []
        for option, word in ((CLASS, request.message_class), (PRIORITY, request.priority)):
            commands += self._unless_default(option, self._number(option, word))
        for option, value in ((HIDDEN, request.hide_sender), (CHUNKED, request.chunked)):
            commands += self._unless_default(option, int(value))
        if request.related:
            first = next((part for part in request.parts if part.content_id == request.first), None)
            start = {"start_type": first.content_type, "start_id": request.first} if first is not None else {}
            commands.append(self.dialect.write("mms_parts", index=INDEX, value=1, **start))
        return [*commands, *(self._announced(part) for part in request.parts)]

    def _option(self, option: int, value: str | int) -> str:
        return self.dialect.write("option_set", protocol=MMS, index=INDEX, option=option, value=value)

    def _unless_default(self, option: int, value: int) -> list[str]:
        known = self.dialect.tables.options["mms"][str(option)].default
        return [] if value == known else [self._option(option, value)]

    def _number(self, option: int, word: str) -> int:
        """A word's number among an option's values."""
        values = self.dialect.tables.options["mms"][str(option)].values
        return next((int(number) for number, text in values.items() if text == word.upper()), 0)

    def _announced(self, part: MmsPart) -> str:
        """A part's size and names; its type by number where it has one."""
        values = self.dialect.tables.options["mms"][str(FILE)].values
        number = next((int(key) for key, name in values.items() if MEDIA_TYPES[name] == part.content_type), None)
        option, kind = (ANY_FILE, part.content_type) if number is None else (FILE, number)
        names = {"name": part.name} if part.name else {}
        names |= {"content_id": part.content_id} if part.content_id else {}
        place = {"index": INDEX, "option": option, "size": len(part.data)}
        return self.dialect.write("mms_part_add", **place, value=kind, **names)


def _closed(heard: Heard) -> bool:
    return heard.key == "peer_closed" and heard.number("protocol") == MMS
