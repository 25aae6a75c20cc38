"""Walks an inventory of the form ``at-dialect-inventory/1`` and compares every entry with the tables.

Names differ between a manual and the tables, so a parameter is found by its place: each syntax line is written out with
legal values, bound, and the value at a place is the argument that the form takes there. Longer than 400 lines because
it is one walk, a method a section.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from conformance.comparison import Comparison, answer_texts
from conformance.syntax import Slot, Variant, lines, variants
from gateway.dialect.dialect import Call, Dialect, Fault
from gateway.dialect.nodes import Shape, Statement
from gateway.dialect.schema import Argument, Command, Form, Option, ValueType
from gateway.wire.settings import LineSettings

Inventory = dict[str, Any]

NUMBERS = {"int", "port", "enum"}
TEXTS = {"string", "text", "host", "phone", "caller", "any", "keyword", "hex"}
TYPES = {
    "enum": {"enum", "int", "keyword"},
    "int": NUMBERS,
    "digits": NUMBERS,
    "string": TEXTS,
    "host": {"host"},
    "ip": {"ip", "address"},
    "ip6": {"ip6", "address"},
    "hex": {"hex"},
    "int|ip": {"any", "string"},
    "int|string": TEXTS | NUMBERS,
    "int|string|ip": {"any", "string"},
    "list of string pairs": {"rest"},
    "unstated": TEXTS | NUMBERS,
}
"""A type of the inventory to the kinds of value that say the same."""
FORMATS = {
    "int": {"int"},
    "u8": {"int", "enum"},
    "u32": {"int", "enum"},
    "bool": {"int", "enum"},
    "ip": {"ip"},
    "string": {"string"},
    "none": {"none"},
}
ACCESS = {"RW": "rw", "R": "r", "W": "w", "none": "none", "unknown": "r", "R here; set with AT+WIPS": "rw"}
"""Erratum S02: what only another command may set can be set here too; S03: what is not described is read."""
PEOPLE = "purpose side_effects side_effects_errata errata notes note parameters_note parameters_errata storage_errata"


@dataclass
class Habits:
    """What an inventory leaves to its reader."""

    samples: dict[tuple[str, str], str] = field(default_factory=dict)
    """Command and parameter to a value that is legal where the parameter's own description does not tell."""
    limits: dict[str, str] = field(default_factory=dict)
    """A limit to its place in the tables: ``numbers.x``, ``+CMD.argument.max_length``; "" when it is no number."""
    options: dict[str, str] = field(default_factory=dict)
    """A section of options to the tables' own."""
    written: dict[str, list[str]] = field(default_factory=dict)
    """Command and form to the ways to write it, where its values depend on each other."""
    more: dict[str, list[str]] = field(default_factory=dict)
    """The same, besides the ways that the syntax tells."""
    texts_travel: bool = False
    """Error texts are sent, so they must be the same to the letter."""


@dataclass
class _Written:
    """A form written out: the line, the names of the values in it, and what the tables make of it."""

    text: str
    slots: tuple[Slot | None, ...]
    values: dict[str, str]
    call: Call | Fault | None
    form: Form | None


