"""How values that are made for every line or every packet are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(kind: type[T]) -> type[T]:
    """A frozen dataclass with slots for the type checker, which alone keeps it frozen: at run time making a value of a
    frozen dataclass takes more than twice as long (``object.__setattr__`` for each field)."""
    make: Callable[[type[T]], type[T]] = dataclass(slots=True, unsafe_hash=True)
    return make(kind)
