"""Finds and loads dialects. No list of dialects exists: the folder is the list.

A file may be the difference to another (``extends: <id>``, or ``extends: base/<name>`` for a file that several dialects
stand on and that is none itself): mappings are merged, everything else replaced; ``remove:`` names entries, as
``section.name``, that the other has and this one has not.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

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
        for path in sorted(folder.glob("*.yaml")):
            found[path.stem] = path
    return found


@cache
def _aliases() -> dict[str, str]:
    """Alias to id, from the head of each file (a full parse would cost a command line its start-up time)."""
    result: dict[str, str] = {}
    for name, path in _files().items():
        head = dict(_HEAD.findall(path.read_text(encoding="utf-8")[:2000]))
        for alias in head.get("aliases", "").strip("[] ").split(","):
            if alias.strip():
                result[alias.strip()] = name
    return result


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
    removed = data.pop("remove", [])
    if base is None:
        return data
    if base not in files or base in (*above, name):
        line, column = place_of(path, ("extends",))
        raise InputError(f"cannot extend {base!r}", file=str(path), line=line, column=column)
    inherited = _data(base, (*above, name))
    for head in ("aliases", "demo"):
        inherited.pop(head, None)
    merged = _merge(inherited, data)
    for index, entry in enumerate(removed):
        section, _, key = entry.partition(".")
        if key not in merged.get(section, {}):
            line, column = place_of(path, ("remove", index))
            raise InputError(f"{base} has no {entry}", file=str(path), line=line, column=column)
        del merged[section][key]
    return merged


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, item in over.items():
        old = result.get(key)
        result[key] = _merge(old, item) if isinstance(old, dict) and isinstance(item, dict) else item
    return result
