"""The audit holds what was done, and whatever is done to the audit shows."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage import SqliteStore, StoreError, audit, audit_proof
from storage.audit import Wanted
from storage.audit_chain import BEGINNING
from storage.audit_proof import Flaw, verify
from storage.beside import reading, writing
from storage.purge import purge
from storage.sqlite_library import dbapi

ROOT = Path(__file__).parents[2]
PHONE = "994500000123"
S_US = 1_000_000

LINES = (
    ("officer", "check", "permit", "in the street", PHONE),
    ("agent", "look_up", "", "the caller asks", "AZE1111111"),
    ("operator", "smsc_suspend", "simulator", "maintenance", ""),
    ("officer", "check", "permit", "in the street", "AZE1111112"),
    ("smsd", "policy_in_force", "digest", "", ""),
)


@pytest.fixture
def written(url: str, store: SqliteStore) -> str:
    """A store with five lines, a second apart."""
    for number, (who, action, subject, reason, about) in enumerate(LINES, 1):
        audit.note(url, number * S_US, who, action, subject, reason, about)
    return url


def tamper(url: str, *statements: str) -> None:
    """As somebody with the file in his hands would."""
    connection = dbapi.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement
    connection.close()


def found(url: str) -> tuple[Flaw | None, int, int]:
    """What is wrong, with which line, and where that stands."""
    verdict = verify(url)
    assert verdict.sound is (verdict.flaw is None)
    assert verdict.lines == (len(LINES) if verdict.sound else verdict.line - 1)
    return verdict.flaw, verdict.line, verdict.stands_at


# Writing and reading.


def test_a_line_tells_who_did_what_about_whom_when_and_why(written: str) -> None:
    """Newest first; each with all that was said."""
    told = [(line.id, line.at_us, *line[2:7]) for line in audit.lines(written, 10)]
    assert told == [
        (number, number * S_US, *line) for number, line in reversed(list(enumerate(LINES, 1)))
    ]


def test_pages_follow_each_other_without_gap_or_repeat(written: str) -> None:
    """Behind the last line of one page the next goes on, though lines are added meanwhile."""
    first = audit.lines(written, 2)
    audit.note(written, 9, "smsd", "policy_kept", "digest", "")
    second = audit.lines(written, 2, before=first[-1].id)
    third = audit.lines(written, 2, before=second[-1].id)
    assert [line.id for line in (*first, *second, *third)] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(who="officer"), [4, 1]),
        (Wanted(action="look_up"), [2]),
        (Wanted(about=PHONE), [1]),
        (Wanted(from_us=2 * S_US, to_us=4 * S_US), [3, 2]),
        (Wanted(who="officer", from_us=2 * S_US), [4]),
        (Wanted(who="nobody"), []),
        (Wanted(about=""), []),
    ],
)
def test_lines_are_picked_by_person_act_and_time(
    written: str, wanted: Wanted, ids: list[int]
) -> None:
    """What holds together; the first instant counts, the last does not."""
    assert [line.id for line in audit.lines(written, 10, wanted)] == ids


def test_a_line_stands_or_falls_with_what_it_tells_of(url: str, store: SqliteStore) -> None:
    """Rolled back with its transaction, its number is taken by the next line."""
    with pytest.raises(RuntimeError), writing(url) as connection:
        audit.write(connection, 1, "officer", "act", "", "", PHONE)
        raise RuntimeError("the act fails")
    assert audit.lines(url, 10) == []
    assert audit.note(url, 1, "officer", "act", "", "") == 1
    assert verify(url).lines == 1


def test_nobody_can_write_outside_of_a_transaction(written: str) -> None:
    """Two who read the same last line would both go on from it."""
    connection = dbapi.connect(written.removeprefix("sqlite:///"), isolation_level=None)
    with pytest.raises(AssertionError):
        audit.write(connection, 1, "officer", "act", "", "")
    connection.close()


# The chain.


def test_a_fresh_audit_is_sound(url: str, store: SqliteStore) -> None:
    """Nothing was done, and nothing was cut off."""
    assert verify(url) == (0, BEGINNING, None, 0, 0, None)
    assert audit.head(url) is None


def test_others_can_repeat_the_chain_from_what_is_written_down(written: str) -> None:
    """By the words of storage.audit_chain alone, without its code."""
    connection = dbapi.connect(written.removeprefix("sqlite:///"))
    before = "0" * 64
    for *fields, stored in connection.execute(
        "SELECT id, at_us, who, action, subject, reason, about_digest, hash FROM audit ORDER BY id"
    ):
        text = json.dumps([before, *fields], separators=(",", ":"))
        before = hashlib.sha256(text.encode("ascii")).hexdigest()
        assert before == stored
    for salt, about, digest in connection.execute(
        "SELECT salt, about, about_digest FROM audit_about JOIN audit ON audit.id = audit"
    ):
        assert hashlib.sha256(salt + about.encode()).hexdigest() == digest
    connection.close()
    head = audit.head(written)
    assert head is not None
    assert (head.id, head.hash) == (5, before)
    assert verify(written, before) == (5, before, None, 0, 0, True)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET at_us = at_us + 1 WHERE id = 3",
        "UPDATE audit SET who = 'another' WHERE id = 3",
        "UPDATE audit SET action = 'smsc_resume' WHERE id = 3",
        "UPDATE audit SET subject = '' WHERE id = 3",
        "UPDATE audit SET reason = reason || ' ' WHERE id = 3",
        "UPDATE audit SET about_digest = hash WHERE id = 3",
        "UPDATE audit SET hash = about_digest WHERE id = 3",
        "UPDATE audit SET subject = reason, reason = subject WHERE id = 3",
        f"INSERT INTO audit_about VALUES (3, x'00', '{PHONE}')",
    ],
)
def test_an_altered_line_is_named(written: str, change: str) -> None:
    """Whichever column it was, and one that is made to be about somebody."""
    tamper(written, change)
    assert found(written) == (Flaw.ALTERED, 3, 0)


@pytest.mark.parametrize("change", ["about = 'AZE1111119'", "salt = x'00'"])
def test_a_line_cannot_be_made_to_be_about_somebody_else(written: str, change: str) -> None:
    """The table that can be erased cannot be rewritten."""
    tamper(written, f"UPDATE audit_about SET {change} WHERE audit = 2")
    assert found(written) == (Flaw.ALTERED, 2, 0)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_line_that_was_cut_out_is_missed(written: str, number: int) -> None:
    """The first one too."""
    tamper(written, f"DELETE FROM audit WHERE id = {number}")
    assert found(written) == (Flaw.MISSING, number, 0)


def test_a_gap_is_missed_though_all_behind_it_was_chained_anew(written: str) -> None:
    """Numbers go up by one, whatever the hashes say."""
    tamper(
        written,
        "DELETE FROM audit WHERE id > 2",
        "INSERT INTO audit (id, at_us, who, action, subject, reason) VALUES (4, 1, '', '', '', '')",
    )
    with writing(written) as connection:
        before = connection.execute("SELECT hash FROM audit WHERE id = 2").fetchone()[0]
        text = json.dumps([before, 4, 1, "", "", "", "", ""], separators=(",", ":"))
        forged = hashlib.sha256(text.encode()).hexdigest()
        connection.execute("UPDATE audit SET hash = ? WHERE id = 4", (forged,))
    verdict = verify(written)
    assert (verdict.flaw, verdict.line) == (Flaw.MISSING, 3)


@pytest.mark.parametrize(("one", "other"), [(2, 3), (2, 5)])
def test_lines_that_changed_places_are_told_from_altered_ones(
    written: str, one: int, other: int
) -> None:
    """Whole lines, hashes included; it is said where the first of them stands now."""
    tamper(
        written,
        f"UPDATE audit SET id = 99 WHERE id = {one}",
        f"UPDATE audit SET id = {one} WHERE id = {other}",
        f"UPDATE audit SET id = {other} WHERE id = 99",
    )
    assert found(written) == (Flaw.OUT_OF_ORDER, one, other)


def test_a_line_that_was_put_in_shows(written: str) -> None:
    """However well its own hash fits, the line behind it does not."""
    tamper(
        written,
        "UPDATE audit SET id = id + 100 WHERE id > 3",
        "UPDATE audit SET id = id - 99 WHERE id > 3",
        "UPDATE audit_about SET audit = 5 WHERE audit = 4",
    )
    with writing(written) as connection:
        before = connection.execute("SELECT hash FROM audit WHERE id = 3").fetchone()[0]
        text = json.dumps([before, 4, 1, "", "", "", "", ""], separators=(",", ":"))
        connection.execute(
            "INSERT INTO audit (id, at_us, who, action, subject, reason, hash)"
            " VALUES (4, 1, '', '', '', '', ?)",
            (hashlib.sha256(text.encode()).hexdigest(),),
        )
    verdict = verify(written)
    assert (verdict.lines, verdict.flaw, verdict.line) == (4, Flaw.ALTERED, 5)


def test_a_cut_tail_shows_only_by_a_hash_that_was_noted_elsewhere(written: str) -> None:
    """What is left is sound in itself, and so is what is written behind it afterwards."""
    noted = audit.lines(written, 1)[0].hash
    earlier = audit.lines(written, 3)[-1].hash
    tamper(written, "DELETE FROM audit WHERE id > 3", "DELETE FROM audit_about WHERE audit > 3")
    audit.note(written, 7, "intruder", "act", "", "")
    assert verify(written).sound
    assert verify(written, earlier).sound
    verdict = verify(written, noted)
    assert (verdict.flaw, verdict.head_met, verdict.sound) == (None, False, False)


def test_long_chains_are_walked_in_short_reads(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page, telling how far; a wrong line behind the first page is found, too."""
    monkeypatch.setattr(audit_proof, "_PAGE_LINES", 2)
    told: list[tuple[int, int]] = []
    assert verify(written, progress=lambda done, total: told.append((done, total))).sound
    assert told == [(2, 5), (4, 5), (5, 5)]
    tamper(
        written,
        "UPDATE audit SET id = 99 WHERE id = 3",
        "UPDATE audit SET id = 3 WHERE id = 5",
        "UPDATE audit SET id = 5 WHERE id = 99",
    )
    assert found(written) == (Flaw.OUT_OF_ORDER, 3, 5)


