"""Ping of a WIPSoft module (5.57 guide, 7.1)."""

from __future__ import annotations

from dataclasses import replace

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Answer, Await, Command, DriverSteps, Part, Report, Rest
from gateway.dialect.quirks.wipsoft.driver_link import DOUBTFUL
from gateway.dialect.quirks.wipsoft.driver_sockets import SocketsDriver
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.requests import Ping
from gateway.model.results import Done, Failed, PingEcho, Result
from gateway.model.values import is_dotted

PING_LIMIT_MS = 65535
"""The longest pause between echo requests, and wait for an answer (7.1.3)."""
UNANSWERED = (Cause.PING_FAILED, Cause.UNREACHABLE)
"""Why a ping fails where nobody answers, nobody knows the name, or the bearer is gone."""


class PingDriver(SocketsDriver):
    """See the module's text."""

    def do_ping(self, request: Ping) -> DriverSteps:
        """One command for all, where the module can pause so long."""
        if max(request.interval_ms, request.timeout_ms) <= PING_LIMIT_MS:
            return (yield from self._pings(request))
        limit_ms = min(request.timeout_ms, PING_LIMIT_MS)
        one = replace(request, count=1, interval_ms=PING_LIMIT_MS, timeout_ms=limit_ms)
        for number in range(request.count):  # so long a pause is kept here
            if number:
                yield Rest(request.interval_ms / 1000)
            result: Result = yield from self._pings(one, number)
            if isinstance(result, Failed):
                return result
        return Done()

    def _pings(self, request: Ping, first: int = 0) -> DriverSteps:
        usual = request.size_bytes == (known := Ping("")).size_bytes and request.ttl == known.ttl
        try:
            text = self.dialect.write(
                "ping",
                host=request.target,
                repeat=request.count,
                interval=request.interval_ms,
                timeout=request.timeout_ms,
                **({} if usual else {"size": request.size_bytes, "ttl": request.ttl}),
            )
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        answer: Answer = yield Command(text)
        if not answer.ok:
            failed: Failed = yield from self._unless_gone(self.failed(answer, "+WIPPING"), (*DOUBTFUL, *UNANSWERED))
            if failed.cause in UNANSWERED and not is_dotted(request.target):
                return Failed(Cause.NAME_NOT_RESOLVED, failed.original)
            return failed
        limit_s = (request.interval_ms + request.timeout_ms) / 1000 + 10
        for number in range(request.count):
            heard: Heard | None = yield Await(lambda heard: heard.key in ("ping", "error"), limit_s)
            if heard is None or heard.key == "error":
                failed = Failed(Cause.PING_FAILED, heard.fields["code"] if heard else "no +WIPPING")
                failed = yield from self._unless_gone(failed, UNANSWERED)
                failed = yield from self._why_ping(failed, request.target)
                return failed
            answered = heard.fields["sign"] == ("0" if self.dialect.switch("ping_sign") == "expired" else "1")
            if number == 0 and not answered and not is_dotted(request.target):
                # A name that nobody knows is told as a time-out too (7.1.6).
                failed = Failed(Cause.NAME_NOT_RESOLVED, "+WIPPING: 1")
                if not (yield from self._resolves(request.target)):
                    failed = yield from self._unless_gone(failed, (Cause.NAME_NOT_RESOLVED,))
                    return failed
            yield Report(PingEcho(first + number, heard.number("milliseconds") if answered else None))
        return Done()

    def _why_ping(self, failed: Failed, host: str) -> Part:
        if failed.cause in UNANSWERED and not is_dotted(host) and not (yield from self._resolves(host)):
            return Failed(Cause.NAME_NOT_RESOLVED, failed.original)
        return failed
