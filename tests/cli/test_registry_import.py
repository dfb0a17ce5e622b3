"""`smsd registry import`: all or nothing, every bad line by its number, nobody's data in print."""

import fcntl
import json
import os
import threading
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from smsd_command import smsd

from storage import Register
from storage.records import Citizen
from storage.registry import PROBLEMS_MAX

HEADER = "person,document,birth_date\n"
BORN = date(1980, 2, 29)


def write(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "people.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def holder(config: Path, document: str) -> tuple[str, int] | None:
    """Who holds `document` by the register that the daemon would read now."""
    register = Register(config.parent / "register.db")
    register.refresh()
    try:
        return register.look_up([document]).get(document)
    finally:
        register.close()


def refused(config: Path, content: str | bytes) -> list[str]:
    """What is said about each line of a file that is refused, as "LINE: message"."""
    file = write(config.parent, content)
    result = smsd("registry", "import", file, "--config", config)
    assert result.exit_code == 1
    assert result.stdout == ""
    *lines, last = result.stderr.splitlines()
    assert last == "Nothing was imported."
    return [line.removeprefix(f"{file}:") for line in lines]


def test_a_good_file_becomes_the_register(config: Path) -> None:
    """One person may hold several documents."""
    file = write(config.parent, f"{HEADER}A,AZE1111111,{BORN}\nA,AA1111111,{BORN}\n")
    result = smsd("registry", "import", file, "--config", config)
    assert result.exit_code == 0
    assert result.stdout == f"2 documents imported into {config.parent}/register.db.\n"
    assert result.stderr == ""  # The progress bar is for terminals.
    assert (
        holder(config, "AZE1111111")
        == holder(config, "AA1111111")
        == Citizen("A", BORN.toordinal())
    )
    assert holder(config, "AZE1111112") is None


def test_json_tells_the_same_to_a_program(config: Path) -> None:
    """One object on standard output."""
    file = write(config.parent, f"{HEADER}A,AZE1111111,{BORN}\n")
    result = smsd("registry", "import", file, "--config", config, "--json")
    assert json.loads(result.stdout) == {
        "documents": 1,
        "register": f"{config.parent}/register.db",
    }


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEADER}A,AZE1111111,{BORN}\n",
        f"{HEADER}A,AZE1111111,{BORN}\n".replace("\n", "\r\n"),
        f"\ufeff{HEADER}A,AZE1111111,{BORN}\n".replace("\n", "\r\n"),
        f"{HEADER}A,AZE1111111,{BORN}",
        f"Person, Document ,BIRTH_DATE\n A , AZE1111111 , {BORN} \n",
        f'{HEADER}"A","AZE1111111","{BORN}"\n',
        f"{HEADER}\nA,AZE1111111,{BORN}\n\n",
    ],
    ids=["bom", "crlf", "bom-crlf", "no-end", "spaces", "quotes", "blank-lines"],
)
def test_files_as_programs_write_them(config: Path, content: str) -> None:
    """Windows, Excel and editors leave their marks; none of them matters."""
    result = smsd("registry", "import", write(config.parent, content), "--config", config)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("1 document imported")
    assert holder(config, "AZE1111111") == Citizen("A", BORN.toordinal())


@pytest.mark.parametrize(
    ("printed", "canonical"),
    [
        ("aze 1111111", "AZE1111111"),
        ("AZE-1111111", "AZE1111111"),
        ("MYİ 1111108", "MYI1111108"),
        ("myı1111108", "MYI1111108"),
        ("АА 1111103", "AA1111103"),  # Cyrillic А
    ],
)
def test_a_document_is_stored_as_requests_are_read(
    config: Path, printed: str, canonical: str
) -> None:
    """However the register spells it, a phone's spelling finds it."""
    file = write(config.parent, f"{HEADER}A,{printed},{BORN}\n")
    assert smsd("registry", "import", file, "--config", config).exit_code == 0
    assert holder(config, canonical) == Citizen("A", BORN.toordinal())


