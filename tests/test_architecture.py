"""The design's own rules: what may import what, and where a dialect's name may stand."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from gateway.dialect import registry

PACKAGE = Path(__file__).parents[1] / "gateway"
LAYERS = ["cli", "service", "migrate", "trace", "links", "native", "session", "translate", "dialect", "wire", "model"]
FILES = sorted(PACKAGE.rglob("*.py"))
# A trace masks by what the dialects call secret; a tape is handed to a runner as a protocol.
LIGHT = {"gateway", "gateway.errors", "gateway.resources"}


def layer_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in LAYERS else None


def imports_of(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    if own not in LAYERS:
        return
    for module in imports_of(path):
        layer = layer_of(module)
        if layer is not None:
            assert LAYERS.index(layer) >= LAYERS.index(own), f"{own} must not import {module}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_dialects_name_stands_in_its_quirk_file_alone(path: Path) -> None:
    parts = path.relative_to(PACKAGE).parts
    families = {registry.load(name).tables.family for name in registry.ids()}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    text = " ".join(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if not _is_docstring(tree, node)
    )
    text += " ".join(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    for family in families:
        if parts[:2] == ("dialect", "quirks") and parts[2].removesuffix(".py") == family:
            continue
        assert not re.search(family, text, re.IGNORECASE), f"{family} is named in {path}"


def _is_docstring(tree: ast.AST, node: ast.Constant) -> bool:
    for parent in ast.walk(tree):
        if isinstance(parent, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            for child in parent.body:
                if isinstance(child, ast.Expr) and child.value is node:
                    return True
    return False


def test_a_session_knows_no_clock_and_no_input() -> None:
    forbidden = {"asyncio", "time", "socket", "serial", "os", "threading", "select", "pathlib"}
    for layer in ("session", "translate", "wire", "model"):
        for path in (PACKAGE / layer).glob("*.py"):
            assert not forbidden & set(imports_of(path)), path


def test_parser_and_sessions_need_only_the_users_own_packages() -> None:
    allowed = {"lark", "yaml", "serial", "gateway"}
    standard = set(__import__("sys").stdlib_module_names)
    for layer in ("session", "translate", "wire", "model", "dialect"):
        for path in (PACKAGE / layer).rglob("*.py"):
            for module in imports_of(path):
                top = module.split(".")[0]
                assert top in standard or top in allowed or top == "__future__", f"{path} needs {top}"


def test_every_public_thing_has_a_docstring() -> None:
    missing = []
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        missing += [f"{path.relative_to(PACKAGE)}: {name}" for name in _undocumented(tree, path.stem)]
    assert not missing, missing


def _undocumented(node: ast.Module | ast.ClassDef, name: str) -> list[str]:
    found = [] if ast.get_docstring(node) else [name]
    for child in node.body:
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            found += _undocumented(child, child.name)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            found += [] if ast.get_docstring(child) or _is_stub(child) else [f"{name}.{child.name}"]
    return found


def _is_stub(node: ast.AST) -> bool:
    body = getattr(node, "body", [])
    return len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