class Walk:
    """See the module's text."""

    def __init__(self, dialect: Dialect, data: Inventory, habits: Habits, written_before: str = "") -> None:
        self.dialect, self.tables, self.data, self.habits = dialect, dialect.tables, data, habits
        self.found = Comparison()
        self.elsewhere = written_before
        self.used: set[int] = set()

    def all(self) -> Comparison:
        """Every section of the inventory."""
        self.found.keys(
            "",
            self.data,
            "dialect commands sessions unsolicited options errors limits",
            "schema notation api",
        )
        self._dialect(self.data["dialect"])
        commands = {entry["name"]: entry for entry in self.data["commands"]}
        self.found.every("commands", commands, self.tables.commands)
        for name, theirs in commands.items():
            ours = self.tables.commands.get(name)
            if ours is not None:
                self._command(f"commands.{name}", name, theirs, ours)
        for session in self.data.get("sessions", []):
            for step in session["steps"]:
                self._example(f"sessions.{session['id']}", step)
        for name, ours in self.tables.commands.items():
            for form in ours.forms:
                known = id(form) in self.used or form.source == "field" or name not in commands
                told = f"{form.op} {form.by or form.does} {form.when or ''}".strip()
                self.found.true(f"commands.{name}.forms.{told}", known, "is no form of the manual")
        for theirs in self.data["unsolicited"]:
            self._unsolicited(theirs)
        self._options()
        self._errors()
        self._limits()
        return self.found

    def _dialect(self, theirs: Inventory) -> None:
        document = theirs["document"]
        dates = {entry.date for entry in self.tables.documents.values()}
        revisions = {entry.revision for entry in self.tables.documents.values()}
        self.found.true("dialect.document.date", document["date"] in dates, f"no document of {document['date']}")
        for key in ("revision", "version"):
            if key in document:
                self.found.true(f"dialect.document.{key}", document[key] in revisions, f"no document {document[key]}")
        if isinstance(theirs["cmee"].get("default"), int):
            self.found.same("dialect.cmee.default", theirs["cmee"]["default"], LineSettings().error_detail)
        responses = theirs["responses"]
        words = {
            word for key in ("success", "syntax_error", "error", "data_mode") for word in [responses.get(key)] if word
        }
        for word in words:
            self.found.true(f"dialect.responses.{word}", word in self.tables.results, "is no result code")
        if "parameter_error" in responses:
            printed = responses["parameter_error"].partition(" or ")[0]
            self.found.same(
                "dialect.responses.parameter_error", printed.replace("<Err>", "{code}"), self.tables.lines.error
            )
            self.found.same("dialect.cmee", True, self.tables.lines.error_needs_cmee)

    # -- commands ----------------------------------------------------------------------------------------------------

    def _command(self, place: str, name: str, theirs: Inventory, ours: Command) -> None:
        self.found.keys(
            place,
            theirs,
            "name section forms parameters storage errors unsolicited data_mode examples attributes mode_support "
            "start_parameters mandatory",
            PEOPLE,
        )
        sections = theirs["section"].split(", ")
        self.found.same(f"{place}.section", sections, ours.source.split(", ")[: len(sections)])
        survives = bool(ours.stored) and not ours.stored.startswith("until")
        self.found.same(f"{place}.stored", _survives(theirs), survives)
        if "duration" in theirs.get("attributes", {}):
            # What is told behind the OK has a longer limit of its own (erratum F07).
            seconds = {int(number) for number in re.findall(r"\d+", theirs["attributes"]["duration"])}
            later = {
                limit for name, limit in self.data["limits"].items() if name.endswith("_s") and isinstance(limit, int)
            }
            timed = {theirs["attributes"][key] for key in theirs["attributes"] if key.startswith("duration_")}
            later |= {self.data["limits"]["mipsend_timeout_s"]["range"][1]} if timed else set()
            self.found.true(f"{place}.limit_s", ours.limit_s in seconds | later, f"the tables: {ours.limit_s}")
        for form in theirs["forms"]:
            self._form(f"{place}.forms.{form['id']}", name, form, theirs, ours)
        for group in theirs["errors"].values() if isinstance(theirs["errors"], dict) else []:
            for entry in group if isinstance(group, list) else []:
                self._named_error(place, entry)
        for group in theirs["unsolicited"]:
            word = group.partition(" ")[0]
            said = any(message.text.startswith(f"{word}:") for message in self.tables.messages.values())
            self.found.true(f"{place}.unsolicited.{group}", said, "is no message of the tables")
        for example in theirs["examples"]:
            self._example(f"{place}.examples", example)

    def _named_error(self, place: str, entry: Inventory) -> None:
        if entry.get("code") is not None:
            code = str(entry["code"])
            self.found.true(f"{place}.errors.{code}", code in self.tables.errors, "is not in the table")

    def _form(self, place: str, name: str, theirs: Inventory, command: Inventory, ours: Command) -> None:
        self.found.keys(
            place,
            theirs,
            "id kind when syntax outcomes prompt ends_with section",
            f"printed_syntax basis session {PEOPLE}",
        )
        written = list(self._written(name, theirs, command))
        self.found.true(place, written, "cannot be written")
        for one in written:
            if one.form is not None:
                self.used.add(id(one.form))
            self.found.true(f"{place}: {one.text}", isinstance(one.call, Call), f"is not understood: {one.call}")
            if isinstance(one.call, Call):
                self.found.same(f"{place}.kind", theirs["kind"], str(one.call.op))
        good = [one for one in written if isinstance(one.call, Call) and one.form is not None]
        if not good:
            return
        for one in good[:1]:
            self._unavailable(place, name, command, one)
        self._parameters(place, name, theirs, command, ours, good)
        self._outcomes(place, theirs, command, good)

    def _written(self, name: str, theirs: Inventory, command: Inventory) -> Iterator[_Written]:
        syntax = theirs["syntax"].removeprefix(f"AT{name}")
        if not syntax.startswith("=") or syntax == "=?":
            yield self._bound(f"AT{name}{syntax}", (), {})
            return
        told = self.habits.written.get(f"{name}.{theirs['id']}")
        if told is not None:
            longest = max(variants(syntax[1:]), key=len)
            for text in told:
                yield self._bound(text, longest[: text.count(",") + 1], {})
            return
        for text in self.habits.more.get(f"{name}.{theirs['id']}", []):
            yield self._bound(text, max(variants(syntax[1:]), key=len)[: text.count(",") + 1], {})
        for fixed in self._each(syntax[1:], self._fixed(theirs.get("when", {}), command), command):
            for variant in variants(syntax[1:]):
                values: dict[str, str] = {}
                texts = []
                for slot in variant:
                    value = "" if slot is None else slot.literal or fixed.get(slot.name, "")
                    if slot is not None and not value:
                        value = self._sample(name, slot, command, theirs, fixed)
                    if slot is not None:
                        values[slot.name] = value
                        value = f'"{value.strip(chr(34))}"' if slot.quoted else value
                    texts.append(value)
                one = self._bound(f"AT{name}=" + ",".join(texts), variant, values)
                if isinstance(one.call, Call) or not _has_gap(variant, variants(syntax[1:])):
                    yield one

    def _each(self, syntax: str, chosen: list[dict[str, str]], command: Inventory) -> Iterator[dict[str, str]]:
        """What decides for the form, and with it each value of each enumeration that stands in the line."""
        names = [slot.name for slot in max(variants(syntax), key=len) if slot and slot.name]
        for fixed in chosen:
            yield fixed
            for name in names:
                described = None if name in fixed else _parameter(command, name, _deciding(fixed))
                if described is not None and described["type"] == "enum":
                    for value in _values(described):
                        yield fixed | {name: value}

    def _fixed(self, when: Inventory, command: Inventory) -> list[dict[str, str]]:
        """The values that decide for a form, each combination once."""
        found: list[dict[str, str]] = [{}]
        for key, told in when.items():
            wanted = told if isinstance(told, list) else []
            parameter = _parameter(command, key, "")
            if isinstance(told, str) and told.startswith("not ") and parameter:
                wanted = [value for value in _values(parameter) if value != told.removeprefix("not ")]
            if wanted:
                found = [old | {key: str(value)} for old in found for value in wanted]
        return found

    def _bound(self, text: str, slots: Variant, values: dict[str, str]) -> _Written:
        pieces = self.dialect.pieces(text.removeprefix("AT"))
        if len(pieces) != 1 or not isinstance(pieces[0], Statement):
            return _Written(text, slots, values, None, None)
        return _Written(text, slots, values, self.dialect.bind(pieces[0]), self.dialect.form_of(pieces[0]))

    def _sample(self, name: str, slot: Slot, command: Inventory, form: Inventory, fixed: dict[str, str]) -> str:
        own = self.habits.samples.get((f"{name}.{form['id']}", slot.name)) or self.habits.samples.get((name, slot.name))
        if own is not None:
            return own
        theirs = _parameter(command, slot.name, _deciding(fixed))
        kind = theirs.get("type") if theirs else "string"
        if theirs and kind == "enum":
            return _values(theirs)[0]
        bounds = theirs.get("range") if theirs else None
        if kind in ("int", "digits"):
            return str(max(bounds[0], 1)) if isinstance(bounds, list) else "1"
        return {"ip": '"10.0.0.1"', "ip6": '"2001:db8:0:0:0:0:0:53"', "hex": '"3031"', "host": '"host"'}.get(
            str(kind), '"a"'
        )

    def _unavailable(self, place: str, name: str, command: Inventory, one: _Written) -> None:
        """Values that the manual calls not available are refused."""
        for entry in command["parameters"]:
            for value, meaning in entry.get("values", {}).items():
                if meaning == "not available" and entry["name"] in one.values:
                    texts = [
                        one.values[slot.name] if slot.name != entry["name"] else str(value) for slot in one.slots if slot
                    ]
                    call = self._bound(f"AT{name}=" + ",".join(texts), (), {}).call
                    self.found.true(f"{place}.{entry['name']}.{value}", isinstance(call, Fault), "is taken")

    # -- parameters --------------------------------------------------------------------------------------------------

    def _parameters(
        self, place: str, name: str, theirs: Inventory, command: Inventory, ours: Command, good: list[_Written]
    ) -> None:
        """Each place of the longest line of each of the tables' forms that the syntax reaches."""
        longest: dict[int, _Written] = {}
        for one in good:
            known = longest.get(id(one.form))
            if known is None or len(one.slots) > len(known.slots):
                longest[id(one.form)] = one
        for one in longest.values():
            assert one.form is not None
            for at, slot in enumerate(one.slots):
                if slot is None or not slot.name:
                    continue
                taken = one.form.takes[min(at, len(one.form.takes) - 1)] if one.form.takes else ""
                described = _parameter(command, slot.name, _deciding(one.values))
                spot = f"{place}.{slot.name}"
                self.found.true(spot, described, "the inventory does not describe it")
                if described is None:
                    continue
                if taken.endswith("*"):
                    pairs = described["type"] == "list of string pairs" or "header" in slot.name
                    self.found.true(spot, pairs, f"{one.form.by or one.form.does} takes it unread ({taken})")
                    continue
                self._argument(spot, described, ours.arguments[taken.rstrip("?*")])

    def _argument(self, place: str, theirs: Inventory, ours: Argument) -> None:
        self.found.keys(
            place,
            theirs,
            "name type values range default unit max_len optional table quoted",
            "meaning note errata direction format basis printed_range printed",
        )
        kinds = TYPES.get(str(theirs["type"]))
        self.found.true(f"{place}.type", kinds, f"the comparison does not know the type {theirs['type']}")
        self.found.true(
            f"{place}.type", ours.kind in (kinds or ()), f"the manual: {theirs['type']}; the tables: {ours.kind}"
        )
        if theirs["type"] == "enum":
            self.found.same(f"{place}.values", sorted(_values(theirs)), sorted(_allowed(ours)))
        elif isinstance(theirs.get("range"), list):
            low, high = _bounds(ours)
            self.found.same(f"{place}.range", list(theirs["range"]), [low, high])
        if isinstance(theirs.get("default"), int):
            default = ours.default if ours.default is not None else ours.initial
            self.found.same(f"{place}.default", theirs["default"], default)
        if "unit" in theirs:
            self.found.same(f"{place}.unit", theirs["unit"].partition(" (")[0], ours.unit)
        if "max_len" in theirs:
            text = str(theirs["max_len"])
            digits = re.search(r"(\d+) digits", text) or re.search(r"^(\d+)", text)
            assert digits is not None, place
            only = re.search(r" for (\w+)$", text)
            if only is None or f".{only[1].lower()}." in place:
                self.found.same(f"{place}.max_len", int(digits[1]), ours.max_length)

    # -- answers -----------------------------------------------------------------------------------------------------

    def _outcomes(self, place: str, theirs: Inventory, command: Inventory, good: list[_Written]) -> None:
        """The lines of all ends of a form against those of the tables' forms that it reaches."""
        needed: dict[str, list[str]] = {"answer": [], "then": []}
        allowed: list[str] = ["OK", "ERROR"]
        allowed += [entry["shape"] for entry in self.data["unsolicited"] if entry["name"] in command["unsolicited"]]
        for outcome in theirs["outcomes"]:
            self.found.keys(
                f"{place}.outcomes", outcome, "when lines then then_per_packet then_per_connection enters", "note errata"
            )
            behind = [("then", line) for key, told in outcome.items() if key.startswith("then") for line in told]
            for part, line in [*(("answer", line) for line in outcome["lines"]), *behind]:
                text = line.get("line") if isinstance(line, dict) else line
                if text is None or text.startswith(("+CME ERROR", "ERROR", "MMM-", "WIP", "NONE")):
                    continue
                allowed.append(text)
                if text not in ("OK", "CONNECT") or "printed" not in outcome["when"]:
                    needed[part].append(text)
        forms = {id(one.form): one.form for one in good if one.form is not None}.values()
        parts = {
            "answer": [line for form in forms for line in answer_texts(self.dialect, form.answer)],
            "then": [line for form in forms for line in answer_texts(self.dialect, form.then)],
        }
        ours = self.tables.commands[good[0].call.name] if isinstance(good[0].call, Call) else None
        if theirs["kind"] == "test" and ours is not None and ours.ranges:
            parts["answer"] += [self.dialect.test_line(good[0].call.name if isinstance(good[0].call, Call) else ""), "OK"]
        for part, wanted in needed.items():
            for line in dict.fromkeys(wanted):
                self.found.true(f"{place}.{part}.{line}", _says(parts[part], line), f"is not in the tables' {part}")
        examples = [*command["examples"], *(step for one in self.data.get("sessions", []) for step in one["steps"])]
        for example in examples:
            sent = _filled(example.get("sends") or "")
            if sent and id(self._bound(sent, (), {}).form) in map(id, forms):
                allowed += [line for key in ("receives", "then") for line in example.get(key, [])]
        for line in dict.fromkeys([*parts["answer"], *parts["then"]]):
            known = any(_alike(line, other) for text in allowed for other in lines(text)) or "version" in place
            self.found.true(f"{place}.answer.{line}", known, "is no answer in the manual")
        for one in good:
            assert one.form is not None
            answered = (
                one.form.answer or (theirs["kind"] == "test" and ours is not None and ours.ranges) or not allowed[2:]
            )
            self.found.true(f"{place}.answer: {one.text}", answered, "has no answer in the tables")
            phase = _phase(theirs, one.values)
            if phase is not None:
                self.found.same(f"{place}.phase: {one.text}", phase, one.form.phase)

    def _example(self, place: str, example: Inventory) -> None:
        self.found.keys(
            place,
            example,
            "sends receives then sends_data receives_after_data for",
            "note errata section basis printed_sends printed_receives printed_then printed_receives_after_data",
        )
        heard = [*(example.get("receives") or []), *example.get("receives_after_data", [])]
        sent = example.get("sends")
        if sent is not None:
            first = re.match(r"i in (\d+)", example.get("for", ""))
            text = _filled(sent, int(first[1]) if first else 5)
            refused = any(isinstance(line, str) and line.startswith(("+CME ERROR", "ERROR")) for line in heard)
            call = self._bound(text, (), {}).call
            self.found.true(f"{place}.{sent}", isinstance(call, Call) or refused, f"is not understood: {call}")
            if isinstance(call, Call):
                self.found.true(f"{place}.{sent}.kept", self._kept(text), "is no example and in no transcript")
        for line in (*heard, *example.get("then", [])):
            text = _filled(line) if isinstance(line, str) else ""
            if re.match(r"[+\d]", text) and not text.startswith("+CME ERROR"):
                self.found.true(f"{place}.heard.{line}", self.dialect.hear(text), "no message of the tables is that line")

    def _kept(self, text: str) -> bool:
        """Whether it stands in a transcript, or an example of its form differs in texts and numbers alone."""
        if text.replace(" ", "") in self.elsewhere:
            return True
        mine = self._bound(text, (), {})
        return any(
            mine.form is form and _written_so(self.dialect, example) == _written_so(self.dialect, text)
            for command in self.tables.commands.values()
            for form in command.forms
            for example in form.examples
        )

    def _unsolicited(self, theirs: Inventory) -> None:
        place = f"unsolicited.{theirs['name']}"
        self.found.keys(
            place,
            theirs,
            "name shape shape_iprfmt_2 alternative class",
            "when errata note section printed_shape values attributes",
        )
        if theirs.get("class") == "prompt" or not theirs["shape"].startswith("+") or "CME ERROR" in theirs["shape"]:
            return
        said = [message.text for message in self.tables.messages.values()]
        for key in ("shape", "shape_iprfmt_2", "alternative"):
            for line in lines(theirs[key]) if key in theirs else []:
                self.found.true(f"{place}.{line}", _says(said, line), "is no message of the tables")

    # -- options, errors, limits -------------------------------------------------------------------------------------

    def _options(self) -> None:
        for section, entries in self.data["options"].items():
            groups = entries if isinstance(entries, dict) else {section: entries}
            for group, rows in groups.items():
                if group == "ranges":
                    continue
                ours_key = self.habits.options.get(group)
                place = f"options.{group}"
                self.found.true(place, ours_key is not None, "the comparison does not know this section")
                if ours_key is None:
                    continue
                if ours_key.startswith("arguments "):
                    self._rows_of_arguments(place, ours_key.removeprefix("arguments "), rows)
                    continue
                ours = self.tables.options.get(ours_key, {})
                names = {str(row.get("num", row.get("feature"))): row for row in rows}
                self.found.every(place, names, ours)
                for name, row in names.items():
                    if name in ours:
                        self._option(f"{place}.{name}", row, ours[name])

    def _option(self, place: str, theirs: Inventory, ours: Option) -> None:
        self.found.keys(
            place,
            theirs,
            "num name feature meaning access range default default_seen unit type format values max_len stored udp "
            "tcp_client tcp_server",
            "errata note runtime printed_range extra",
        )
        kinds = FORMATS.get(str(theirs.get("type", theirs.get("format", "int"))))
        if kinds is not None and theirs.get("access") != "none":
            self.found.true(f"{place}.type", ours.kind in kinds, f"the manual: {kinds}; the tables: {ours.kind}")
        bounds = theirs.get("range") or ([0, 1] if "bool" in (theirs.get("type"), theirs.get("format")) else None)
        if bounds is not None:
            self.found.same(f"{place}.range", list(bounds), list(_bounds(ours)))
        if "values" in theirs:
            self.found.same(f"{place}.values", sorted(map(str, theirs["values"])), sorted(_allowed(ours)))
        if theirs.get("default") is not None:
            self.found.same(f"{place}.default", theirs["default"], ours.default)
        if "default_seen" in theirs:
            self.found.true(
                f"{place}.default_seen", ours.default in theirs["default_seen"], f"the tables: {ours.default}"
            )
        self.found.same(f"{place}.unit", theirs.get("unit", ""), ours.unit)
        self.found.same(f"{place}.max_len", theirs.get("max_len"), ours.max_length)
        self.found.same(f"{place}.stored", theirs.get("stored", True), ours.stored)
        if "udp" in theirs:
            columns = {"udp": theirs["udp"], "tcp": theirs["tcp_client"], "server": theirs["tcp_server"]}
            access = " ".join(f"{key}:{value.lower()}" for key, value in columns.items() if value)
            granted = " ".join(part for part in ours.access.split() if not part.endswith(":none"))
            self.found.same(f"{place}.access", access, granted)
        else:
            self.found.same(f"{place}.access", ACCESS.get(theirs["access"], theirs["access"]), ours.access)

    def _rows_of_arguments(self, place: str, name: str, rows: list[Inventory]) -> None:
        """Settings that the tables keep as arguments of their command, in the same order."""
        command = self.tables.commands.get(name)
        self.found.true(place, command, f"there is no {name}")
        if command is None:
            return
        longest = max((form.takes for form in command.forms), key=len)
        ours = [command.arguments[taken.rstrip("?*")] for taken in longest][-len(rows) :]
        if "feature" in rows[0]:
            ours = [command.arguments[form.takes[-1]] for form in command.forms if form.takes]
            features = [value for form in command.forms for value in form.when.get("feature", ())]
            self.found.same(place, [row["feature"] for row in rows], features)
        self.found.same(f"{place}.rows", len(rows), len(ours))
        for row, argument in zip(rows, ours, strict=False):
            spot = f"{place}.{row.get('name', row.get('feature'))}"
            self.found.keys(spot, row, "name feature range default unit access values")
            if "values" in row:
                self.found.same(f"{spot}.values", sorted(map(str, row["values"])), sorted(_allowed(argument)))
            if row.get("range"):
                numbers = _allowed(argument)
                low, high = (int(min(numbers, key=int)), int(max(numbers, key=int))) if numbers else _bounds(argument)
                self.found.same(f"{spot}.range", list(row["range"]), [low, high])
            default = argument.default if argument.default is not None else argument.initial
            self.found.same(f"{spot}.default", row["default"], default)
            self.found.same(f"{spot}.unit", row.get("unit", ""), argument.unit)

    def _errors(self) -> None:
        theirs = self.data["errors"]
        rows = theirs if isinstance(theirs, list) else [*theirs["cme"], *theirs["tcpip"]]
        codes = {str(row["code"]): row for row in rows if "-" not in str(row["code"])}
        reserved = [str(row["code"]).split("-") for row in rows if "-" in str(row["code"])]
        self.found.every("errors", codes, self.tables.errors)
        for code in self.tables.errors:
            inside = any(int(low) <= int(code) <= int(high) for low, high in reserved)
            self.found.true(f"errors.{code}.reserved", not inside, "is reserved in the manual")
        self._error_texts("errors", codes, self.tables.errors)
        if isinstance(theirs, dict):
            messages = {str(row["code"]): row for row in theirs["cms"]}
            self.found.every("message_errors", messages, self.tables.message_errors)
            self._error_texts("message_errors", messages, self.tables.message_errors)

    def _error_texts(self, place: str, theirs: Inventory, ours: Any) -> None:
        for code, row in theirs.items():
            self.found.keys(f"{place}.{code}", row, "code text", "source group from conflicts errata printed_code")
            if code in ours:
                title = ours[code].title
                if self.habits.texts_travel:
                    self.found.same(f"{place}.{code}.text", row["text"], title)
                else:
                    self.found.true(f"{place}.{code}.text", title, "has no text")
                self.found.true(f"{place}.{code}.cause", ours[code].cause, "has no cause")

    def _limits(self) -> None:
        for name, theirs in self.data["limits"].items():
            known = name in self.habits.limits
            self.found.true(f"limits.{name}", known, "the comparison does not know this limit")
            if known and self.habits.limits[name]:
                for at, spot in enumerate(self.habits.limits[name].split()):
                    if spot == "-":
                        continue
                    factor, _, path = spot.rpartition("*")
                    wanted = _limit(theirs, at)
                    wanted = wanted * int(factor) if factor and isinstance(wanted, int) else wanted
                    self.found.same(f"limits.{name}.{path}", wanted, self._value_at(path))

    def _value_at(self, spot: str) -> Any:
        """The value at a place such as ``numbers.guard_ms``, ``options.+WIPBR.11.max_length``."""
        holder: Any = self.tables
        for key in spot.split("."):
            holder = holder.get(key) if isinstance(holder, dict) else getattr(holder, key, None)
            if holder is None:
                return None
        return holder


