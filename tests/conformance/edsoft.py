"""Walks the inventory of the eDSoft manual (``edsoft.yaml``) and compares every entry with the tables."""

from __future__ import annotations

import copy
import re
from typing import Any

from conformance.comparison import Comparison, answer_texts, bind, codes_sent, legal, said_lines, shape, steps
from gateway.dialect.dialect import Call, Dialect, Fault
from gateway.dialect.firmware import Store
from gateway.dialect.nodes import Op
from gateway.dialect.schema import Command, Form, Parameter
from gateway.wire import settings
from gateway.wire.command import CommandLineReader, Line
from gateway.wire.framing import result, text_block

Inventory = dict[str, Any]

KINDS = {
    "int": "int",
    "enum": "enum",
    "char_enum": "letter",
    "string": "string",
    "text": "text",
    "phone": "phone",
    "caller_filter": "caller",
    "ip": "ip",
    "ip_or_host": "host",
    "port": "port",
    "address_list": "addresses",
}
GENERAL = {
    "unknown_mnemonic": "unknown_command",
    "syntax": "bad_syntax",
    "store_failed": "storage",
    "line_too_long": "too_long",
    "value_out_of_range": "bad_value",
    "bad_parameter_configuration": "not_allowed",
    "process_running_on_set": "setting_busy",
    "service_while_other_service_runs": "busy",
    "service_without_link": "no_bearer",
    "no_resource": "no_free_socket",
}
"""Names of the inventory's general errors to causes."""
NOT_OF_THE_DIALECT = {
    "+CPIN",
    "+CREG",
    "+CGREG",
    "+CGATT",
    "+IPR",
    "+IFC",
    "E",
    "Q",
    "V",
    "S0",
    "+CLIP",
    "+CRING",
    "RING",
}
"""Standard commands that the manual mentions: line discipline, or passed on."""
CAME_WITH_3_02 = {
    "WOPEN note",
    "FTPMODE",
    "second TCP socket (ids 1,2 in every TCP command)",
    "TCPTXDELAY",
    "DISPLAYIP response syntax",
    "CALLSCREENNUM 64 characters",
}


def differences(dialect: Dialect, data: Inventory, revision: str = "C") -> Comparison:
    """What the tables lack or have otherwise; revision B is the stack 2.10, by the inventory's marks."""
    walk = _Walk(dialect, data if revision == "C" else before_revision_c(data))
    walk.all(revision)
    return walk.found


def before_revision_c(data: Inventory) -> Inventory:
    """The inventory as its own revision marks say that it was for stack 2.10."""
    data = copy.deepcopy(data)
    last = next(entry for entry in data["history"] if entry["rev"] == "C")
    if set(last["added"]) != CAME_WITH_3_02 or last["changed"] != ["PPPMODE value 0 removed"]:
        raise AssertionError("the revision marks are not those that this comparison knows")
    gone = {"FTPMODE", "TCPTXDELAY"}
    data["commands"] = [command for command in data["commands"] if command["name"] not in gone]
    for command in data["commands"]:
        if command.pop("ids", None) is not None:
            _without_id(command)
        for key in ("reads",):
            command[key] = [name for name in command.get(key, []) if name not in gone]
        for response in command.get("responses", []):
            lines = response.get("sequence", [])
            response["sequence"] = [
                line for line in lines if not any(f"#{name}:" in line.get("dce", "") for name in gone)
            ]
            for line in response["sequence"]:
                if "dce" in line:
                    line["dce"] = line["dce"].replace("<id>,", "")
        if command["name"] == "PPPMODE":
            command["value"]["values"].append({"value": 0, "meaning": "modem only"})
        if command["name"] == "CALLSCREENNUM":
            del command["value"]["max_length"]
    order = data["display_order"]
    order["groups"] = {key: [name for name in names if name not in gone] for key, names in order["groups"].items()}
    order["VALL_blocks"] = [block for block in order["VALL_blocks"] if block["block"] != "tcp 2"]
    for block in order["VALL_blocks"]:
        block["names"] = [name for name in block["names"] if name not in gone]
    data["counts"]["parameter"] -= len(gone)
    data["counts"]["at_hash_total"] -= len(gone)
    return data


def _without_id(command: Inventory) -> None:
    name = command["name"]
    if command["kind"] == "parameter":
        command["forms"] = [
            {"op": "set", "syntax": f"AT#{name}=<value>"},
            {"op": "get", "syntax": f"AT#{name}?"},
        ]
        command["response_layout"] = command["response_layout"].replace("<id>,", "")
    else:
        command["forms"] = [{"op": "exec", "syntax": f"AT#{name}"}]


