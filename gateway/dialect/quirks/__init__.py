"""What tables cannot say, one file (or package) a family; a family's name stands nowhere else in this package.

A module here may give ``FIRMWARE``, the behaviour towards a host, and ``DRIVER``, how to work a module.
"""

from __future__ import annotations

import importlib
from typing import Any

from gateway.dialect.dialect import Dialect
from gateway.errors import InputError


def firmware_of(dialect: Dialect) -> Any:
    """The class that behaves like a module of this dialect. Raises :class:`InputError` when there is none."""
    return _part(dialect, "FIRMWARE", "answer a host")


def driver_of(dialect: Dialect) -> Any:
    """The class that works a module of this dialect. Raises :class:`InputError` when there is none."""
    return _part(dialect, "DRIVER", "work a module")


def _part(dialect: Dialect, name: str, ability: str) -> Any:
    try:
        module = importlib.import_module(f"{__name__}.{dialect.tables.family}")
    except ModuleNotFoundError:
        module = None
    part = getattr(module, name, None)
    if part is None:
        raise InputError(f"the gateway cannot {ability} in {dialect.id} yet")
    return part
