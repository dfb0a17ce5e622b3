"""smsd/smpp/CONFORMANCE.md is held to the code: its tests exist, its claims have one, no clause is
left out that the code knows.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from smsd.config import LimitsSection, SmscSection
from smsd.smpp.pdu import Command, Tag

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "smsd" / "smpp" / "CONFORMANCE.md").read_text(encoding="utf-8")
COLUMNS = ("clause", "what it asks", "smsd (ESME)", "simulator (SMSC)", "test")
CLAIMS = ("supported", "tolerated", "refused")
VERDICTS = (*CLAIMS, "not used")
NAMED = re.compile(r"`(tests/[a-z_/0-9]+\.py)::(test_[a-z_0-9]+)`")


class Row(NamedTuple):
    """One clause, in the order of COLUMNS."""

    clause: str
    asks: str
    esme: str
    smsc: str
    test: str

    @property
    def verdicts(self) -> tuple[str, str]:
        """The word with which either end's cell begins; its reason stands behind a colon."""
        return self.esme.partition(":")[0], self.smsc.partition(":")[0]


def tables(heading: str = "") -> Iterator[list[str]]:
    """The cells of every table row below the headings that begin so, rulers left out."""
    below = ""
    for line in DOCUMENT.splitlines():
        if line.startswith("#"):
            below = line.lstrip("# ")
        elif line.startswith("|") and not line.startswith("|---") and below.startswith(heading):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def rows(heading: str = "") -> list[Row]:
    """The clauses below the headings that begin so."""
    complete = (cells for cells in tables(heading) if len(cells) == len(COLUMNS))
    return [Row(*cells) for cells in complete if tuple(cells) != COLUMNS]


ROWS = rows()


@cache
def functions(path: str) -> frozenset[str]:
    """The names of a test file's functions."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_table_has_its_five_columns() -> None:
    """A row with a column too few or too many would say something else than it means."""
    assert {len(cells) for cells in tables()} == {len(COLUMNS)}
    assert len(ROWS) > 100


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(DOCUMENT))))
def test_every_test_named_exists(path: str, name: str) -> None:
    """A test that was renamed or removed shows nothing any more."""
    assert name in functions(path)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.clause)
def test_every_row_has_its_verdicts_and_every_claim_a_test(row: Row) -> None:
    """Both ends have a word of the four; a claim names tests, and what is not used says why."""
    assert set(row.verdicts) <= set(VERDICTS)
    for cell, verdict in zip((row.esme, row.smsc), row.verdicts, strict=True):
        assert verdict != "not used" or cell.startswith("not used: ")
    named = [f"`{path}::{name}`" for path, name in NAMED.findall(row.test)]
    assert row.test == ("<br>".join(named) or "–")
    assert bool(named) == bool(set(row.verdicts) & set(CLAIMS))


def test_no_clause_stands_twice() -> None:
    """Two verdicts on one clause would contradict each other sooner or later."""
    clauses = [row.clause for row in ROWS]
    assert len(clauses) == len(set(clauses))


def test_every_command_has_its_row() -> None:
    """Chapter 4 has each PDU of the standard, once, and no other."""
    named = re.findall(r"`([a-z_]+)`", " ".join(row.clause for row in rows("4 ")))
    assert sorted(named) == sorted(command.name.lower() for command in Command)


def test_every_tlv_has_its_row() -> None:
    """5.3 has each optional parameter of the standard, once, and no other."""
    named = re.findall(r"`([a-z_]+)`", " ".join(row.clause for row in rows("5.3 ")))
    assert sorted(named) == sorted(tag.name.lower() for tag in Tag)


def test_every_setting_named_exists() -> None:
    """What is said to be configurable is a key of [[smsc]] or [limits]."""
    named = re.findall(r"`([a-z_]+)`", " ".join(row.esme for row in ROWS))
    assert set(named) <= {*SmscSection.model_fields, *LimitsSection.model_fields}
