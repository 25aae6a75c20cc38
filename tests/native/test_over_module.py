"""A module's own sockets as a service's connections: what is told of one that is lost while it is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from gateway.model.causes import Cause
from gateway.model.events import SocketLost
from gateway.model.requests import CloseSocket, ListenTcp, QueryBearer, Request, ResolveName
from gateway.model.results import Done, Failed, Result
from gateway.model.services import GetTime, ServiceRequest
from gateway.model.values import Addresses, Endpoint, HostSocket, Ticket
from gateway.native.network import NetworkFailure
from gateway.native.over_module import ModuleDialer
from gateway.native.services import ServiceEngine

PEER = Endpoint("192.0.2.1", 123)


class Module:
    """Says yes to everything; its bearer goes when something is sent."""

    def __init__(self, cause: Cause = Cause.BEARER_LOST) -> None:
        self.cause = cause
        self.asked: list[Request] = []
        abilities = {"ListenTcp": "", "ShutdownTcp": ""}
        self.dialer = ModuleDialer(self._submit, lambda socket, _: self.lose(socket), lambda: None, abilities=abilities)

    def _submit(self, ticket: Ticket, request: Request) -> None:
        self.asked.append(request)
        value = Addresses("192.0.2.7", "", "", "") if isinstance(request, QueryBearer) else None
        asyncio.get_running_loop().call_soon(self.dialer.news, ticket, Done(value))

    def lose(self, socket: HostSocket) -> None:
        """The socket is gone, and the host of the module is told why."""
        asyncio.get_running_loop().call_soon(self.dialer.event, SocketLost(socket, self.cause))


@pytest.mark.parametrize(
    "request_of", [lambda: GetTime(PEER), lambda: ResolveName("a.example", ("192.0.2.1", "192.0.2.2"))]
)
async def test_a_question_whose_socket_is_lost_is_told_at_once(request_of: Callable[[], ServiceRequest]) -> None:
    """And for the reason that is true: nobody else is asked over a bearer that is gone."""
    module = Module()
    told: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    engine = ServiceEngine(
        lambda _, result: told.set_result(result),  # type: ignore[arg-type]
        lambda event: None,
        lambda: None,
        module.dialer,
    )
    engine.submit(Ticket(1), request_of())
    result = await asyncio.wait_for(told, 3)
    assert isinstance(result, Failed) and result.cause is Cause.BEARER_LOST
    await engine.shut()
    assert not any(isinstance(request, CloseSocket) for request in module.asked), "it is closed already"


async def test_a_door_that_is_lost_is_told_at_once() -> None:
    module = Module()
    door = await module.dialer.listen(PEER)
    waiting = asyncio.ensure_future(door.accept())
    await asyncio.sleep(0)
    (listening,) = (request for request in module.asked if isinstance(request, ListenTcp))
    module.lose(listening.listener)
    with pytest.raises(NetworkFailure) as failure:
        await asyncio.wait_for(waiting, 3)
    assert failure.value.cause is Cause.BEARER_LOST
    with pytest.raises(NetworkFailure):
        await door.accept()
    door.close()
