"""Working a module of the MIP family: which generator carries out which request."""

from __future__ import annotations

from gateway.dialect.driver import DriverSteps
from gateway.dialect.quirks.mip.driver_data import DataDriver
from gateway.dialect.quirks.mip.driver_services import ServicesDriver
from gateway.model.causes import Cause
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    Detach,
    FilterWaiting,
    ListenTcp,
    OpenUdp,
    Ping,
    QueryBearer,
    RefuseTcp,
    Request,
    ResolveName,
    SendDatagram,
    ShutdownTcp,
    StartBearer,
    StopBearer,
)
from gateway.model.results import Failed
from gateway.model.services import GetTime


class MipDriver(ServicesDriver, DataDriver):
    """See the module's text."""

    def perform(self, request: Request) -> DriverSteps:
        """One generator a request."""
        match request:
            case StartBearer():
                return self._start_bearer(request)
            case StopBearer():
                return self._stop_bearer()
            case QueryBearer():
                return self._query_bearer()
            case ConnectTcp():
                return self._connect(request)
            case ListenTcp():
                return self._listen(request)
            case AcceptTcp():
                return self._accept(request)
            case RefuseTcp():
                return self._refuse(request)
            case OpenUdp():
                return self._open_udp(request)
            case SendDatagram():
                return self._send_to(request)
            case Attach():
                return self._attach(request)
            case Detach():
                return self._detach(request)
            case FilterWaiting():
                return self._filter(request)
            case ShutdownTcp():
                return self._shutdown(request)
            case CloseSocket():
                return self._close(request)
            case ResolveName():
                return self._resolve(request)
            case Ping():
                return self._ping(request)
            case GetTime():
                return self._time(request)
            case _:
                return self._unable()

    def _unable(self) -> DriverSteps:
        yield from ()
        return Failed(Cause.NOT_SUPPORTED)