def test_every_bad_line_is_named_and_none_is_quoted(config: Path) -> None:
    """One file with every kind of mistake; blank lines count, as in an editor."""
    long_name = "SECRETPERSON" * 6
    rows: list[tuple[bytes, str]] = [
        (b"SECRETPERSON,AZE1111111,1980-01-01", ""),
        (b"SECRETPERSON,SECRET,1980-01-01", "document is none of the kinds that the policy names"),
        (b"SECRETPERSON,AZE777,1980-01-01", "document is none of the kinds that the policy names"),
        (b"", ""),
        (
            b"SECRETPERSON,AZE7777777",
            "2 columns; 3 are needed: person,document,birth_date",
        ),
        (
            b"SECRETPERSON,AZE7777777,1980-01-01,SECRET",
            "4 columns; 3 are needed: person,document,birth_date",
        ),
        (b",AZE7777777,1980-01-01", "person must have 1 to 64 characters"),
        (f"{long_name},AZE7777777,1980-01-01".encode(), "person must have 1 to 64 characters"),
        (
            b"SECRETPERSON,AZE7777777,1979-02-29",
            "birth_date must be an ISO date, for example 1980-02-29",
        ),
        (
            b"SECRETPERSON,AZE7777777,31.12.1979",
            "birth_date must be an ISO date, for example 1980-02-29",
        ),
        (b"SECRETPERSON,AZE7777777,", "birth_date must be an ISO date, for example 1980-02-29"),
        (b"SECRET2,aze 1111111,1979-01-01", "this document stands on an earlier line too"),
        (
            b"SECRETPERSON,AZE7777778,1979-01-01",
            "this person has another birth_date on an earlier line",
        ),
        (b"SECRET\xff,AZE7777779,1979-01-01", "not UTF-8 text"),
        (b'"SECRET"PERSON,AZE7777779,1979-01-01', "not CSV: ',' expected after '\"'"),
        (b"SECRET3,AZE1111113,1980-01-01", ""),
        (b'SECRET4,"AZE7777779,1979-01-01', "not CSV: unexpected end of data"),
        (b"SECRET5,AZE1111115,1980-01-01", ""),
    ]
    told = refused(config, HEADER.encode() + b"".join(row + b"\n" for row, _ in rows))
    assert told == [f"{line}: {words}" for line, (_, words) in enumerate(rows, 2) if words]
    assert not any(secret in words for words in told for secret in ("SECRET", "7777", "1979"))


def test_a_birth_date_lies_between_the_oldest_person_and_today(config: Path) -> None:
    """Both bounds, each from its two sides; today is the policy's."""
    today = datetime.now(tz=ZoneInfo("Asia/Baku")).date()
    outside = (date(1879, 12, 31), today + timedelta(days=2))  # 2: the day may end meanwhile
    rows = "".join(f"P{born},AZE111111{n},{born}\n" for n, born in enumerate(outside))
    told = refused(config, HEADER + rows)
    assert [words.split(" between")[0] for words in told] == [
        "2: birth_date must lie",
        "3: birth_date must lie",
    ]
    inside = (date(1880, 1, 1), today)
    rows = "".join(f"P{born},AZE111111{n},{born}\n" for n, born in enumerate(inside))
    file = write(config.parent, HEADER + rows)
    assert smsd("registry", "import", file, "--config", config).exit_code == 0


def test_the_longest_name_that_is_allowed_is_allowed(config: Path) -> None:
    """64 characters, of several octets each."""
    file = write(config.parent, f"{HEADER}{'ə' * 64},AZE1111111,{BORN}\n")
    assert smsd("registry", "import", file, "--config", config).exit_code == 0
    told = refused(config, f"{HEADER}{'ə' * 65},AZE1111111,{BORN}\n")
    assert told == ["2: person must have 1 to 64 characters"]


def test_a_record_over_several_lines_is_named_by_its_first(config: Path) -> None:
    """Quotes may carry line ends; the number is the one to look at in an editor."""
    told = refused(config, f'{HEADER}A,"X\nY\nZ",{BORN}\nB,AZE1,{BORN}\n')
    assert [words.split(":")[0] for words in told] == ["2", "5"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "1: the header must be person,document,birth_date"),
        (b"document,person,birth_date\n", "1: the header must be person,document,birth_date"),
        (b"A,AZE1111111,1980-01-01\n", "1: the header must be person,document,birth_date"),
        (b"person;document;birth_date\n", "1: the header must be person,document,birth_date"),
        (HEADER.encode(), "1: the file has no rows; an empty register would refuse everybody"),
        (HEADER.encode() + b"\n\n", "1: the file has no rows"),
        (HEADER.encode("utf-16"), "1: not UTF-8 text"),
        (b'"person,document,birth_date\n', "1: not CSV: unexpected end of data"),
    ],
    ids=["empty", "order", "none", "semicolons", "no-rows", "blank", "utf-16", "quote"],
)
def test_a_file_that_is_no_register_is_refused_at_its_head(
    config: Path, content: bytes, expected: str
) -> None:
    """What the first line must be is said once, not for every line."""
    told = refused(config, content)
    assert told[0].startswith(expected)
    assert len(told) <= 2