# Erasing whom it was about.


def test_who_is_erased_is_gone_and_the_chain_stays_sound(written: str, tmp_path: Path) -> None:
    """A purge takes the names before its instant, out of the file too; lines and hashes stay."""
    noted = audit.head(written)
    assert noted is not None
    *_, done = purge(written, 4 * S_US, 9 * S_US, "operator", "retention", "before that day")
    assert done.names == 2
    about = {line.id: line.about for line in audit.lines(written, 10)}
    assert about == {1: None, 2: None, 3: "", 4: "AZE1111112", 5: "", 6: "", 7: ""}
    assert verify(written, noted.hash).sound
    assert audit.lines(written, 10, Wanted(about=PHONE)) == []
    connection = dbapi.connect(written.removeprefix("sqlite:///"))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    content = (tmp_path / "smsd.db").read_bytes()
    assert PHONE.encode() not in content
    assert b"AZE1111112" in content


def test_names_are_erased_in_small_steps_by_their_own_time(
    url: str, store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock was set back: a young line stands among old ones, and keeps its name."""
    monkeypatch.setattr("storage.purge._BATCH_MESSAGES", 2)
    for at_us in (1, 2, 900, 3, 100, 4):
        audit.note(url, at_us, "agent", "look_up", "", "", f"AZE{at_us}")
    steps = [done.names for done in purge(url, 100, 999, "operator", "retention", "old")]
    assert steps == [0, 2, 3, 4]
    kept = [line.about for line in audit.lines(url, 10) if line.about]
    assert kept == ["AZE100", "AZE900"]
    assert verify(url).sound


# Several at once, and earlier versions.


def test_two_processes_that_write_at_once_keep_one_chain(url: str, store: SqliteStore) -> None:
    """Each goes on from the other's last line."""
    script = f"""
import sys
from storage import audit
print("ready", flush=True)
sys.stdin.readline()
for number in range(100):
    audit.note({url!r}, number, sys.argv[1], "act", "", "", "AZE1111111")
"""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script, name],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "other")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
    whose = [line.who for line in audit.lines(url, 1_000)]
    assert whose.count("one") == whose.count("other") == 100
    assert whose not in (["one"] * 100 + ["other"] * 100, ["other"] * 100 + ["one"] * 100)
    assert verify(url).lines == 200


