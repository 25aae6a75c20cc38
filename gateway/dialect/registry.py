"""Finds and loads dialects. No list of dialects exists: the folder is the list.

A file may be the difference to another (``extends: <id>``, or ``extends: base/<name>`` for a file that several dialects
stand on and that is none itself): mappings are merged, everything else replaced, only the forms of a command may be given
as a mapping of what they do to what differs. ``remove:`` names entries, as ``section.name`` or a longer path (``*`` and
``?`` stand for anything), that the other has and this one has not; ``sections:`` says where in this dialect's manual
stands what the other has in its own.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, cast

from gateway.dialect.dialect import Dialect
from gateway.dialect.schema import SchemaError, Tables, build
from gateway.dialect.source import place_of, read_yaml
from gateway.errors import InputError, nearest
from gateway.resources import dialect_folders

_HEAD = re.compile(r"^(id|aliases): *(.+?) *(?:#.*)?$", re.MULTILINE)


@cache
def _files() -> dict[str, Path]:
    """Dialect id to file; a user's own folder wins."""
    found: dict[str, Path] = {}
    for folder in reversed(dialect_folders()):
        for path in sorted(path for path in folder.glob("*.yaml") if path.is_file()):
            found[path.stem] = path
    return found


@cache
def _aliases() -> dict[str, str]:
    """Alias to id, from the head of each file (a full parse would cost a command line its start-up time)."""
    result: dict[str, str] = {}
    for name, path in _files().items():
        head = dict(_HEAD.findall(_beginning(path)))
        for alias in head.get("aliases", "").strip("[] ").split(","):
            if alias.strip():
                result[alias.strip()] = name
    return result


def _beginning(path: Path) -> str:
    """Of a file that may be damaged: its own loading says so, not that of another."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(2000)
    except OSError:
        return ""


@cache
def _bases() -> dict[str, Path]:
    return {
        f"base/{path.stem}": path for folder in reversed(dialect_folders()) for path in sorted(folder.glob("base/*.yaml"))
    }


def ids() -> list[str]:
    """All dialect ids, sorted."""
    return sorted(_files())


def resolve(name: str) -> str:
    """The id that ``name``, an id or alias in any case, stands for. Raises :class:`InputError`."""
    wanted = name.strip().lower()
    wanted = _aliases().get(wanted, wanted)
    if wanted not in _files():
        known = ids() + sorted(_aliases())
        close = nearest(wanted, known)
        hint = f"did you mean {close!r}? " if close else ""
        raise InputError(f"unknown dialect {name!r}: {hint}known are {', '.join(ids())}")
    return wanted


@cache
def load(name: str) -> Dialect:
    """The dialect with this id or alias. Raises :class:`InputError` with file, line and column of a mistake."""
    wanted = resolve(name)
    path = _files()[wanted]
    data = _data(wanted, ())
    try:
        tables: Tables = build(Tables, data)
    except SchemaError as error:
        line, column = place_of(path, error.keys)
        raise InputError(f"{'.'.join(map(str, error.keys))}: {error}", file=str(path), line=line, column=column) from None
    if tables.id != wanted:
        line, column = place_of(path, ("id",))
        raise InputError(f"the id must be the file's name, {wanted!r}", file=str(path), line=line, column=column)
    _check_secrets(path, tables)
    return Dialect(tables)


def _check_secrets(path: Path, tables: Tables) -> None:
    for index, pattern in enumerate(tables.secrets):
        try:
            re.compile(pattern)
        except re.error as error:
            line, column = place_of(path, ("secrets", index))
            message = f"secrets.{index}: expected a regular expression: {error}"
            raise InputError(message, file=str(path), line=line, column=column) from None


def _data(name: str, above: tuple[str, ...]) -> dict[str, Any]:
    files = _files() | _bases()
    path = files[name]
    data = read_yaml(path)
    base = data.pop("extends", None)
    removed, sections = data.pop("remove", []), data.pop("sections", {})
    if base is None:
        return data
    if not isinstance(base, str) or base not in files or base in (*above, name):
        line, column = place_of(path, ("extends",))
        raise InputError(f"cannot extend {base!r}", file=str(path), line=line, column=column)
    for key, given, kind in (("remove", removed, list), ("sections", sections, dict)):
        if not isinstance(given, kind):
            line, column = place_of(path, (key,))
            expected = "a list" if kind is list else "keys and values"
            raise InputError(f"{key}: expected {expected}, found {given!r}", file=str(path), line=line, column=column)
    inherited = _data(base, (*above, name))
    for head in ("aliases", "demo"):
        inherited.pop(head, None)
    for index, entry in enumerate(removed):
        if not _remove(inherited, str(entry).split(".")):
            line, column = place_of(path, ("remove", index))
            raise InputError(f"{base} has no {entry}", file=str(path), line=line, column=column)
    _renumber(inherited, sections)
    try:
        return cast(dict[str, Any], _merge(inherited, data, ()))
    except SchemaError as error:
        line, column = place_of(path, error.keys)
        raise InputError(f"{base} has {error}", file=str(path), line=line, column=column) from None


def _remove(holder: Any, keys: list[str]) -> bool:
    """Take out the entries that ``keys`` lead to; whether there were any."""
    first, *rest = keys
    names = _named(holder, first)
    if rest:
        found = [_remove(holder[name], rest) for name in names]
        return any(found)
    for name in reversed(names):
        del holder[name]
    return bool(names)


def _named(holder: Any, pattern: str) -> list[Any]:
    """The keys of a mapping, or the places in a list (a form goes by what it does), that are written so."""
    if isinstance(holder, dict):
        return [name for name in holder if fnmatchcase(str(name), pattern)]
    if isinstance(holder, list):
        return [at for at, item in enumerate(holder) if fnmatchcase(_name_of(item), pattern)]
    return []


def _name_of(item: Any) -> str:
    return str(item.get("does", "") if isinstance(item, dict) else item)


def _renumber(entry: Any, sections: dict[str, str]) -> None:
    """Sections of another manual become this one's."""
    if isinstance(entry, list):
        for item in entry:
            _renumber(item, sections)
    elif isinstance(entry, dict):
        for key, item in entry.items():
            if key == "source" and isinstance(item, str):
                entry[key] = sections.get(item, item)
            else:
                _renumber(item, sections)


def _merge(base: Any, over: Any, keys: tuple[str | int, ...]) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _merge(base[key], item, (*keys, key)) if key in base else item for key, item in over.items()}
    if not (isinstance(base, list) and isinstance(over, dict)):
        return over
    merged = list(base)
    for key, item in over.items():
        places = [at for at, old in enumerate(base) if _name_of(old) == key]
        if not places:
            raise SchemaError(f"no form {key!r}", (*keys, key))
        for at in places:
            merged[at] = _merge(base[at], item, (*keys, key))
    return merged
