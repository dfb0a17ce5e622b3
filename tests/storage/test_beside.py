"""Officers at the store while a daemon has it open: their words count, and disturb nothing."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from decisions_stored import HOLDER, NOON_US, grant, sms
from lived_traffic import policy as edited_policy

from rules import Block, CompiledPolicy
from storage import SqliteStore, StoreError, StoreUnavailable, audit, beside, policies
from storage.beside import reading, writing
from storage.blocks import add_block, list_blocks, remove_block
from storage.policies import Activation, activate
from storage.sqlite import WAL_PAGES, database_path, owner_pid
from storage.sqlite_library import dbapi

ROOT = Path(__file__).parents[2]


def officer(script: str) -> "subprocess.Popen[str]":
    """Another process with this project's code."""
    return subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def block(url: str, code: str = "", until_day: int = 9, holder: str = HOLDER) -> int:
    return add_block(url, holder, "AZE1111111", code, until_day, "officer", "funerals", NOON_US)


def blocks_seen(store: SqliteStore, policy: CompiledPolicy) -> tuple[Block, ...]:
    with store.transaction(policy) as transaction:
        return transaction.blocks([HOLDER]).get(HOLDER, ())


# Beside a daemon.


def test_an_officers_process_is_heard_by_the_next_batch_of_a_running_daemon(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """A block and an activation, written by a second process while this one owns the store."""
    grant(store, policy)
    script = f"""
from storage import policies
from storage.blocks import add_block
add_block({url!r}, {HOLDER!r}, "AZE1111111", "3", 9, "officer", "funerals", 1)
policies.activate({url!r}, "the text", "the digest", 2, "officer", "decree", "activate")
print(policies.active({url!r}).digest)
"""
    told, _ = officer(script).communicate(timeout=60)
    assert told == "the digest\n"
    assert blocks_seen(store, policy) == (Block("3", 9),)
    grant(store, policy, "1")
    assert policies.policy_source(url, "the digest") == "the text"


def test_an_officer_waits_for_the_batch_that_is_being_written(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Neither fails nor slips in between; readers see the state before it meanwhile."""
    numbers: list[int] = []
    thread = threading.Thread(target=lambda: numbers.append(block(url)))
    with store.transaction(policy) as transaction:
        transaction.add_message(sms(), "decided")
        thread.start()
        assert transaction.blocks([HOLDER]) == {}
        assert list_blocks(url, 0, ended=True) == []
        assert numbers == []
    thread.join()
    assert numbers == [1]
    assert blocks_seen(store, policy) == (Block("", 9),)


def test_a_batch_waits_for_an_officer(url: str, store: SqliteStore, policy: CompiledPolicy) -> None:
    """The daemon's own patience covers an officer's short transaction."""
    thread = threading.Thread(target=lambda: grant(store, policy))
    with writing(url) as connection:
        thread.start()
        audit.write(connection, 1, "officer", "act", "subject", "reason")
        assert connection.execute("SELECT count(*) FROM decision").fetchone() == (0,)
    thread.join()
    with reading(url) as connection:
        assert connection.execute("SELECT count(*) FROM decision").fetchone() == (1,)


def test_an_officer_who_waits_too_long_is_told_and_has_written_nothing(
    url: str, store: SqliteStore, policy: CompiledPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon behind a dead disk holds the lock; the tool says so instead of hanging."""
    monkeypatch.setattr(beside, "_BUSY_TIMEOUT_MS", 20)
    with store.transaction(policy), pytest.raises(StoreUnavailable, match="locked"):
        block(url)
    assert list_blocks(url, 0, ended=True) == []


def test_an_officers_failed_step_leaves_nothing(url: str, store: SqliteStore) -> None:
    """What is done and its line in the audit are one transaction."""
    with pytest.raises(RuntimeError), writing(url) as connection:
        audit.write(connection, 1, "officer", "act", "subject", "reason")
        raise RuntimeError("the tool fails")
    assert audit.since(url, 0) == []


def test_a_fault_is_told_where_sqlite_itself_has_rolled_back(url: str, store: SqliteStore) -> None:
    """As it may on a full disk; the words must be about the cause, not about a second rollback."""
    with pytest.raises(StoreUnavailable, match="UNIQUE"), writing(url) as connection:
        number = audit.write(connection, 1, "officer", "act", "subject", "reason")
        connection.execute(
            "INSERT OR ROLLBACK INTO audit (id, at_us, who, action, subject, reason)"
            " VALUES (?, 1, 'officer', 'act', '', '')",
            (number,),
        )
    assert audit.since(url, 0) == []


def test_a_reader_cannot_write(url: str, store: SqliteStore) -> None:
    """Reports cannot spoil what they report."""
    with pytest.raises(StoreError, match="readonly"), reading(url) as connection:
        connection.execute("DELETE FROM audit")


def test_what_a_reader_lays_aside_never_reaches_a_disk(url: str, store: SqliteStore) -> None:
    """Counts by phone and person are gone with the process."""
    with reading(url) as connection:
        assert connection.execute("PRAGMA temp_store").fetchone()[0] == 2


def test_a_store_can_be_read_when_no_daemon_runs(url: str) -> None:
    """The log beside the file is gone then, and a reader may not make it anew."""
    SqliteStore(url).close()
    block(url)
    assert len(list_blocks(url, 0, ended=False)) == 1


@pytest.mark.parametrize("enter", [reading, writing])
def test_a_store_that_does_not_exist_is_not_made_by_asking(
    tmp_path: Path, enter: "type[contextmanager[dbapi.Connection]]"
) -> None:
    """A slip in config.toml must not leave an empty store behind."""
    with pytest.raises(StoreError, match="there is no store at"), enter(f"sqlite:///{tmp_path}/x"):
        pass
    assert list(tmp_path.iterdir()) == []


# Blocks.


def test_a_block_is_told_with_who_and_why_and_so_is_its_end(url: str, store: SqliteStore) -> None:
    """Its row stays for the auditors, and each step is in the audit without a person's number."""
    number = block(url, "3", 737_521)
    remove_block(url, number, "another", "was a mistake", NOON_US + 1)
    [row] = list_blocks(url, 0, ended=True)
    assert row == (
        number,
        HOLDER,
        "AZE1111111",
        "3",
        737_521,
        "funerals",
        "officer",
        NOON_US,
        "another",
        NOON_US + 1,
        "was a mistake",
    )
    assert [line[:6] for line in audit.since(url, 0)] == [
        (1, NOON_US, "officer", "block_add", "block 1", "funerals"),
        (2, NOON_US + 1, "another", "block_remove", "block 1", "was a mistake"),
    ]
    assert list_blocks(url, 0, ended=False) == []


def test_blocks_in_force_are_those_before_their_first_free_day(
    url: str, store: SqliteStore
) -> None:
    """The day before, the day itself; newest first."""
    first, second = block(url, until_day=10), block(url, until_day=11)
    assert [row.id for row in list_blocks(url, 9, ended=False)] == [second, first]
    assert [row.id for row in list_blocks(url, 10, ended=False)] == [second]
    assert [row.id for row in list_blocks(url, 11, ended=True)] == [second, first]


def test_a_block_is_lifted_once(url: str, store: SqliteStore) -> None:
    """A second word, or one about a block that never was, is refused and leaves no trace."""
    number = block(url)
    remove_block(url, number, "officer", "mistaken", NOON_US)
    for absent in (number, number + 1):
        with pytest.raises(StoreError, match=f"there is no block {absent} that stands"):
            remove_block(url, absent, "officer", "again", NOON_US)
    assert len(audit.since(url, 0)) == 2


def test_words_that_look_like_sql_stay_words(url: str, store: SqliteStore) -> None:
    """Everything an officer types is bound, never pasted."""
    evil = "x'); DROP TABLE block; --"
    add_block(url, evil, evil, evil, 9, evil, evil, NOON_US)
    [row] = list_blocks(url, 0, ended=True)
    assert (row.holder, row.reason) == (evil, evil)


# Policies.


def test_the_newest_word_is_the_policy_in_force(url: str, store: SqliteStore) -> None:
    """A file read, an activation, a rollback: history newest first, each with who and why."""
    assert policies.active(url) is None
    for at_us, (action, digest) in enumerate(
        [("file", "one"), ("activate", "two"), ("shadow", "three"), ("rollback", "one")]
    ):
        activate(url, f"text of {digest}", digest, at_us, "officer", "decree", action)
    assert policies.active(url) == Activation(4, 3, "rollback", "one", "officer", "decree")
    assert policies.last_file(url) == Activation(1, 0, "file", "one", "officer", "decree")
    assert [each.action for each in policies.history(url)] == [
        "rollback",
        "shadow",
        "activate",
        "file",
    ]
    assert [line.action for line in audit.since(url, 2)] == [
        "policy_shadow",
        "policy_rollback",
    ]


def test_a_shadow_lasts_until_it_is_taken_off(url: str, store: SqliteStore) -> None:
    """It decides nothing, so it is never the policy in force."""
    assert policies.shadow(url) is None
    activate(url, "text", "candidate", 1, "officer", "try it", "shadow")
    found = policies.shadow(url)
    assert found is not None
    assert found.digest == "candidate"
    assert policies.active(url) is None
    activate(url, "text", "candidate", 2, "officer", "tried", "shadow_off")
    assert policies.shadow(url) is None


def test_an_activated_policy_and_the_decisions_under_it_share_one_row(
    url: str, store: SqliteStore, policy: CompiledPolicy
) -> None:
    """Its text is kept once, whoever named it first; the daemon's cached number stays right."""
    candidate = edited_policy(("value = 120", "value = 180"))
    activate(url, candidate.source, candidate.digest, 1, "officer", "decree", "activate")
    grant(store, candidate)
    grant(store, policy, "1")
    activate(url, policy.source, policy.digest, 2, "officer", "back", "rollback")
    rows = store.connection.execute(
        "SELECT code, digest FROM decision JOIN policy ON policy.id = decision.policy"
    )
    assert rows.fetchall() == [("2", candidate.digest), ("1", policy.digest)]
    assert store.connection.execute("SELECT count(*) FROM policy").fetchone() == (2,)


def test_the_text_of_a_policy_that_never_was_here_is_refused(url: str, store: SqliteStore) -> None:
    """A rollback to a mistyped digest says so."""
    with pytest.raises(StoreError, match="no policy with the digest beef"):
        policies.policy_source(url, "beef")


# Who owns the store.


@contextmanager
def daemon(url: str) -> Iterator["subprocess.Popen[str]"]:
    """A second process that owns the store until the block ends."""
    script = f"""
import sys
from storage import SqliteStore
store = SqliteStore({url!r})
print("open", flush=True)
sys.stdin.read()
store.close()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    try:
        yield process
    finally:
        process.communicate()


def test_the_owner_of_a_store_is_known_only_while_it_lives(url: str) -> None:
    """The number stays in the file when a process dies; a signal to it would hit a stranger."""
    assert owner_pid(url) is None
    with daemon(url) as process:
        assert owner_pid(url) == process.pid
        process.kill()
        process.wait()
        assert owner_pid(url) is None
    with daemon(url) as successor:
        assert owner_pid(url) == successor.pid
    store = SqliteStore(url)
    assert owner_pid(url) == os.getpid()
    store.close()
    assert owner_pid(url) is None
    assert not database_path(url).with_name("smsd.db.lock").read_bytes()


def test_asking_for_the_owner_never_keeps_a_daemon_from_its_store(url: str) -> None:
    """To see whether the lock is free is to hold it for a moment; opening must outlast that."""
    SqliteStore(url).close()
    asker = officer(f"""
from storage.sqlite import owner_pid
print("asking", flush=True)
while True:
    owner_pid({url!r})
""")
    assert asker.stdout is not None
    asker.stdout.readline()
    try:
        for _ in range(100):
            SqliteStore(url).close()
    finally:
        asker.kill()
        asker.communicate()


def test_a_line_of_ours_does_not_carry_the_daemons_log_into_the_file(
    url: str, store: SqliteStore
) -> None:
    """SQLite would, at a sixteenth of what the daemon lets it grow to, in the midst of a visit."""
    with beside.writer(url) as connection:
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (WAL_PAGES,)
