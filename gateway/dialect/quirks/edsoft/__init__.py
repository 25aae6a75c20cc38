"""The eDSoft family, towards a host and as a module."""

from gateway.dialect.quirks.edsoft.driver import EdsoftDriver as DRIVER
from gateway.dialect.quirks.edsoft.firmware import EdsoftFirmware as FIRMWARE

__all__ = ["DRIVER", "FIRMWARE"]
