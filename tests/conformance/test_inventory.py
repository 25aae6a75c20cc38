"""Every entry of the inventories of the manuals, where they are at hand, against the tables of the dialects.

The inventories were made from the manuals without the tables, so a misreading of one side shows. A difference that an
erratum decides stands in ``DECIDED``; one that is not there any more must leave that list.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance import edsoft, habits
from conformance.atinventory import Walk
from conformance.comparison import Comparison
from gateway.dialect import registry
from gateway.dialect.dialect import Dialect

INVENTORY = Path(__file__).parents[3] / "shared" / "inventory"
pytestmark = pytest.mark.skipif(not INVENTORY.is_dir(), reason="the inventory of the manuals is not at hand")

TRANSCRIPTS = Path(__file__).parents[1] / "transcripts"


def transcripts(dialect: Dialect) -> str:
    """Everything that a host says in the transcripts of a dialect."""
    return "".join(
        line.replace(" ", "")
        for path in sorted((TRANSCRIPTS / dialect.id).glob("*.md"))
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True)
    )


def wipsoft(dialect: Dialect, data: dict[str, Any]) -> Comparison:
    return Walk(dialect, data, habits.WIPSOFT, transcripts(dialect)).all()


def fibocom(dialect: Dialect, data: dict[str, Any]) -> Comparison:
    return Walk(dialect, data, habits.FIBOCOM, transcripts(dialect)).all()


Account = tuple[str, Callable[[Dialect, dict[str, Any]], Comparison]]
ACCOUNTS: dict[str, Account] = {
    "edsoft-3.02": ("edsoft.yaml", edsoft.differences),
    "edsoft-2.10": ("edsoft.yaml", lambda dialect, data: edsoft.differences(dialect, data, "B")),
    "wipsoft-5.57": ("wipsoft-5.57.yaml", wipsoft),
    "wipsoft-2.01": ("wipsoft-2006.yaml", wipsoft),
    "fibocom-l610": ("fibocom-mip.yaml", fibocom),
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
    "wipsoft-5.57": {
        "commands.+WIPCREATE.forms.read.answer.+WIPSERV: {mode},{index},{port}": "S19",
        "commands.+WIPOPT.forms.get.protocol.values": "S27",
        "commands.+WIPOPT.forms.set.protocol.values": "S27",
        "commands.+WIPOPT.forms.get.answer.+WIPOPT: 5,54,<header name>,<header value>[,...]": "S25",
        "commands.+WIPDATA.forms.continuous.send size.default": "S40",
        "commands.+WIPDATA.forms.continuous.wait time.default": "S40",
        "commands.+WIPDATA.forms.transparent.send size.default": "S40",
        "commands.+WIPDATA.forms.transparent.wait time.default": "S40",
        "options.wipcfg.8.access": "X05",
    },
    "wipsoft-2.01": {
        "commands.+WIPDATA.forms.sized: AT+WIPDATA=1,1,1,1": "W24",
        "commands.+WIPDATA.forms.sized.phase: AT+WIPDATA=1,1,0": "W24",
        "commands.+WIPDATA.forms.sized.phase: AT+WIPDATA=1,1,0,1": "W24",
        "commands.+WIPDATA.forms.sized.phase: AT+WIPDATA=2,1,0": "W24",
        "commands.+WIPDATA.forms.sized.phase: AT+WIPDATA=2,1,0,1": "W24",
        "options.wipcfg.8.type": "X05",
    },
    "fibocom-l610": {
        "commands.+MIPSEND.forms.hex_ctrl_z.answer.+MIPPUSH: {id},{status},{size}": "F25",
        "commands.+MIPSEND.forms.hex_timeout.answer.+MIPPUSH: {id},{status},{size}": "F25",
        "commands.+MIPSEND.forms.hex_length.answer.+MIPPUSH: {id},{status},{size}": "F25",
        "commands.+MIPDNS.forms.set.answer.+MIPDNS: {name},{address},{address6}": "F50",
    },
}
"""Places that differ because an erratum says so: place to erratum."""


@pytest.mark.parametrize("name", DECIDED)
def test_every_decision_is_an_erratum(name: str) -> None:
    lists = [path.read_text(encoding="utf-8") for path in sorted(INVENTORY.glob("errata-*.md"))]
    own = lists[0] if "edsoft" in name else lists[1]
    for place, erratum in DECIDED[name].items():
        assert f"\n| {erratum} |" in own, place


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


COUNTED = {
    "code",
    "num",
    "min",
    "max",
    "step",
    "max_length",
    "item_max_length",
    "max_items",
    "max_len",
    "default",
    "numeric",
}
"""Keys whose numbers must be seen wherever they stand."""
SHARE = 100_000 if "AT_GATEWAY_MUTATIONS" in os.environ else 12


@pytest.mark.parametrize("name", [name for name in ACCOUNTS if name != "edsoft-2.10"])
def test_a_changed_number_is_noticed(name: str) -> None:
    """The comparison itself is tested: a number of the manual, changed, makes another difference.

    A seeded share of all numbers; all of them when ``AT_GATEWAY_MUTATIONS`` is set.
    """
    file, compare = ACCOUNTS[name]
    dialect, data = registry.load(name), inventory(file)
    before = compare(dialect, data).differences
    places = [place for place in _numbers(data) if not _is_told(place)]
    unseen = []
    for *path, key in random.Random(name).sample(places, min(SHARE, len(places))):
        holder: Any = data
        for step in path:
            holder = holder[step]
        holder[key] += 7777
        if compare(dialect, data).differences == before:
            unseen.append(".".join(map(str, (*path, key))))
        holder[key] -= 7777
    assert not unseen, unseen


def _numbers(entry: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = entry.items() if isinstance(entry, dict) else enumerate(entry) if isinstance(entry, list) else ()
    for key, item in items:
        if type(item) is int and key in COUNTED:
            yield (*above, key)
        yield from _numbers(item, (*above, key))


def _is_told(place: tuple[Any, ...]) -> bool:
    """Numbers in remarks, and those of another name's entry."""
    return any(part in ("also_in_examples", "also_in_notes", "mapping") for part in place)
