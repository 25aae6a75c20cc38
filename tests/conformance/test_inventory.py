"""Every entry of the inventories of the manuals, where they are at hand, against the tables of the dialects.

The inventories were made from the manuals without the tables, so a misreading of one side shows. A difference that an
erratum decides stands in ``DECIDED``; one that is not there any more must leave that list.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance import edsoft
from conformance.comparison import Comparison
from gateway.dialect import registry
from gateway.dialect.dialect import Dialect

INVENTORY = Path(__file__).parents[3] / "shared" / "inventory"
pytestmark = pytest.mark.skipif(not INVENTORY.is_dir(), reason="the inventory of the manuals is not at hand")

Account = tuple[str, Callable[[Dialect, dict[str, Any]], Comparison]]
ACCOUNTS: dict[str, Account] = {
    "edsoft-3.02": ("edsoft.yaml", edsoft.differences),
    "edsoft-2.10": ("edsoft.yaml", lambda dialect, data: edsoft.differences(dialect, data, "B")),
}
"""Dialect to the file of its manual and the comparison that reads it."""

EDSOFT = {
    "parameters.REDIALDELAY.value.also": "U07",
    "parameters.PPPMODE.value.values.9": "C02",
    "commands.#ACCEPT.answer.Ok_Info_PPP": "U17",
    "errors.34883": "C16",
    "errors.35871": "C16",
}
DECIDED: dict[str, dict[str, str]] = {
    "edsoft-3.02": EDSOFT,
    "edsoft-2.10": EDSOFT,
}
"""Places that differ because an erratum says so: place to erratum."""


def inventory(name: str) -> dict[str, Any]:
    with (INVENTORY / name).open(encoding="utf-8") as file:
        data: dict[str, Any] = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data


@pytest.mark.parametrize("name", ACCOUNTS)
def test_the_tables_say_what_the_manual_says(name: str) -> None:
    file, compare = ACCOUNTS[name]
    found = compare(registry.load(name), inventory(file)).differences
    decided = DECIDED[name]
    left = {place: told for place, told in found.items() if place not in decided}
    assert not left, f"{len(left)} differences:\n" + "\n".join(f"{place}: {told}" for place, told in left.items())
    stale = set(decided) - set(found)
    assert not stale, f"no difference any more: {sorted(stale)}"
