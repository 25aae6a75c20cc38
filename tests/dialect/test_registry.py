"""Dialect files: found, loaded, extended; and every mistake in one told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.dialect import registry
from gateway.errors import InputError

HEAD = "id: made-1.0\nfamily: made\ntitle: made up\n"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Writes a dialect file of a user's own."""
    monkeypatch.setenv("AT_GATEWAY_DIALECTS", str(tmp_path))

    def write(text: str, name: str = "made-1.0") -> Path:
        path = tmp_path / f"{name}.yaml"
        path.write_text(text, encoding="utf-8")
        for cached in (registry._files, registry._aliases, registry.load):
            cached.cache_clear()
        return path

    yield write
    monkeypatch.undo()
    for cached in (registry._files, registry._aliases, registry.load):
        cached.cache_clear()


@pytest.mark.parametrize("name", registry.ids())
def test_every_dialect_loads(name: str) -> None:
    dialect = registry.load(name)
    assert dialect.id == name
    assert dialect.tables.causes
    for code in dialect.tables.causes.values():
        assert not code.isdigit() or code in dialect.tables.errors, f"{code} is not in the manual's table"


def test_aliases_name_the_newest() -> None:
    assert registry.resolve("edsoft") == "edsoft-3.02"
    assert registry.resolve("WIPSOFT") == "wipsoft-5.57"


def test_an_unknown_dialect_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"did you mean 'edsoft-3\.02'"):
        registry.load("edsoft-3.2")


def test_a_difference_says_only_what_differs() -> None:
    old, new = registry.load("edsoft-2.10").tables, registry.load("edsoft-3.02").tables
    assert set(new.parameters) - set(old.parameters) == {"FTPMODE", "TCPTXDELAY"}
    assert old.errors == new.errors
    assert old.aliases == ()
    assert set(new.commands["#OTCP"].arguments["id"].values) - set(old.commands["#OTCP"].arguments["id"].values) == {"2"}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (HEAD + "titel: x\n", "4:1", "did you mean 'title'"),
        (HEAD + "roles: 7.5\n", "4:1", "expected a list"),
        (HEAD + "numbers: {a_s: x}\n", "4:11", "a whole number"),
        (HEAD + "errors:\n  1: {cause: bad_sintax}\n", "5:7", "did you mean 'bad_syntax'"),
        (HEAD + "title: again\n", "4:1", "a second time"),
        (HEAD + "a: [1\n", "5:1", ""),
        ("id: made-1.0\n", "1:1", "'family' is missing"),
        ("id: other\nfamily: x\ntitle: y\n", "1:1", "must be the file's name"),
        (HEAD + "extends: nothing-1.0\n", "4:1", "cannot extend"),
        (HEAD + "extends: edsoft-3.02\nremove: [parameters.NO]\n", "5:10", "edsoft-3.02 has no parameters.NO"),
        (HEAD + "extends: edsoft-3.02\nremove: [commands.#OTCP.x.y]\n", "5:10", "has no commands.#OTCP.x.y"),
        (HEAD + "secrets: ['fine', '#X=(']\n", "4:19", "regular expression"),
    ],
)
def test_a_mistake_has_file_line_and_column(own, text: str, place: str, message: str) -> None:  # type: ignore[no-untyped-def]
    path = own(text)
    with pytest.raises(InputError) as caught:
        registry.load("made-1.0")
    assert str(caught.value).startswith(f"{path}:{place}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"id: made-1.0\n# \xff\n", ":2: "),
        (b"id: made-1.0\n? [a]\n: b\n", ":2:3: "),
        (b"id: made-1.0\n\x01\n", ":1:1: "),
        (HEAD.encode() + b"extends: [a]\n", ":4:1: "),
        (HEAD.encode() + b"extends: edsoft-3.02\nremove: 5\n", ":5:1: "),
        (HEAD.encode() + b"extends: edsoft-3.02\nremove: [5]\n", ":5:10: "),
        (HEAD.encode() + b"extends: edsoft-3.02\nsections: 5\n", ":5:1: "),
        (HEAD.encode() + b"extends: edsoft-3.02\nremove: [title.x]\n", ":5:10: "),
    ],
)
def test_a_file_that_is_hardly_one(own, data: bytes, place: str) -> None:  # type: ignore[no-untyped-def]
    """Its place is told, and the other dialects are not disturbed by it."""
    path = own("")
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        registry.load("made-1.0")
    assert str(caught.value).startswith(f"{path}{place}") and "\n" not in str(caught.value)
    assert registry.load("edsoft").id == "edsoft-3.02"


def test_a_folder_is_no_dialect(own) -> None:  # type: ignore[no-untyped-def]
    (own("", "other-1.0").parent / "made-1.0.yaml").mkdir()
    assert "made-1.0" not in registry.ids() and "edsoft-3.02" in registry.ids()


def test_switches_are_chosen_by_name() -> None:
    dialect = registry.load("edsoft").with_switches({"information_spelling": "OK"})
    assert dialect.information_text("waiting_for_data") == "OK_Info_WaitingForData"
    assert dialect.information_text("gprs_activation") == "OK_Info_GPRSActivation", "as the table has it (U01)"
    assert dialect.framing.numeric is not None and dialect.framing.numeric["OK_Info_GPRSActivation"] == "3086"
    with pytest.raises(InputError, match="did you mean 'listen_result'"):
        dialect.with_switches({"listen_results": "no"})
    with pytest.raises(InputError, match="one of Ok, OK"):
        dialect.with_switches({"information_spelling": "ok"})


BASE = """
id: base-1.0
family: made
title: a base
numbers: {one: 1, two: 2, three: 3}
commands:
  '+A':
    source: '1.1'
    arguments: {value: {kind: int}}
    forms:
      - {op: set, takes: [value], does: set_it, source: '1.2', examples: ['AT+A=1']}
      - {op: read, does: read_it, source: '1.2'}
      - {op: test, does: test_it, source: field}
"""


def test_a_difference_takes_out_changes_and_renumbers(own) -> None:  # type: ignore[no-untyped-def]
    own(BASE, "base-1.0")
    own(
        HEAD
        + """extends: base-1.0
sections: {'1.1': '7.1', '1.2': '7.3'}
remove: [numbers.t*, commands.+A.forms.test_*]
commands: {'+A': {forms: {set_it: {examples: ['AT+A=2']}}}}
"""
    )
    tables = registry.load("made-1.0").tables
    assert tables.numbers == {"one": 1}
    command = tables.commands["+A"]
    assert (command.source, [(form.does, form.source) for form in command.forms]) == (
        "7.1",
        [("set_it", "7.3"), ("read_it", "7.3")],
    )
    assert command.forms[0].examples == ("AT+A=2",)
    assert command.forms[0].takes == ("value",)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("remove: [numbers.four]\n", "5:10", "base-1.0 has no numbers.four"),
        ("remove: [commands.+A.forms.other]\n", "5:10", "has no commands.+A.forms.other"),
        ("commands: {'+A': {forms: {set_at: {source: x}}}}\n", "5:27", "no form 'set_at'"),
    ],
)
def test_what_the_other_has_not_is_told_with_its_place(own, text: str, place: str, message: str) -> None:  # type: ignore[no-untyped-def]
    own(BASE, "base-1.0")
    path = own(HEAD + "extends: base-1.0\n" + text)
    with pytest.raises(InputError) as caught:
        registry.load("made-1.0")
    assert str(caught.value).startswith(f"{path}:{place}: ")
    assert message in str(caught.value)