@pytest.mark.parametrize(
    "ask",
    [
        lambda url: audit.note(url, 1, "officer", "act", "", ""),
        lambda url: audit.lines(url, 1),
        audit.head,
        verify,
    ],
)
def test_an_older_schema_has_no_chain(url: str, store: SqliteStore, ask: object) -> None:
    """It is said what to do, and nothing is written."""
    store.connection.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm0008%'")
    assert callable(ask)
    with pytest.raises(StoreError, match="lacks m0008_audit_chain; start the daemon once"):
        ask(url)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(action="check", from_us=5, to_us=9), "audit_at"),
        (Wanted(who="officer", from_us=5, to_us=9), "audit_at"),
        (Wanted(who="officer", action="check", about="AZE1111111"), "audit_about_about"),
        (Wanted(action="check"), "audit_action"),
    ],
)
def test_a_page_is_found_without_walking_back_through_years(
    url: str, store: SqliteStore, monkeypatch: pytest.MonkeyPatch, wanted: Wanted, index: str
) -> None:
    """Of checks there are millions; a long read holds up the checkpoints of a busy daemon."""
    said: list[str] = []

    @contextmanager
    def listened_to(url: str) -> Iterator[dbapi.Connection]:
        with reading(url) as connection:
            connection.set_trace_callback(said.append)
            yield connection

    monkeypatch.setattr("storage.audit.reading", listened_to)
    audit.lines(url, 50, wanted, before=7)
    with reading(url) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {said[-1]}").fetchall()
    assert f"INDEX {index} " in " ".join(step[3] for step in plan)
