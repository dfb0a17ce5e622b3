"""A store of an earlier version opens, keeps every row, and takes new ones."""

from pathlib import Path

import pytest
from decisions_stored import HOLDER, NOON_US, grant
from sqlite_utils import Database, Migrations

from rules import CompiledPolicy, HeldPermit
from storage import SqliteStore
from storage.migrations import m0001_message_decision_reply, migrations
from storage.sqlite_library import dbapi


@pytest.fixture
def first_version(url: str, tmp_path: Path) -> str:
    """A store that the first version left: a granted SMS, and its reply not sent yet."""
    connection = dbapi.connect(str(tmp_path / "smsd.db"), isolation_level=None)
    first = Migrations("smsd")
    first(name="m0001_message_decision_reply")(m0001_message_decision_reply.step)
    first.apply(Database(connection))
    for statement in (
        "INSERT INTO smsc VALUES (1, 'one')",
        "INSERT INTO policy VALUES (1, 'digest', 'text', 0)",
        f"INSERT INTO message VALUES (5, {NOON_US}, 1, '994500000001', '8103', 0, '2 AZE 1111111',"
        " NULL, 'decided', NULL)",
        f"INSERT INTO decision VALUES (7, 5, {NOON_US}, '{HOLDER}', 'AZE1111111', '2', 'grant',"
        f" 'granted', 1, '{{}}', 7, {NOON_US}, {NOON_US + 9}, 737521, 'code-2', 0)",
        "INSERT INTO reply (id, message, smsc, phone, text, not_after_us, state)"
        f" VALUES (5, 5, 1, '994500000001', 'yes', {NOON_US}, 0)",
    ):
        connection.execute(statement)
    connection.close()
    return url


def test_what_an_earlier_version_stored_is_still_known(
    first_version: str, policy: CompiledPolicy
) -> None:
    """Its permit counts and its reply leaves; neither was ended nor begins with a reply."""
    store = SqliteStore(first_version)
    with store.transaction(policy) as transaction:
        assert transaction.permits([HOLDER], NOON_US)[HOLDER] == (
            HeldPermit(7, "2", NOON_US, NOON_US + 9, 737_521, 0),
        )
        assert [
            p.serial for p in transaction.phone_permits(["994500000001"], NOON_US)["994500000001"]
        ] == [7]
    [reply] = store.unsent("one", 0, 10)
    assert (reply.text, reply.starts_permit) == ("yes", False)
    assert store.connection.execute("SELECT channel FROM message").fetchall() == [("sms",)]
    store.close()


def test_an_earlier_version_goes_on_counting(first_version: str, policy: CompiledPolicy) -> None:
    """Ids and serials continue, and opening it again changes nothing."""
    store = SqliteStore(first_version)
    assert grant(store, policy, "1").serial == 8
    store.close()
    again = SqliteStore(first_version)
    assert not migrations.pending(Database(again.connection))
    assert again.last_id == 6
    again.close()
