"""The eDSoft family, towards a host."""

from gateway.dialect.quirks.edsoft.firmware import EdsoftFirmware as FIRMWARE

__all__ = ["FIRMWARE"]