def test_a_refused_file_leaves_the_old_register_whole(config: Path) -> None:
    """Sound rows before and after the bad one are not taken; nothing is left lying about."""
    smsd(
        "registry",
        "import",
        write(config.parent, f"{HEADER}A,AZE1111111,{BORN}\n"),
        "--config",
        config,
    )
    before = (config.parent / "register.db").read_bytes()
    refused(config, f"{HEADER}B,AZE1111112,{BORN}\nC,X,{BORN}\nD,AZE1111113,{BORN}\n")
    assert (config.parent / "register.db").read_bytes() == before
    assert holder(config, "AZE1111111") == Citizen("A", BORN.toordinal())
    assert holder(config, "AZE1111112") is None
    assert not list(config.parent.glob("*.new*"))


def test_a_good_file_replaces_the_old_register_whole(config: Path) -> None:
    """Who is no longer in the file is no longer in the register."""
    for document in ("AZE1111111", "AZE1111112"):
        file = write(config.parent, f"{HEADER}A,{document},{BORN}\n")
        assert smsd("registry", "import", file, "--config", config).exit_code == 0
    assert holder(config, "AZE1111111") is None
    assert holder(config, "AZE1111112") == Citizen("A", BORN.toordinal())


def test_bad_lines_are_cut_off_at_the_limit(config: Path) -> None:
    """One fewer are all named, without the word that there may be more."""
    for bad, cut in ((PROBLEMS_MAX - 1, False), (PROBLEMS_MAX, True), (PROBLEMS_MAX + 500, True)):
        told = refused(config, HEADER + f"A,X,{BORN}\n" * bad)
        assert [words.split(":")[0] for words in told[:PROBLEMS_MAX]] == [
            str(line) for line in range(2, min(bad, PROBLEMS_MAX) + 2)
        ]
        assert told[PROBLEMS_MAX:] == (
            [f"The rest was not read, after {PROBLEMS_MAX} bad lines."] if cut else []
        )


@pytest.mark.parametrize("where", ["config.toml/register.db", "."], ids=["no-folder", "folder"])
def test_a_register_that_cannot_be_written_is_named(config: Path, where: str) -> None:
    """The register is at fault, not the file that was given."""
    target = config.parent / where
    file = write(config.parent, f"{HEADER}A,AZE1111111,{BORN}\n")
    result = smsd(
        "registry",
        "import",
        file,
        "--config",
        config,
        env={"SMSD_REGISTER__FILE": os.fspath(target)},
    )
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Nothing was imported: the register {target} cannot be ")
    assert str(file) not in result.stderr


def test_two_imports_do_not_mix(config: Path) -> None:
    """While one is under way, another is refused; both would write the same new file."""
    file = write(config.parent, f"{HEADER}A,AZE1111111,{BORN}\n")
    with (config.parent / "register.db.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = smsd("registry", "import", file, "--config", config)
        assert result.exit_code == 1
        assert "another import into" in result.stderr
        assert "is under way" in result.stderr
    assert smsd("registry", "import", file, "--config", config).exit_code == 0


def test_what_a_killed_import_left_does_not_disturb_the_next(config: Path) -> None:
    """A torn file of the same name is thrown away."""
    (config.parent / "register.db.new").write_bytes(b"torn")
    file = write(config.parent, f"{HEADER}A,AZE1111111,{BORN}\n")
    assert smsd("registry", "import", file, "--config", config).exit_code == 0
    assert holder(config, "AZE1111111") == Citizen("A", BORN.toordinal())


def test_a_register_may_come_through_a_pipe(config: Path) -> None:
    """As in `smsd registry import <(zcat people.csv.gz)`: it can be read only once."""
    pipe = config.parent / "pipe"
    os.mkfifo(pipe)
    content = f"{HEADER}A,AZE1111111,{BORN}\n"
    writer = threading.Thread(target=pipe.write_text, args=(content,), daemon=True)
    writer.start()
    result = smsd("registry", "import", pipe, "--config", config)
    writer.join()
    assert result.exit_code == 0, result.stderr
    assert holder(config, "AZE1111111") == Citizen("A", BORN.toordinal())
