"""Transcripts of a virtual module: a host on one side, the peers of its sockets on the other, time by hand.

What a peer can do (``peer! ``): ``calls ADDRESS:PORT``, ``closes``, ``resets``, ``holds`` (takes no more), ``takes``
(again), ``waits BYTES`` (they are there and nobody reads); ``link lost``. A server: ``answers STATUS WORDS`` (HTTP),
``ends`` (it has, or has given, all), ``refuses CAUSE``.
"""

from __future__ import annotations

import re

from gateway.model.causes import Cause
from gateway.model.events import BearerLost, DataWaiting, Event, Incoming, PeerClosed, Received, SendingHeld, SocketLost
from gateway.model.results import Done, Failed, Progress, Result
from gateway.model.services import Begun, GetTime
from gateway.model.values import Endpoint, HostSocket
from support.fake import SimModule
from support.transcript import Step, Transcript

_SENDER = re.compile(rb"\(([0-9a-f.:]+):(\d+)\) ")


def play(transcript: Transcript, cut: int | None) -> None:
    """Play one block; ``cut``: bytes of the host at a time. The option ``time=no``: no time server answers."""
    options = {name: value for name, value in transcript.options.items() if name != "module"}
    clock = options.pop("time", "yes")
    sim = SimModule(transcript.path.parent.name, switches=options)
    if clock == "no":
        sim.refuse[GetTime] = Cause.TIMED_OUT
    for step in transcript.steps:
        _step(sim, step, cut, f"{transcript.path.name}:{step.line}")
    assert sim.out == b"", "the host read more at the end"
    assert sim.sent == [], "the peers got more at the end"


def _step(sim: SimModule, step: Step, cut: int | None, place: str) -> None:
    verb, socket = step.verb[-1], _socket(sim, step)
    if step.verb == "wait":
        sim.out = sim.wait(step.seconds)
    elif step.verb == "host<":
        got, sim.out = sim.out[: len(step.data)], sim.out[len(step.data) :]
        assert got == step.data, f"{place}: the host reads"
    elif verb == ">" and step.verb != "host>":
        data = b""
        while sim.sent and sim.sent[0][0] == socket and len(data) < len(step.data):
            data += sim.sent.pop(0)[1]
        assert data == step.data, f"{place}: the peer gets"
    else:
        assert sim.out == b"", f"{place}: the host read more before"
        assert sim.sent == [], f"{place}: the peers got more before"
        if step.verb == "host>":
            size = cut or len(step.data)
            for at in range(0, len(step.data), size):
                sim.say(step.data[at : at + size])
        else:
            news = _news(step)
            events = [] if news is not None else _events(sim, step, socket)
            sim.out = sim.moved(news) if news is not None else b"".join([sim.happens(event) for event in events])


def _socket(sim: SimModule, step: Step) -> HostSocket:
    number = re.sub(r"\D", "", step.verb)
    return sim.sockets[int(number) - 1 if number else -1] if sim.sockets else HostSocket(0)


def _news(step: Step) -> Result | Progress | None:
    """What a server says of the request that moves something."""
    if step.verb.endswith("<"):
        return None
    what, _, detail = step.data.decode().partition(" ")
    match what:
        case "answers":
            status, _, reason = detail.partition(" ")
            return Begun(status=int(status), reason=reason)
        case "ends":
            return Done()
        case "refuses":
            cause, _, original = detail.partition(" ")
            return Failed(Cause(cause), original)
    return None


def _events(sim: SimModule, step: Step, socket: HostSocket) -> list[Event]:
    if step.verb.endswith("<"):
        sender = _SENDER.match(step.data)
        peer = Endpoint(sender[1].decode(), int(sender[2])) if sender else None
        return [Received(socket, step.data[sender.end() if sender else 0 :], peer)]
    what, _, detail = step.data.decode().partition(" ")
    match what:
        case "calls":
            host, _, port = detail.rpartition(":")
            return [Incoming(socket, 1, Endpoint(host, int(port)))]
        case "closes":
            return [PeerClosed(socket)]
        case "resets":
            return [SocketLost(socket, Cause.RESET)]
        case "holds" | "takes":
            return [SendingHeld(socket, what == "holds")]
        case "waits":
            return [DataWaiting(socket, int(detail))]
        case "link":
            return [BearerLost(), *(SocketLost(each, Cause.BEARER_LOST) for each in sim.sockets)]
    raise ValueError(f"line {step.line}: a peer cannot {what!r}")
