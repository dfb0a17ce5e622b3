"""A backup is whole, of one moment, and there only when it is good."""

import os
import stat
from contextlib import closing
from pathlib import Path

import pytest
from decisions_stored import NOON_US, grant, sms
from small_disk import full_disk

from rules import CompiledPolicy, Document
from storage import SqliteStore, StoreError, StoreUnavailable, backup, beside
from storage.backup import back_up, row_counts
from storage.sqlite_library import dbapi
from storage.upkeep import back_up_store

MANY = 4_000


def fill(store: SqliteStore, policy: CompiledPolicy, count: int = MANY) -> None:
    """Messages enough for several steps of copying."""
    with store.transaction(policy) as transaction:
        for number in range(count):
            transaction.add_message(sms(f"{number} {'x' * 1_500}"), "command")


def rows_of(file: Path) -> dict[str, int]:
    """What another program finds in a copy."""
    with closing(dbapi.connect(os.fspath(file))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return row_counts(connection)


def test_a_copy_holds_what_was_committed_when_it_began(
    url: str, store: SqliteStore, policy: CompiledPolicy, tmp_path: Path
) -> None:
    """The daemon writes between all steps; the copy is of one moment and is not begun anew."""
    fill(store, policy)
    steps: list[int] = []

    def written_to(done: int, _total: int) -> None:
        steps.append(done)
        grant(store, policy, document=Document("AZE", f"{len(steps):07}"), holder=f"p:{len(steps)}")

    size = back_up_store(url, tmp_path / "copy.db", written_to)
    assert len(steps) > 1
    assert steps == sorted(set(steps))
    found = rows_of(tmp_path / "copy.db")
    assert (found["message"], found["decision"]) == (MANY, 0)
    assert store.connection.execute("SELECT count(*) FROM decision").fetchone() == (len(steps),)
    assert size == (tmp_path / "copy.db").stat().st_size


def test_a_copy_is_one_file_for_its_owner_and_opens_as_a_store(
    url: str, store: SqliteStore, policy: CompiledPolicy, tmp_path: Path
) -> None:
    """Nothing lies beside it that would have to be carried along; permits go on counting in it."""
    decision = grant(store, policy)
    folder = tmp_path / "backups"
    folder.mkdir()
    copy = folder / "copy.db"
    back_up_store(url, copy)
    assert list(folder.iterdir()) == [copy]
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert copy.read_bytes()[18:20] == b"\x01\x01"  # no write-ahead log: read-only media will do
    again = SqliteStore(f"sqlite:///{copy}")
    assert grant(again, policy, "1").serial == decision.serial + 1
    again.close()


@pytest.mark.parametrize("name", ["copy.db", "copy.db.new"])
def test_no_file_is_overwritten(url: str, store: SqliteStore, tmp_path: Path, name: str) -> None:
    """Neither an older backup nor one that another process is writing."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(StoreError, match=name):
        back_up_store(url, tmp_path / "copy.db")
    assert (tmp_path / name).read_text() == "mine"
    assert (tmp_path / "copy.db").exists() == (name == "copy.db")


def test_a_file_that_appears_meanwhile_is_not_overwritten(
    url: str, store: SqliteStore, tmp_path: Path
) -> None:
    """Somebody else's was quicker."""
    copy = tmp_path / "copy.db"
    with pytest.raises(StoreError, match="is there already"):
        back_up_store(url, copy, lambda _done, _total: copy.write_text("theirs") and None)
    assert copy.read_text() == "theirs"
    assert not (tmp_path / "copy.db.new").exists()


def test_who_breaks_off_leaves_nothing(
    url: str, store: SqliteStore, policy: CompiledPolicy, tmp_path: Path
) -> None:
    """Ctrl-C in the middle; the next backup finds its way free."""
    fill(store, policy)

    def break_off(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "backups"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        back_up_store(url, folder / "copy.db", break_off)
    assert list(folder.iterdir()) == []
    back_up_store(url, folder / "copy.db")


def test_a_copy_that_does_not_fit_is_told_and_removed(
    url: str, store: SqliteStore, policy: CompiledPolicy, tmp_path: Path
) -> None:
    """With what to do."""
    fill(store, policy)
    folder = tmp_path / "backups"
    folder.mkdir()
    with full_disk(1 << 20), pytest.raises(StoreUnavailable, match="free space in"):
        back_up_store(url, folder / "copy.db")
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(url: str, store: SqliteStore, tmp_path: Path) -> None:
    """A slip in the file's name."""
    with pytest.raises(StoreUnavailable, match="No such file"):
        back_up_store(url, tmp_path / "backups" / "copy.db")


def test_a_damaged_store_gives_no_backup(url: str, policy: CompiledPolicy, tmp_path: Path) -> None:
    """What is copied page by page would be damaged too; it must not be taken for a backup."""
    store = SqliteStore(url)
    fill(store, policy)
    store.close()
    file = tmp_path / "smsd.db"
    content = bytearray(file.read_bytes())
    content[1 << 20 : (1 << 20) + 8_192] = b"\xff" * 8_192
    file.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        back_up_store(url, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy.db*"))


def without_log(store: SqliteStore) -> None:
    """As where SQLite's write-ahead log cannot be trusted."""
    store.connection.execute("PRAGMA journal_mode = DELETE")


def test_without_a_write_ahead_log_the_daemon_is_not_kept_waiting(
    url: str, store: SqliteStore, policy: CompiledPolicy, tmp_path: Path
) -> None:
    """It commits between steps, and the copy begins anew and has that too."""
    without_log(store)
    fill(store, policy)
    steps: list[int] = []

    def written_to_once(_done: int, _total: int) -> None:
        steps.append(1)
        if len(steps) == 2:
            grant(store, policy)

    back_up_store(url, tmp_path / "copy.db", written_to_once)
    assert rows_of(tmp_path / "copy.db")["decision"] == 1


def test_without_a_write_ahead_log_a_copy_that_never_ends_is_given_up(
    url: str, store: SqliteStore, policy: CompiledPolicy, tmp_path: Path
) -> None:
    """Under load each step is overtaken; the operator is told what to do instead."""
    without_log(store)
    fill(store, policy)
    steps: list[int] = []

    def written_to(_done: int, _total: int) -> None:
        steps.append(1)
        number = len(steps)
        grant(store, policy, document=Document("AZE", f"{number:07}"), holder=f"p:{number}")

    with pytest.raises(StoreUnavailable, match="stop the daemon"):
        back_up_store(url, tmp_path / "copy.db", written_to)
    assert not list(tmp_path.glob("copy.db*"))


def test_the_copy_itself_is_what_is_checked(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that spoils what is written: the store is sound, the copy is not."""
    sound = backup._flush

    def spoil(path: Path) -> None:
        if path.name == "copy.db.new":
            with path.open("r+b") as file:
                file.seek(4_096)
                file.write(b"\xff" * 4_096)
        sound(path)

    monkeypatch.setattr(backup, "_flush", spoil)
    with pytest.raises(StoreError, match="damaged"):
        back_up(store.connection, tmp_path / "copy.db")
    assert not list(tmp_path.glob("copy.db*"))


def test_a_reader_of_a_backup_is_not_asked_to_wait_for_the_daemon(
    url: str, store: SqliteStore, policy: CompiledPolicy, tmp_path: Path
) -> None:
    """A batch that is being written is not in the copy, and holds it up no more than a reader."""
    with store.transaction(policy) as transaction:
        transaction.add_message(sms(at_us=NOON_US), "command")
        transaction.flush()  # type: ignore[attr-defined]
        back_up_store(url, tmp_path / "copy.db")
    assert rows_of(tmp_path / "copy.db")["message"] == 0
    with beside.reading(url) as connection:
        assert row_counts(connection)["message"] == 1
