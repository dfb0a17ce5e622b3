"""The register's optional columns: region of residence, and quarantine."""

import io
from datetime import date
from pathlib import Path

import pytest

from storage import Citizen, Register
from storage.registry import ImportRefused, import_csv

TODAY = date(2020, 7, 3)
BORN = date(1980, 2, 29)
PLAIN = "person,document,birth_date"


def imported(folder: Path, header: str, *rows: str) -> dict[str, Citizen]:
    """The register after an import of rows without their birth date, which is `BORN`."""
    lines = [header, *(row.replace("BORN", str(BORN)) for row in rows)]
    path = folder / "register.db"
    import_csv(io.StringIO("\n".join(lines) + "\n"), path, lambda text: text, TODAY)
    register = Register(path)
    register.refresh()
    documents = ("A1", "A2", "A3")
    try:
        found = register.look_up(documents)
        # One alone is asked for by another statement.
        alone = [register.look_up([document]) for document in documents]
        assert alone == [
            {document: found[document]} if document in found else {} for document in documents
        ]
        return found
    finally:
        register.close()


def problems(folder: Path, header: str, *rows: str) -> list[tuple[int, str]]:
    """The lines of a file that is refused, with what is said of them."""
    with pytest.raises(ImportRefused) as refused:
        imported(folder, header, *rows)
    return [(problem.line, problem.message) for problem in refused.value.problems]


def test_a_register_without_the_columns_knows_neither(tmp_path: Path) -> None:
    """Unknown, so that a rule must say what that means; not "in no quarantine"."""
    assert imported(tmp_path, PLAIN, "p,A1,BORN") == {
        "A1": Citizen("p", BORN.toordinal(), None, None)
    }


def test_an_empty_field_of_a_register_with_the_columns(tmp_path: Path) -> None:
    """No date: in no quarantine, and that is known. No region: unknown all the same."""
    assert imported(
        tmp_path,
        f"{PLAIN},region,quarantine_until",
        "p,A1,BORN,baku,2020-07-20",
        "q,A2,BORN,,",
        "r,A3,BORN, ganja , 2020-02-29 ",
    ) == {
        "A1": Citizen("p", BORN.toordinal(), "baku", date(2020, 7, 20).toordinal()),
        "A2": Citizen("q", BORN.toordinal(), None, 0),
        "A3": Citizen("r", BORN.toordinal(), "ganja", date(2020, 2, 29).toordinal()),
    }


@pytest.mark.parametrize(
    ("header", "row", "citizen"),
    [
        ("region", "baku", Citizen("p", BORN.toordinal(), "baku", None)),
        (
            "quarantine_until",
            "2020-07-20",
            Citizen("p", BORN.toordinal(), None, date(2020, 7, 20).toordinal()),
        ),
    ],
)
def test_each_column_may_stand_alone(
    tmp_path: Path, header: str, row: str, citizen: Citizen
) -> None:
    """What the other would say is unknown."""
    assert imported(tmp_path, f"{PLAIN},{header}", f"p,A1,BORN,{row}") == {"A1": citizen}


@pytest.mark.parametrize("more", ["town", "quarantine_until,region", "region,region", "region,"])
def test_other_columns_are_refused_with_those_allowed(tmp_path: Path, more: str) -> None:
    """A column that nobody reads is a misunderstanding."""
    [(line, message)] = problems(tmp_path, f"{PLAIN},{more}", f"p,A1,BORN{',' * 3}")
    assert line == 1
    assert message == (
        f"the header must be {PLAIN}, perhaps followed by region and quarantine_until"
    )


def test_each_bad_field_is_told_by_its_line_and_not_quoted(tmp_path: Path) -> None:
    """The bounds on both sides, and a day that does not exist."""
    assert problems(
        tmp_path,
        f"{PLAIN},region,quarantine_until",
        f"p,A1,BORN,{'x' * 40},",
        f"q,A2,BORN,{'x' * 41},",
        "r,A3,BORN,,2021-02-29",
        "s,A4,BORN,,none",
        "t,A5,BORN,",
    ) == [
        (3, "region must have at most 40 characters"),
        (4, "quarantine_until must be empty or an ISO date, like 2020-07-20"),
        (5, "quarantine_until must be empty or an ISO date, like 2020-07-20"),
        (6, f"4 columns; 5 are needed: {PLAIN},region,quarantine_until"),
    ]
