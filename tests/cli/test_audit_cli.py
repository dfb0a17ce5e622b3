"""`smsd audit …`, and the copy of the audit's newest hash in the daemon's log."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from daemon_process import Daemon, smsc_section, write_config
from smsd_command import smsd

from storage import SqliteStore, audit
from storage.sqlite_library import dbapi

PHONE = "994500000123"
WHO = ("--who", "A. Auditor", "--reason", "complaint 7")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """With three lines of audit; nothing listens where its SMSC should be."""
    file = write_config(tmp_path, [smsc_section(port=1)])
    SqliteStore(url_of(file)).close()
    audit.note(url_of(file), 1, "officer", "check", "permit", "in the street", PHONE)
    audit.note(url_of(file), 2, "operator", "smsc_suspend", "simulator", "maintenance")
    audit.note(url_of(file), 3, "officer", "check", "permit", "at the gate", "AZE1111111")
    return file


def url_of(config: Path) -> str:
    return f"sqlite:///{config.parent}/smsd.db"


def tamper(config: Path, *statements: str) -> None:
    """As somebody with the file in his hands would."""
    with closing(dbapi.connect(str(config.parent / "smsd.db"), isolation_level=None)) as store:
        for statement in statements:
            assert store.execute(statement).rowcount > 0


def head_of(config: Path) -> audit.Head:
    head = audit.head(url_of(config))
    assert head is not None
    return head


def test_a_sound_audit_is_told_with_its_head(config: Path) -> None:
    """In words and as JSON; a hash that was noted earlier is met again."""
    head = head_of(config).hash
    told = smsd("audit", "verify", "--config", config)
    assert (told.exit_code, told.stdout) == (0, f"The audit is sound: 3 lines, head {head}.\n")
    audit.note(url_of(config), 4, "officer", "check", "permit", "")
    met = smsd("audit", "verify", "--head", head, "--json", "--config", config)
    assert met.exit_code == 0
    assert json.loads(met.stdout) == {
        "sound": True,
        "lines": 4,
        "hash": head_of(config).hash,
        "flaw": None,
        "line": 0,
        "stands_at": 0,
        "head_met": True,
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (["UPDATE audit SET reason = '' WHERE id = 2"], "was altered."),
        (["DELETE FROM audit WHERE id = 2"], "is missing."),
        (
            [
                "UPDATE audit SET id = 9 WHERE id = 2",
                "UPDATE audit SET id = 2 WHERE id = 3",
                "UPDATE audit SET id = 3 WHERE id = 9",
            ],
            "is out of order: it stands at 3.",
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_line(config: Path, changes: list[str], words: str) -> None:
    """Exit code 1, the line, what is wrong with it, and what to do; as JSON too."""
    tamper(config, *changes)
    told = smsd("audit", "verify", "--config", config)
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith(
        f"Line 2 {words} The 1 before it are sound.\nKeep this file, and compare it with"
    )
    found = smsd("audit", "verify", "--json", "--config", config)
    assert found.exit_code == 1
    assert (json.loads(found.stdout)["sound"], json.loads(found.stdout)["line"]) == (False, 2)


def test_a_cut_tail_is_told_by_the_head_from_the_log(config: Path) -> None:
    """Without it nothing is wrong to be seen."""
    head = head_of(config).hash
    tamper(config, "DELETE FROM audit WHERE id = 3")
    assert smsd("audit", "verify", "--config", config).exit_code == 0
    told = smsd("audit", "verify", "--head", head, "--config", config)
    assert told.exit_code == 1
    assert told.stderr.startswith(
        "Its 2 lines fit together, but none has that hash: the newest were cut off, or all was"
        " written anew.\n"
    )


@pytest.mark.parametrize("typed", ["", "beef", "x" * 64, "A" * 64])
def test_a_hash_that_is_none_is_wrong_usage(config: Path, typed: str) -> None:
    """A slip in copying it must not look like a cut audit."""
    told = smsd("audit", "verify", "--head", typed, "--config", config)
    assert told.exit_code == 2
    assert "a hash has 64 digits" in told.stderr


def test_the_list_tells_who_did_what_and_hides_whom_it_is_about(config: Path) -> None:
    """Newest first, filtered, in pages; of phones and documents only the end."""
    told = smsd("audit", "list", "--config", config)
    assert [line.split("  ", 3)[2:] for line in map(str.strip, told.stdout.splitlines())] == [
        ["officer", "check permit (…111): at the gate"],
        ["operator", "smsc_suspend simulator: maintenance"],
        ["officer", "check permit (…123): in the street"],
    ]
    assert PHONE not in told.stdout
    page = smsd("audit", "list", "--by", "officer", "--before", "3", "--json", "--config", config)
    assert [(line["id"], line["about"]) for line in json.loads(page.stdout)] == [(1, "…123")]
    none = smsd("audit", "list", "--action", "nothing", "--config", config)
    assert (none.exit_code, none.stdout) == (0, "No such line.\n")
    recent = smsd("audit", "list", "--since", "1h", "--config", config)
    assert recent.stdout == "No such line.\n"


def test_whole_names_are_for_who_says_why(config: Path) -> None:
    """And the audit has it."""
    refused = smsd("audit", "list", "--reveal", "--config", config)
    assert (refused.exit_code, PHONE in refused.output) == (2, False)
    told = smsd("audit", "list", "--reveal", *WHO, "--json", "--config", config)
    assert [line["about"] for line in json.loads(told.stdout)] == ["AZE1111111", "", PHONE]
    [line] = audit.lines(url_of(config), 1)
    assert line[2:6] == ("A. Auditor", "audit_reveal", "3 lines", "complaint 7")


def test_the_log_system_keeps_a_copy_of_the_head(config: Path) -> None:
    """At the start, from time to time, and at the end, after the last that the daemon wrote."""
    text = config.read_text()
    config.write_text(text.replace("[limits]", "[log]\naudit_head_s = 0.05\n[limits]"))
    with Daemon(config) as daemon:
        first = daemon.wait_for("audit_head")
        assert first["line"] >= 3
        number = audit.note(url_of(config), 9, "officer", "check", "permit", "", PHONE)
        told = daemon.wait_for("audit_head", line=number)
        assert told["hash"] == head_of(config).hash
        assert PHONE not in daemon.log
    config.write_text(text)
    with Daemon(config) as daemon:
        daemon.wait_for("audit_head")
        audit.note(url_of(config), 10, "officer", "check", "permit", "")
        daemon.terminate()
        *_, last = [line for line in daemon.news() if line["event"] == "audit_head"]
    assert last["hash"] == head_of(config).hash
    assert smsd("audit", "verify", "--head", told["hash"], "--config", config).exit_code == 0