def _written_so(dialect: Dialect, text: str) -> list[Shape]:
    """How each value of a command is written."""
    (piece, *_) = dialect.pieces(text.removeprefix("AT"))
    shapes = [value.shape for value in piece.values] if isinstance(piece, Statement) else []
    while shapes and shapes[-1] is Shape.NOTHING:
        shapes.pop()
    return shapes


def _survives(theirs: Inventory) -> bool:
    """Whether what the command sets survives a power cycle."""
    if theirs.get("attributes", {}).get("persistent"):
        return True
    storage = str(theirs.get("storage", "none"))
    return storage != "none" and "power cycle" not in storage


def _limit(theirs: Any, at: int) -> Any:
    """The number, or the ends of a range one after the other, of a limit."""
    if isinstance(theirs, list):
        return theirs[at]
    if isinstance(theirs, dict) and "range" in theirs:
        return [*theirs["range"], theirs.get("default")][at]
    if isinstance(theirs, dict):
        return list(theirs.values())[at]
    if isinstance(theirs, str):
        numbers = [int(number) for number in re.findall(r"\d+", theirs)]
        return numbers[at] - theirs.startswith("under") if at < len(numbers) else theirs
    return theirs


def _deciding(values: dict[str, str]) -> str:
    return " ".join(f"{key} {value}" for key, value in values.items())


