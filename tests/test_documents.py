"""What the documents say is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import generated

from gateway.cli.main import VERBS, cli
from gateway.dialect import registry
from gateway.dialect.schema import Tables

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md"), *ROOT.glob("dialects/*.md")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_options_that_are_named_exist(path: Path) -> None:
    runner = CliRunner()
    known = set(re.findall(r"--[a-z][a-z-]+", runner.invoke(cli, ["--help"]).output))
    for verb in VERBS:
        known |= set(re.findall(r"--[a-z][a-z-]+", runner.invoke(cli, [verb, "--help"]).output))
    known |= set(re.findall(r"--[a-z][a-z-]+", runner.invoke(cli, ["trace", "show", "--help"]).output))
    known |= {"--rm", "--device", "--group-add"}  # of docker
    known |= {"--dist"}  # of pytest
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w|:-])--[a-z][a-z-]+", text))
    assert named <= known, named - known


@pytest.mark.parametrize("path", generated.DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_are_as_the_program_prints_them(path: Path) -> None:
    """When this fails: make tables."""
    text = path.read_text(encoding="utf-8")
    assert "<!-- at-gateway " in text
    assert generated.renewed(text) == text


def test_every_section_of_a_dialect_file_is_described() -> None:
    text = (ROOT / "dialects" / "README.md").read_text(encoding="utf-8")
    for section in fields(Tables):
        assert f"`{section.name}`" in text, section.name


def test_error_numbers_of_the_guide_are_those_of_the_dialect() -> None:
    errors = registry.load("edsoft-3.02").tables.errors
    for number in re.findall(r"\b3[4-8]\d{3}\b", (ROOT / "docs" / "edsoft-on-wipsoft.md").read_text(encoding="utf-8")):
        assert number in errors, number
