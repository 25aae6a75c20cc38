"""The dialects' tables against themselves, their own examples, and the inventory of the manuals where it is at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.dialect import registry
from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.nodes import Shape, Statement, Value
from gateway.dialect.quirks import firmware_of
from gateway.dialect.values import WrongValue, read_value, write_value

INVENTORY = Path(__file__).parents[3] / "shared" / "inventory"
DIALECTS = [registry.load(name) for name in registry.ids()]
by_id = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.id)
needs_inventory = pytest.mark.skipif(not INVENTORY.is_dir(), reason="the inventory of the manuals is not at hand")


def statement(dialect: Dialect, text: str) -> Statement:
    (piece,) = dialect.pieces(text)
    assert isinstance(piece, Statement), text
    return piece


@by_id
def test_every_example_is_understood_by_its_own_form(dialect: Dialect) -> None:
    for name, command in dialect.tables.commands.items():
        for form in command.forms:
            for example in form.examples:
                call = dialect.bind(statement(dialect, example.removeprefix("AT")))
                assert isinstance(call, Call), f"{name}: {example}: {call}"
                assert call.does == form.does, example


@by_id
def test_every_form_has_its_behaviour_and_its_source(dialect: Dialect) -> None:
    firmware = firmware_of(dialect)
    written_only = {"bearer_set_number", "udp_create_local", "udp_create_peer", "udp_create_both"}
    for name, command in dialect.tables.commands.items():
        assert command.source, name
        for form in command.forms:
            assert hasattr(firmware, f"do_{form.does}") or form.does in written_only, f"{name}: {form.does}"
            for taken in form.takes:
                assert taken.endswith("*") or taken.rstrip("?") in command.arguments, f"{name}: {taken}"


@by_id
def test_every_parameter_has_a_source_and_a_legal_default(dialect: Dialect) -> None:
    for name, parameter in dialect.tables.parameters.items():
        assert parameter.source, name
        assert parameter.title, name
        if parameter.default != "":
            assert read_value(parameter, Value(Shape.BARE, str(parameter.default))) == parameter.default, name


@by_id
def test_every_message_is_heard_as_it_is_said(dialect: Dialect) -> None:
    if "module" not in dialect.tables.roles:
        return
    for key, message in dialect.tables.messages.items():
        fields: dict[str, str | int] = {}
        for number, field in enumerate(set(_fields(message.text)), 11):
            fields[field] = "AB" if field == "dump" else "1.2.3.4" if field == "peer" else number
        heard = dialect.hear(dialect.say(key, **fields))
        assert heard is not None, key
        assert heard.fields == {name: str(value) for name, value in fields.items()}, key


def _fields(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:]]


@by_id
def test_values_are_written_as_they_are_read(dialect: Dialect) -> None:
    for parameter in dialect.tables.parameters.values():
        for text in ("1", "10.0.0.1", "abc", "I"):
            try:
                value = read_value(parameter, Value(Shape.BARE, text))
            except WrongValue:
                continue
            written = write_value(parameter, value)
            shape = Shape.STRING if written.startswith('"') else Shape.BARE
            assert read_value(parameter, Value(shape, written.strip('"'))) == value


def inventory(name: str) -> dict[str, Any]:
    with (INVENTORY / name).open(encoding="utf-8") as file:
        data: dict[str, Any] = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data


@needs_inventory
def test_all_edsoft_parameters_as_the_manual_has_them() -> None:
    dialect = registry.load("edsoft-3.02")
    theirs = [
        command
        for command in inventory("edsoft.yaml")["commands"]
        if command["kind"] == "parameter" and "alias_of" not in command
    ]
    assert len(theirs) == 68
    assert {command["name"] for command in theirs} == set(dialect.tables.parameters)
    for command in theirs:
        mine, value = dialect.tables.parameters[command["name"]], command["value"]
        assert mine.default == ("" if command["default"] is None else command["default"]), command["name"]
        assert mine.max_length == (value.get("max_length") or value.get("item_max_length")), command["name"]
        if value["type"] == "int":
            assert (mine.minimum, mine.maximum, mine.step) == (value["min"], value["max"], value.get("step"))
        if "values" in value and value["type"] in ("enum", "char_enum"):
            expected = {str(entry["value"]) for entry in value["values"]}
            reserved = {"9"} if command["name"] == "PPPMODE" else set()  # C02: reserved, refused
            assert set(mine.values) == expected - reserved, command["name"]
        assert mine.indexed == ("ids" in command), command["name"]


@needs_inventory
def test_all_edsoft_displays_codes_and_messages() -> None:
    tables = registry.load("edsoft-3.02").tables
    data = inventory("edsoft.yaml")
    for name, parameters in data["display_order"]["groups"].items():
        assert tables.commands[f"#{name}"].shows == (tuple(parameters),), name
    blocks = [block for block in data["display_order"]["VALL_blocks"] if block["names"]]
    mine = [tuple(entry.partition(":")[0] for entry in block) for block in tables.commands["#VALL"].shows]
    assert mine == [tuple(block["names"]) for block in blocks]
    codes = {str(entry["code"]) for entry in data["errors"]} | {"34883", "35871"}  # C16: two only in the guide
    assert set(tables.errors) == codes
    for message in data["information_messages"]:
        own = next(one for one in tables.information.values() if one.number == message["numeric"])
        assert own.text == message["recommended_verbose"]
        assert set(message["seen_spellings"]) <= {own.text, *own.spellings}
    for entry in data["result_codes"]:
        assert tables.results[entry["verbose"]] == entry["numeric"]
    names = {f"#{command['name']}" for command in data["commands"] if command["kind"] in ("action", "display")}
    assert names == {name for name in tables.commands if name.startswith("#")}


@needs_inventory
def test_all_wipsoft_options_and_codes() -> None:
    tables = registry.load("wipsoft-5.57").tables
    data = inventory("wipsoft-5.57.yaml")
    codes = {str(entry["code"]) for entry in data["errors"] if "-" not in str(entry["code"])}
    assert set(tables.errors) == codes
    for ours, theirs in (("+WIPCFG", "wipcfg"), ("+WIPBR", "wipbr")):
        assert set(tables.options[ours]) == {str(entry["num"]) for entry in data["options"][theirs]}
        for entry in data["options"][theirs]:
            option = tables.options[ours][str(entry["num"])]
            if "range" in entry:
                assert [option.minimum, option.maximum] == entry["range"], entry
            if "default" in entry:
                assert option.default == entry["default"], entry
            assert option.max_length == entry.get("max_len"), entry
    for group, entries in data["options"]["wipopt"].items():
        assert set(tables.options[group]) == {str(entry["num"]) for entry in entries}
    assert set(tables.commands) == {entry["name"] for entry in data["commands"]}
