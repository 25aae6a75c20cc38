"""The MIP family, towards a host and as a module."""

from gateway.dialect.quirks.mip.driver import MipDriver as DRIVER
from gateway.dialect.quirks.mip.firmware import MipFirmware as FIRMWARE

__all__ = ["DRIVER", "FIRMWARE"]