def _parameter(command: Inventory, name: str, deciding: str) -> Inventory | None:
    """The description of a parameter; of several of one name that whose remark in brackets fits what was written."""
    found: list[Inventory] = []
    for entry in command["parameters"]:
        plain, _, remark = entry["name"].replace("_", " ").partition(" (")
        names = re.split(r" \| |, ", plain)
        if name.replace("_", " ") in names and (
            not remark or remark.rstrip(")") in deciding or remark.rstrip(")").lower() in deciding.lower()
        ):
            found.append(entry)
    inward = [entry for entry in found if entry.get("direction") != "out"]
    if not inward:
        # A header's name and value are described as one list.
        listed = {"header name": "header list", "header value": "header list"}.get(name)
        return _parameter(command, listed, deciding) if listed else None
    return inward[0]


def _values(parameter: Inventory) -> list[str]:
    """The values of an enum, ranges written out, without those that are not available."""
    found: list[str] = []
    for key, meaning in parameter["values"].items():
        if meaning == "not available":
            continue
        low, dots, high = str(key).partition("..")
        found += [str(number) for number in range(int(low), int(high) + 1)] if dots else [low]
    return found


def _allowed(ours: ValueType | Option) -> list[str]:
    if ours.values:
        return list(ours.values)
    low, high = _bounds(ours)
    return (
        [str(number) for number in range(low, high + 1)] if low is not None and high is not None and high < 1000 else []
    )


