"""Working a module of the MIP family: the parts put together."""

from __future__ import annotations

from gateway.dialect.quirks.mip.driver_data import DataDriver
from gateway.dialect.quirks.mip.driver_services import ServicesDriver


class MipDriver(ServicesDriver, DataDriver):
    """See the module's text."""