class _Walk:
    def __init__(self, dialect: Dialect, data: Inventory) -> None:
        self.dialect, self.tables, self.data = dialect, dialect.tables, data
        self.found = Comparison()
        self.sent = codes_sent(dialect)
        self.of_kind = {
            kind: self._commands(kind) for kind in ("parameter", "action", "display", "standard", "unsolicited")
        }

    def _commands(self, kind: str) -> dict[str, Inventory]:
        return {command["name"]: command for command in self.data["commands"] if command["kind"] == kind}

    def all(self, revision: str) -> None:
        """Every section of the inventory."""
        self.found.keys(
            "",
            self.data,
            "history counts dialect general_errors data_modes commands information_messages result_codes other_texts "
            "errors display_order",
            "inventory schema_version source",
        )
        self._history(revision)
        self._counts()
        self._dialect()
        self._general_errors()
        self._data_modes()
        for name, command in self.of_kind["parameter"].items():
            self._parameter(name, command)
        aliases = {name for name, command in self.of_kind["parameter"].items() if "alias_of" in command}
        self.found.every("parameters", self.of_kind["parameter"].keys() - aliases, self.tables.parameters)
        actions = self.of_kind["action"] | self.of_kind["display"]
        for name, command in actions.items():
            self._command(name, command)
        own = {f"#{name}" for name in actions} | {"+WOPEN"}
        self.found.every("commands", own, self.tables.commands)
        self._standard()
        self._texts()
        self._errors()
        self._displays()

    # -- the document as a whole -------------------------------------------------------------------------------------

    def _history(self, revision: str) -> None:
        entry = next((entry for entry in self.data["history"] if entry["rev"] == revision), None)
        self.found.true("history", entry, f"no revision {revision}")
        if entry is None:
            return
        dates = {document.revision: document.date for document in self.tables.documents.values()}
        self.found.same(f"history.{revision}.date", entry["date"], dates.get(revision))
        self.found.same(f"history.{revision}.stack", entry["stack"], self.dialect.id.partition("-")[2])
        for entry in self.data["history"]:
            self.found.keys(f"history.{entry['rev']}", entry, "rev date stack", "firmware added changed")

    def _counts(self) -> None:
        counts = self.data["counts"]
        ours = {
            "parameter": len(self.tables.parameters),
            "parameter_entry_form": sum(parameter.entry == "list" for parameter in self.tables.parameters.values()),
            "action": sum(not command.shows and not self._shows(name) for name, command in self._own_commands()),
            "display": sum(bool(command.shows) or self._shows(name) for name, command in self._own_commands()),
            "standard": len(NOT_OF_THE_DIALECT - {"+CRING", "RING"}) + ("+WOPEN" in self.tables.commands),
            "unsolicited": 2,
            "error_codes": len([code for code in self.tables.errors if self.tables.errors[code].source == "ch. 9"]),
        }
        ours["at_hash_total"] = ours["parameter"] + ours["parameter_entry_form"] + ours["action"] + ours["display"]
        for name, count in counts.items():
            self.found.same(f"counts.{name}", count, ours.get(name))

    def _own_commands(self) -> list[tuple[str, Command]]:
        return [(name, command) for name, command in self.tables.commands.items() if name.startswith("#")]

    def _shows(self, name: str) -> bool:
        return any(form.does.startswith("show") for form in self.tables.commands[name].forms)

    def _dialect(self) -> None:
        ours, theirs = self.tables, self.data["dialect"]
        same, place = self.found.same, "dialect"
        self.found.keys(
            place,
            theirs,
            "prefix prefix_case_sensitive mnemonic_case_sensitive command_terminator general_forms legacy_forms "
            "responses persistence when_settable dns timeouts control_characters value_rules serial ATQ",
            "names ATE pacing stack_open concurrency ppp",
        )
        same(f"{place}.prefix", theirs["prefix"], f"AT{ours.own[0]}")
        name = next(iter(ours.commands))
        reader = CommandLineReader(settings.LineSettings(), ours.lines.limit_bytes)
        read, _ = reader.feed(f"at{name}\r".encode(), 0, 0.0)
        same(f"{place}.prefix_case_sensitive", theirs["prefix_case_sensitive"], not isinstance(read, Line))
        understood = self._understood(f"AT{name.lower()}")
        same(f"{place}.mnemonic_case_sensitive", theirs["mnemonic_case_sensitive"], not understood)
        same(f"{place}.command_terminator", theirs["command_terminator"], f"CR (0x{settings.CR:02X})")
        for key, syntax in theirs["general_forms"].items():
            self._general_form(f"{place}.general_forms.{key}", key, syntax)
        for key, syntax in theirs["legacy_forms"].items():
            for text in [syntax] if isinstance(syntax, str) and syntax.startswith("AT") else syntax:
                if key in ("set", "get", "exec"):
                    understood = self._understood(text.replace("<value>", "31000"))
                    self.found.true(f"{place}.legacy_forms.{text}", understood, "is not understood")
        self._responses(f"{place}.responses", theirs["responses"])
        same(f"{place}.ATQ", theirs["ATQ"], "suppresses responses" if ours.lines.quiet_hides_text else "")
        rules = theirs["value_rules"]
        self.found.true(f"{place}.value_rules.string", self._understood(f'AT#APNSERV="{rules["string"]}"'), "is refused")
        for text in ("AT#PINGNUM=4", 'AT#PINGNUM="4"', "AT#PINGNUM = 4"):
            self.found.true(f"{place}.value_rules.{text}", self._understood(text), "is refused")
        persistence = theirs["persistence"]
        same(f"{place}.persistence.save_command", persistence["save_command"], None)
        erase = persistence["erase"].partition(" then ")[0]
        self.found.true(f"{place}.persistence.erase", self._understood(erase), f"{erase} is not understood")
        self.found.true(
            f"{place}.persistence.stored",
            bool(ours.commands.get("#DELFLASH") and ours.commands["#DELFLASH"].stored),
            "no word of what is stored",
        )
        same(f"{place}.when_settable", str(theirs["when_settable"]["error_when_refused"]), self._code("setting_busy"))
        same(f"{place}.dns.failure", str(theirs["dns"]["failure"]), self._code("name_not_resolved"))
        characters = {"ETX": settings.ETX, "DLE": settings.DLE, "SUB": settings.SUB}
        for key, number in characters.items():
            same(f"{place}.control_characters.{key}", theirs["control_characters"][key][:4], f"0x{number:02X}")
        for limit in theirs["timeouts"]:
            self._timeout(f"{place}.timeouts.{limit['name']}", limit)

    def _general_form(self, place: str, key: str, syntax: str) -> None:
        mnemonic = "TCPSERV" if "indexed" in key else "APNSERV"
        if key == "exec":
            mnemonic = "VVERSION"
        if key == "exec_indexed":
            mnemonic = "OTCP"
        if key == "text_entry":
            mnemonic = "BODY1"
        indexed = "indexed" in key and not self.tables.socket_ids
        text = syntax.partition("<CR>")[0].replace("<Mnemonic>", mnemonic).replace("<Value>", '"a"').replace("<id>", "1")
        self.found.true(place, indexed or self._understood(text), f"{text} is not understood")

    def _responses(self, place: str, theirs: Inventory) -> None:
        lines = self.tables.lines
        self.found.keys(place, theirs, "get set_ATV1 set_ATV0 indication_ATV1 indication_ATV0 error", "applies_when")
        told = settings.LineSettings()
        framed = {"set_ATV1": result("OK", told, self.dialect.framing), "indication_ATV1": text_block(["<text>"], told)}
        for key, data in framed.items():
            ours = data.decode().replace("\r", "CR ").replace("\n", "LF ").replace("OK", "OK ").replace(">", "> ").strip()
            self.found.same(f"{place}.{key}", theirs[key], ours)
        self.found.same(
            f"{place}.error.format", theirs["error"]["format"].replace("<5-digit code>", "{code}"), lines.error
        )
        numeric = lines.numeric_result.replace("\r", "CR ").replace("{code}", "{0} ").strip()
        self.found.same(f"{place}.set_ATV0", theirs["set_ATV0"], numeric.replace("{0}", "0"))
        self.found.same(f"{place}.indication_ATV0", theirs["indication_ATV0"].replace("<numeric code>", "{0}"), numeric)
        self.found.same(f"{place}.get.depends_on_ATV", theirs["get"]["depends_on_ATV"], lines.numeric_after_text)

    def _timeout(self, place: str, limit: Inventory) -> None:
        numbers = self.tables.numbers
        match = re.search(r"(\d+)(?:-(\d+))? (min|s)\b(?: \((\d+)\))?", limit["value"])
        if match is None:
            self.found.true(place, False, "the comparison does not understand this limit")
            return
        said = re.search(r"[A-Z]+$|^\d+$", str(limit["effect"]))
        self.found.true(f"{place}.effect", said is None or said[0] in self.sent, f"{limit['effect']}: is never sent")
        if match[2]:
            ours = self.tables.parameters[limit["name"]]
            values = (ours.minimum, ours.maximum, ours.unit, ours.default)
            self.found.same(place, (int(match[1]), int(match[2]), match[3], int(match[4])), values)
            return
        seconds = int(match[1]) * (60 if match[3] == "min" else 1)
        key = {"SMTP server silence": "mail_server_silence_s", "PUTMAIL serial silence": "mail_silence_s"}[limit["name"]]
        self.found.same(place, seconds, numbers.get(key))

    def _general_errors(self) -> None:
        theirs = self.data["general_errors"]
        for key, code in theirs.items():
            place = f"general_errors.{key}"
            if key in GENERAL:
                self.found.same(place, str(code), self._code(GENERAL[key]))
            elif isinstance(code, list):
                missing = [str(one) for one in code if str(one) not in self.tables.errors]
                self.found.same(place, [], missing)
            else:
                self.found.true(place, key == "note", "the comparison does not know this error")

    def _code(self, cause: str) -> str | None:
        return next((code for name, code in self.tables.causes.items() if name.value == cause), None)

    def _data_modes(self) -> None:
        for row in self.data["data_modes"]:
            for service in row["service"].split("/"):
                place = f"data_modes.{service}.{row['dlemode']}"
                self.found.keys(place, row, "service dlemode enter host_end dce_end_ok escape", "dce_end_error")
                if row["dlemode"] == 0:
                    self.found.true(place, "0" in self.tables.parameters["DLEMODE"].values, "#DLEMODE has no 0")
                    self.found.same(place, None, row["escape"])
                    continue
                mail = "0D 0A 2E 0D 0A" in (row["host_end"], row["dce_end_ok"])
                phase = "mail" if mail else "escaped" if str(row["escape"]).startswith("DLE") else "transparent"
                forms = self._forms(f"#{service}")
                self.found.same(f"{place}.phase", {phase}, {form.phase for form in forms})
                said = {text for form in forms for text in answer_texts(self.dialect, (*form.answer, *form.then))}
                self.found.true(f"{place}.enter", row["enter"] in said, f"{row['enter']} is not among its answers")

    def _forms(self, name: str) -> tuple[Form, ...]:
        command = self.tables.commands.get(name)
        return command.forms if command else ()

    # -- parameters --------------------------------------------------------------------------------------------------

    def _parameter(self, name: str, theirs: Inventory) -> None:
        place = f"parameters.{name}"
        self.found.keys(
            place,
            theirs,
            "name kind section forms displayed_in value default quoted_in_response response_layout ids alias_of "
            "text_entry_mode reads",
            "title source_line read_by notes errata empty_printed_as side_effects",
        )
        target = theirs.get("alias_of", name)
        ours = self.tables.parameters.get(target)
        if ours is None:
            return  # told by the list of names
        self._value(f"{place}.value", theirs["value"], ours)
        if target == name:
            self.found.same(f"{place}.default", "" if theirs["default"] is None else theirs["default"], ours.default)
            self.found.same(f"{place}.section", theirs["section"].partition(" ")[0], _chapter(ours.source))
            self.found.same(f"{place}.ids", tuple(theirs.get("ids", ())), self.tables.socket_ids if ours.indexed else ())
            self._read_back(place, name, theirs, ours)
        for form in theirs["forms"]:
            self._parameter_form(f"{place}.forms.{form['syntax']}", target, form, ours)
        entry = {form["op"] for form in theirs["forms"]} & {"add", "enter"}
        self.found.same(f"{place}.entry", {"add": "list", "enter": "text"}.get("".join(entry), ""), ours.entry)
        if "text_entry_mode" in theirs:
            mode = theirs["text_entry_mode"]
            self.found.keys(f"{place}.text_entry_mode", mode, "entered_by ended_by", "separator prompt escape response")
            entered = mode["entered_by"].removesuffix("<CR>")
            self.found.same(f"{place}.text_entry_mode.entered_by", "parameter_entry", self._does(entered))
            self.found.true(
                f"{place}.text_entry_mode.ended_by", f"0x{settings.SUB:02X}" in mode["ended_by"], "another end"
            )
        for display in theirs["displayed_in"]:
            shown = {entry.partition(":")[0] for block in self._blocks(display) for entry in block}
            self.found.true(f"{place}.displayed_in.{display}", name in shown, "is not shown there")

    def _blocks(self, display: str) -> tuple[tuple[str, ...], ...]:
        command = self.tables.commands.get(f"#{display}")
        return command.shows if command else ()

    def _value(self, place: str, theirs: Inventory, ours: Parameter) -> None:
        self.found.keys(
            place,
            theirs,
            "type min max step unit max_length max_items item_max_length values digits charset notation",
            "note",
        )
        self.found.same(f"{place}.type", KINDS.get(theirs["type"]), ours.kind)
        low, high = ours.minimum, ours.maximum
        if ours.kind == "port":
            low, high = low or 0, high or 65535
        self.found.same(f"{place}.range", (theirs.get("min"), theirs.get("max")), (low, high))
        self.found.same(f"{place}.step", theirs.get("step"), ours.step)
        self.found.same(f"{place}.unit", theirs.get("unit", ""), ours.unit)
        length = theirs.get("max_length") or theirs.get("item_max_length")
        self.found.same(f"{place}.max_length", length, ours.max_length)
        self.found.same(f"{place}.max_items", theirs.get("max_items"), ours.max_items)
        if ours.also:
            self.found.same(f"{place}.also", (), ours.also)
        values = [str(entry["value"]) for entry in theirs.get("values", [])]
        if theirs["type"] == "caller_filter":
            for value in values:
                written = value.replace("<phone number>", "0123456789")
                self.found.true(
                    f"{place}.values.{value}", self._understood(f'AT#{place.split(".")[1]}="{written}"'), "refused"
                )
        else:
            self.found.every(f"{place}.values", values, ours.values)
        name = place.split(".")[1].removesuffix("ADD")
        if "digits" in theirs:
            most = int(theirs["digits"].partition("-")[2])
            self.found.true(f"{place}.digits", not self._sets(name, "0" * most + "1"), "takes more digits")
            self.found.true(f"{place}.digits.most", self._sets(name, "0" * (most - 1) + "1"), "takes fewer digits")
        if "charset" in theirs:
            self.found.true(f"{place}.charset", not self._sets(name, '"\xe9"'), "takes what is no ASCII")
            letters = self._sets(name, '"abc"')
            self.found.same(f"{place}.charset.letters", "alphanumeric" in theirs["charset"], letters)

    def _sets(self, name: str, value: str) -> bool:
        ours = self.tables.parameters[name]
        index = "1," if ours.indexed and self.tables.socket_ids else ""
        call = bind(self.dialect, f"AT#{name}={index}{value}")
        return isinstance(call, Call) and call.op is Op.SET

    def _parameter_form(self, place: str, name: str, form: Inventory, ours: Parameter) -> None:
        self.found.keys(place, form, "op syntax end", "body")
        for number in self.tables.socket_ids if "<id>" in form["syntax"] else (0,):
            value = legal(ours)
            text = form["syntax"].removesuffix("<CR>").replace("<id>", str(number))
            text = text.replace('"<address>"', value).replace("<value>", value)
            call = bind(self.dialect, text)
            expected = {"set": Op.SET, "get": Op.READ, "add": Op.EXEC, "enter": Op.EXEC}[form["op"]]
            self.found.true(place, isinstance(call, Call), f"{text} is not understood: {call}")
            if isinstance(call, Call):
                does = "parameter_entry" if form["op"] in ("add", "enter") else "parameter"
                found = (call.op, call.does, call.text("parameter"), call.number("id"))
                self.found.same(place, (expected, does, name, number), found)
        if "end" in form:
            self.found.same(f"{place}.end", form["end"], f"0x{settings.SUB:02X}")
        if form["op"] == "set" and ours.effect == "used":
            text = form["syntax"].replace("<id>", "1").replace('"<address>"', legal(ours)).replace("<value>", legal(ours))
            stored = [step for step in steps(self.dialect, text) if isinstance(step, Store)]
            self.found.true(f"{place}.stored", stored, "is not stored at once")

    def _read_back(self, place: str, name: str, theirs: Inventory, ours: Parameter) -> None:
        index = "=1" if ours.indexed and self.tables.socket_ids else "?"
        value = legal(ours).strip('"')
        stored: dict[str, str | int] = {f"{name}.1" if ours.indexed else name: value}
        layout = theirs["response_layout"].replace("<id>", "1").replace("<value>", value)
        self.found.same(f"{place}.response_layout", [layout], said_lines(self.dialect, f"AT#{name}{index}", stored))
        self.found.same(f"{place}.quoted_in_response", theirs["quoted_in_response"], layout.endswith('"'))

    # -- commands ----------------------------------------------------------------------------------------------------

    def _command(self, name: str, theirs: Inventory) -> None:
        place, ours = f"commands.#{name}", self.tables.commands.get(f"#{name}")
        self.found.keys(
            place,
            theirs,
            "name kind section forms ids reads responses errors data_mode",
            "title source_line preconditions side_effects notes errata",
        )
        if ours is None:
            return
        self.found.same(f"{place}.section", theirs["section"].partition(" ")[0], _chapter(ours.source))
        for form in theirs["forms"]:
            self.found.keys(f"{place}.forms.{form['syntax']}", form, "op syntax", "note")
            self.found.same(f"{place}.forms.{form['syntax']}.op", form["op"], "exec")
            self._command_form(f"{place}.forms.{form['syntax']}", form["syntax"], theirs.get("ids", [0]))
        for at, form in enumerate(ours.forms):
            self.found.true(f"{place}.answer.{form.op}.{at}", form.answer, "has no answer in the tables")
        taken = {form.op for form in ours.forms}
        self.found.same(f"{place}.op", set(), taken - {"exec", "set"})
        self.found.true(f"{place}.read", not self._understood(f"AT#{name}?"), f"AT#{name}? is understood")
        self.found.true(f"{place}.test", not self._understood(f"AT#{name}=?"), f"AT#{name}=? is understood")
        if "ids" in theirs:
            wrong = bind(self.dialect, f"AT#{name}={max(theirs['ids']) + 1}")
            self.found.true(f"{place}.ids", isinstance(wrong, Fault), "a third id is taken")
        if theirs["kind"] == "display" and ours.shows and name != "VALL":
            shown = {entry for block in ours.shows for entry in block}
            self.found.every(f"{place}.reads", theirs["reads"], shown)
        self._answers(place, theirs, ours)
        codes = [str(code) for code in theirs["errors"]["named"]]
        for code in codes:
            self.found.true(f"{place}.errors.{code}", code in self.tables.errors, "is not in the table")
            self.found.true(f"{place}.errors.{code}.sent", code in self.sent, "is never sent")
        for likely in theirs["errors"]["likely"]:
            self.found.true(f"{place}.errors.{likely}", str(likely) in self.tables.errors, "is not in the table")
        mode = theirs.get("data_mode")
        phases = {form.phase for form in ours.forms}
        self.found.same(f"{place}.data_mode", mode is not None, phases != {""})
        if mode:
            ends = f"{mode.get('host_ends_with', '')} {mode['dce_ends_with']}"
            phase = "mail" if "0D 0A 2E 0D 0A" in ends else "escaped"
            self.found.same(f"{place}.data_mode.phase", {phase}, phases)
            texts = answer_texts(self.dialect, [one for form in ours.forms for one in (*form.answer, *form.then)])
            self.found.true(f"{place}.data_mode.enter", mode["enter"] in texts, f"{mode['enter']} is no answer")
            self.found.keys(
                f"{place}.data_mode", mode, "enter dce_ends_with host_ends_with", "direction host_may_end escaping echo"
            )

    def _command_form(self, place: str, syntax: str, ids: list[int]) -> None:
        for number in ids if "<id>" in syntax else [0]:
            text = syntax.replace("<id>", str(number))
            call = bind(self.dialect, text)
            self.found.true(place, isinstance(call, Call), f"{text} is not understood: {call}")
            if isinstance(call, Call):
                self.found.same(place, number, call.number("id"))

    def _answers(self, place: str, theirs: Inventory, ours: Command) -> None:
        """Every line of every good end, and no others; lines that the manual itself disputes may be there or not."""
        needed: set[str] = set()
        allowed: set[str] = {"OK"}
        for response in theirs["responses"]:
            lines = response["sequence"]
            self.found.keys(f"{place}.responses", response, "sequence", "case retry")
            for code in (str(code) for line in lines for code in line.get("codes", [])):
                self.found.true(f"{place}.responses.{code}", code in self.tables.errors, "is not in the table")
                self.found.true(f"{place}.responses.{code}.sent", code in self.sent, "is never sent")
            if any(line.get("class") == "error" for line in lines):
                for line in lines:
                    code = re.search(r"[0-9]{5}", line.get("dce", ""))
                    self.found.true(f"{place}.responses.{line}", not code or code[0] in self.sent, "is never sent")
                continue
            words = [line["dce"] for line in lines if "dce" in line]
            if len(words) == 1 and words[0] != "OK" and lines[0]["class"] == "result":
                self.found.true(f"{place}.{words[0]}", words[0] in self.sent, "is never sent")
                self._numeric(f"{place}.{words[0]}.numeric", lines[0])
                continue
            for line in lines:
                if "dce" not in line or line["dce"].startswith("("):
                    continue
                text = shape(_printed(line["dce"]))
                allowed.add(text)
                if "disputed" not in line:
                    needed.add(text)
                self._numeric(f"{place}.{text}.numeric", line)
        said = self._said(ours)
        for text in sorted(needed - said):
            self.found.true(f"{place}.answer.{text}", False, "is no answer in the tables")
        for text in sorted(said - allowed):
            self.found.true(f"{place}.answer.{text}", False, "is no answer in the manual")

    def _said(self, ours: Command) -> set[str]:
        names = [name for form in ours.forms for name in (*form.answer, *form.then)]
        said = {shape(text) for text in answer_texts(self.dialect, names)}
        for name in names:
            message = self.tables.messages.get(name) or self.tables.information.get(name)
            if message is not None:
                said |= {spelling for spelling in message.spellings if spelling.startswith("#")}
        blocks = ours.shows if len(ours.shows) == 1 else ()
        if len(ours.shows) > 1:
            said.add(self.tables.identity["name"])
        for block in blocks:
            for entry in block:
                indexed = self.tables.parameters[entry].indexed and self.tables.socket_ids
                said.add(f"#{entry}: *,*" if indexed else f"#{entry}: *")
        return said

    def _numeric(self, place: str, line: Inventory) -> None:
        if line.get("class") not in ("result", "information") or line.get("numeric") is None:
            return
        numbers = self.tables.results | {one.text: one.number for one in self.tables.information.values()}
        self.found.same(place, line["numeric"], numbers.get(line["dce"]))

    def _standard(self) -> None:
        for name, theirs in (self.of_kind["standard"] | self.of_kind["unsolicited"]).items():
            place = f"commands.{name}"
            self.found.keys(
                place, theirs, "name kind forms unsolicited responses reads", "title section source_line notes errata"
            )
            for line in (line for response in theirs.get("responses", []) for line in response["sequence"]):
                self._numeric(f"{place}.{line['dce']}.numeric", line)
            if name in NOT_OF_THE_DIALECT:
                self.found.true(place, not self.dialect.owns(name), "is taken for the dialect's own")
                continue
            for form in theirs["forms"]:
                text = form["syntax"]
                self.found.true(f"{place}.forms.{text}", self._understood(text), f"{text} is not understood")

    # -- what is said ------------------------------------------------------------------------------------------------

    def _texts(self) -> None:
        numbers = {one.number: one for one in self.tables.information.values()}
        for theirs in self.data["information_messages"]:
            place = f"information_messages.{theirs['numeric']}"
            self.found.keys(place, theirs, "numeric table_verbose recommended_verbose seen_spellings", "meaning")
            ours = numbers.get(theirs["numeric"])
            self.found.true(place, ours, "is missing")
            if ours is None:
                continue
            self.found.same(f"{place}.text", theirs["recommended_verbose"], ours.text)
            spellings = {*theirs["seen_spellings"], theirs["table_verbose"], theirs["recommended_verbose"]}
            others = {text["text"] for text in self.data["other_texts"]}
            self.found.every(f"{place}.spellings", spellings, {ours.text, *ours.spellings} - others)
        self.found.same("information_messages", len(self.data["information_messages"]), len(self.tables.information))
        results = {entry["verbose"]: entry["numeric"] for entry in self.data["result_codes"]}
        self.found.every("result_codes", results, self.tables.results)
        for word, number in results.items():
            self.found.same(f"result_codes.{word}.number", number, self.tables.results.get(word))
        said = {shape(text) for message in self.tables.messages.values() for text in (message.text, *message.spellings)}
        said |= {spelling for message in self.tables.information.values() for spelling in message.spellings}
        for theirs in self.data["other_texts"]:
            text = shape(theirs["text"])
            self.found.keys(f"other_texts.{text}", theirs, "text numeric", "where")
            self.found.true(f"other_texts.{text}", text in said or text in self.sent, "is nowhere in the tables")
            self.found.same(f"other_texts.{text}.numeric", theirs["numeric"], None)

    def _errors(self) -> None:
        theirs = {str(entry["code"]): entry for entry in self.data["errors"]}
        self.found.every("errors", theirs, self.tables.errors)
        for code, entry in theirs.items():
            self.found.keys(f"errors.{code}", entry, "code text tied_to", "layer source_line")
            if code in self.tables.errors:
                self.found.same(f"errors.{code}.text", entry["text"], self.tables.errors[code].title)
            for tied in entry["tied_to"]:
                name = tied.partition(" ")[0]
                self.found.true(f"errors.{code}.tied_to.{name}", f"#{name}" in self.tables.commands, "no such command")
                self.found.true(f"errors.{code}.sent", code in self.sent, "is never sent")

    # -- displays ----------------------------------------------------------------------------------------------------

    def _displays(self) -> None:
        theirs = self.data["display_order"]
        self.found.keys("display_order", theirs, "rule groups VALL_blocks printed_samples recommended_default_output")
        for name, parameters in theirs["groups"].items():
            self.found.same(f"display_order.groups.{name}", (tuple(parameters),), self._blocks(name))
        blocks = [tuple(block["names"]) for block in theirs["VALL_blocks"] if block["names"]]
        ours = [tuple(entry.partition(":")[0] for entry in block) for block in self._blocks("VALL")]
        self.found.same("display_order.VALL_blocks", blocks, ours)
        for name, lines in theirs["printed_samples"].items():
            if name != "note":
                self._sample(f"display_order.printed_samples.{name}", name, lines)
        recommended = theirs["recommended_default_output"]
        self.found.same(
            "display_order.recommended_default_output.FTPTYPE",
            [recommended["FTPTYPE"]],
            said_lines(self.dialect, "AT#FTPTYPE?"),
        )
        self.found.same(
            "display_order.recommended_default_output.empty_string",
            [f"#APNSERV: {recommended['empty_string']}"],
            said_lines(self.dialect, "AT#APNSERV?"),
        )
        for place in ("VTCP", "VMAILi"):
            lines = [line.replace("i:", "1:") for line in recommended[place] if line != "OK"]
            command = place.replace("i", "1") + ("=2" if place == "VTCP" and self.tables.socket_ids else "")
            names = [line[1:].partition(":")[0] for line in lines]
            ours = [line[1:].partition(":")[0] for line in said_lines(self.dialect, f"AT#{command}")]
            known = [name for name in names if name in self.tables.parameters]
            self.found.same(f"display_order.recommended_default_output.{place}", known, ours)
        self.found.same(
            "display_order.recommended_default_output.VSTATE_no_service",
            recommended["VSTATE_no_service"],
            [self.dialect.say("state", state=self.tables.states["no_service"]), "OK"],
        )

    def _sample(self, place: str, name: str, lines: list[str]) -> None:
        """A printed display, its values stored, its misprints set right (S01, S08, S09, U02, U04, U06)."""
        if name in ("VVERSION", "VSTATE") or name.startswith("DISPLAYIP"):
            said = said_lines(self.dialect, f"AT#{name}")
            texts = [shape(message.text) for message in self.tables.messages.values()]
            for line in lines:
                sentence = line == "OK" or line in said or shape(re.sub(r"(?<=: ).*", "<x>", line)) in texts
                self.found.true(f"{place}.{line}", sentence, "is not said")
            return
        if not self.tables.socket_ids and "=" in name:
            return  # an example with an id
        stored: dict[str, str | int] = {}
        expected = [self.tables.identity["name"]] if name == "VALL" else []
        for line in lines:
            match = re.fullmatch(r"#?(\w+)(?:: (?:= )?(?:([12]),)?|=)(.*)", line)
            if match is None:
                continue
            mnemonic = {"TCPPOINT": "TCPPORT", "DELMODE": "DLEMODE"}.get(match[1], match[1])
            parameter = self.tables.parameters.get(mnemonic)
            if parameter is None or (match[2] == "2" and not self.tables.socket_ids):
                continue  # of the newer revision
            value = match[3].strip('"').strip()
            value = "I" if mnemonic == "FTPTYPE" else value
            index = f"{match[2]}," if match[2] and self.tables.socket_ids else ""
            stored[f"{mnemonic}.{match[2] or 1}" if parameter.indexed else mnemonic] = value
            quotes = '"' if '"' in line or line.endswith("=") else ""
            expected.append(f"#{mnemonic}: {index}{quotes}{value}{quotes}")
        said = [line for line in said_lines(self.dialect, f"AT#{name}", stored) if line]
        self.found.same(place, expected, said)

    def _understood(self, text: str) -> bool:
        return isinstance(bind(self.dialect, text), Call)

    def _does(self, text: str) -> str:
        call = bind(self.dialect, text)
        return call.does if isinstance(call, Call) else ""


def _chapter(source: str) -> str:
    match = re.match(r"ch\. (\d+)", source)
    return match[1] if match else source


def _printed(text: str) -> str:
    """A printed line as its errata set it right."""
    text = text.replace("= 1 (as printed)", "<s>")  # U02
    text = text.replace("= (printed without value)", ": <s>")  # U04
    return re.sub(r'#STATE: "[A-Z ]+"', '#STATE: "<state>"', text)