def _bounds(ours: ValueType | Option) -> tuple[int | None, int | None]:
    if ours.kind == "port":
        return ours.minimum or 0, 65535 if ours.maximum is None else ours.maximum
    if ours.kind == "enum" and ours.values:
        numbers = [int(value) for value in ours.values]
        return min(numbers), max(numbers)
    return ours.minimum, ours.maximum


def _has_gap(variant: Variant, all_variants: Iterable[Variant]) -> bool:
    """Whether a longer variant has the same values with one more between them: left out, it may keep its comma."""
    names = [slot.name for slot in variant if slot]
    for other in all_variants:
        more = [slot.name for slot in other if slot]
        if len(more) > len(names) and more[: len(names)] != names and set(names) < set(more):
            return True
    return False


def _fields(text: str) -> list[str]:
    name, colon, values = text.partition(":")
    parts = re.findall(r'"[^"]*"|\([^)]*\)|[^,]+', values if colon else text)
    return [name if colon else "", *(part.strip().strip('"') for part in parts)]


def _alike(one: str, other: str) -> bool:
    """Whether two answer lines have the same name and values, holes fitting everything; ``{x*}`` all that is left."""
    mine, theirs = _fields(one), _fields(other)
    for at, (left, right) in enumerate(zip(mine, theirs, strict=False)):
        if left.endswith(("*}", "...")) or right.endswith(("*}", "...")):
            return True
        if at == 0 and left != right:
            return False
        if left != right and not _is_hole(left) and not _is_hole(right):
            return False
    return len(mine) == len(theirs)


