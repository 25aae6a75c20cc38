"""Reading YAML so that every mistake can be shown at its file, line and column.

The loader is strict: a key twice is an error, and only ``true``/``false`` are booleans, only decimal digits integers
(``off``, ``12:30``, ``00101`` stay text).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from gateway.errors import InputError

try:
    from yaml import CSafeLoader as _Base
except ImportError:  # PyYAML without libyaml: slower, otherwise the same
    from yaml import SafeLoader as _Base  # type: ignore[assignment]


class _StrictLoader(_Base):
    pass


_StrictLoader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|false)$", "tf"),
    ("tag:yaml.org,2002:int", r"^(?:0|-?[1-9][0-9]*)$", "-0123456789"),
    ("tag:yaml.org,2002:float", r"^-?[0-9]+\.[0-9]+$", "-0123456789"),
    ("tag:yaml.org,2002:null", r"^(?:null|~|)$", ["n", "~", ""]),
):
    _StrictLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a word or a number", key_node.start_mark)
        key = loader.construct_object(key_node, deep=True)
        if key in result:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} stands here a second time", key_node.start_mark
            )
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises :class:`InputError` with the place of the first mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(path)) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise InputError("is no text in UTF-8", file=str(path), line=line) from error
    try:
        data = yaml.load(text, Loader=_StrictLoader)  # a SafeLoader with fewer types
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = {"line": mark.line + 1, "column": mark.column + 1} if mark else {}
        raise InputError(error.problem or "is not YAML", file=str(path), **place) from error
    except yaml.YAMLError as error:  # a control character
        raise InputError("is not YAML", file=str(path), line=1, column=1) from error
    if not isinstance(data, dict):
        raise InputError("must be a mapping of keys to values", file=str(path), line=1, column=1)
    return data


def place_of(path: Path, keys: tuple[str | int, ...]) -> tuple[int, int]:
    """Line and column (from 1) of the key, or list item, that ``keys`` lead to; of the nearest one that exists."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_StrictLoader)
    if node is None:
        return 1, 1
    mark = node.start_mark
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if pair is None:
                break
            mark, node = pair[0].start_mark, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1