def _is_hole(text: str) -> bool:
    return bool(re.fullmatch(r"<.*>|\{.*\}|\(.*\)|.*<.*>.*", text)) or text == "..."


def _says(said: Iterable[str], line: str) -> bool:
    return any(_alike(text, other) for text in said for other in lines(line))


def _filled(text: str, number: int = 5) -> str:
    """An example with its stand-ins filled."""
    text = text.replace("<400 hex digits>", "30" * 200).replace("<...>", "").replace("<any>", "0")
    text = re.sub(r"<(\d+)\+i>", lambda match: str(int(match[1]) + number), text).replace("<i>", str(number))
    text = re.sub(r"<(size|http status code)>", "1", text)
    return re.sub(r"<http status reason>", '"a"', text)


def _phase(form: Inventory, values: dict[str, str]) -> str | None:
    """The data phase that a form opens, by what it answers; None when the ends do not tell which."""
    if "prompt" in form:
        return "prompted"
    if "DUMP>" in form["syntax"] or form["syntax"].endswith(",<Data>"):
        return "hexadecimal"
    phases = set()
    for outcome in form["outcomes"]:
        only = re.match(r"modes? ([\d, ]+)", outcome["when"])
        if only and values.get("mode") not in re.split(r", ", only[1].strip()):
            continue
        words = [line if isinstance(line, str) else str(line.get("line", "")) for line in outcome["lines"]]
        if outcome.get("enters"):
            phases.add("transparent")
        elif "CONNECT" in words:
            phases.add("transparent" if form["id"] == "transparent" or values.get("dle_mode") == "1" else "escaped")
        elif any(word.startswith(("+WIPDATARW: 1", "+WIPDATARW: 2,")) for word in words):
            phases.add("hexadecimal")
    return phases.pop() if len(phases) == 1 else None if phases else ""
