"""`smsd block` and `smsd abuse report`, on a store that real requests have filled."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from smsd_command import smsd

from rules import CompiledPolicy, load_policy
from smsd.gateway.adjudicate import Law, adjudicate
from storage import InboundMessage, SqliteStore, audit

POLICY_FILE = Path(__file__).parents[2] / "rules" / "policies" / "8103.toml"
WHO = ("--who", "A. Officer", "--reason", "a complaint")
TOMORROW = (date.today() + timedelta(days=30)).isoformat()  # noqa: DTZ011 - a month ahead anywhere


@pytest.fixture(scope="module")
def policy() -> CompiledPolicy:
    """The law as it is shipped."""
    return load_policy(POLICY_FILE)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """No register, a store in its folder."""
    file = tmp_path / "config.toml"
    file.write_text(
        f'[policy]\nfile = "{POLICY_FILE}"\n[store]\nurl = "sqlite:///{tmp_path}/smsd.db"\n'
        '[register]\nmode = "off"\n[[smsc]]\nname = "one"\npassword = "secret"\n',
        encoding="utf-8",
    )
    return file


def text(config: Path, policy: CompiledPolicy, *messages: tuple[str, str]) -> list[str]:
    """(phone, SMS) an hour ago, one batch each; the rules that decided."""
    now_us = int(datetime.now(tz=UTC).timestamp()) * 1_000_000
    store = SqliteStore(f"sqlite:///{config.parent}/smsd.db")
    rules = []
    for phone, said in messages:
        octets = said.encode()
        sms = InboundMessage(now_us, "one", phone, "8103", 0, octets, said, True, None)
        with store.transaction(policy) as transaction:
            settled = adjudicate(transaction, Law(policy), None, [sms])
        rules += [decision.rule for decision in settled.decisions]
    store.close()
    return rules


def test_a_block_is_added_listed_obeyed_and_lifted(config: Path, policy: CompiledPolicy) -> None:
    """Each step has an author and a reason, and leaves a line in the audit."""
    assert text(config, policy, ("994500000001", "1 AZE 1000001")) == ["granted"]
    options = ("--config", config)
    added = smsd("block", "add", "aze 1000002", "--code", "3", "--until", TOMORROW, *WHO, *options)
    assert added.exit_code == 0, added.output
    assert added.stdout.startswith("Block 1: this document is refused code 3 until ")
    decided = text(
        config, policy, ("994500000001", "3 AZE 1000002"), ("994500000001", "1 AZE 1000002")
    )
    assert decided == ["blocked-from-code", "granted"]
    listed = smsd("block", "list", *options)
    assert f"AZE1000002  code 3, until {TOMORROW}; A. Officer: a complaint" in listed.stdout
    lifted = smsd("block", "remove", "1", *WHO, *options)
    assert (lifted.exit_code, lifted.stdout) == (0, "Block 1 is lifted.\n")
    assert text(config, policy, ("994500000002", "3 AZE 1000002")) == ["granted"]
    assert smsd("block", "list", *options).stdout == "Nobody is blocked.\n"
    assert "lifted by A. Officer: a complaint" in smsd("block", "list", "--all", *options).stdout
    [row] = json.loads(smsd("block", "list", "--all", "--json", *options).stdout)
    assert (row["code"], row["until"], row["removed_by"]) == ("3", TOMORROW, "A. Officer")
    lines = audit.since(f"sqlite:///{config.parent}/smsd.db", 0)
    assert [(line.action, line.subject) for line in lines] == [
        ("block_add", "block 1"),
        ("block_remove", "block 1"),
    ]


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("add", "XYZ 1", "--until", TOMORROW), "no document that the policy knows", 1),
        (("add", "AZE 1000001", "--until", "2020-01-01"), "must lie after today", 1),
        (("add", "AZE 1000001", "--until", TOMORROW, "--code", "7"), "There is no code 7", 1),
        (("add", "AZE 1000001", "--until", "soon"), "soon", 2),
        (("add", "AZE 1000001"), "--until", 2),
        (("remove", "99"), "there is no block 99 that stands", 1),
    ],
)
def test_a_mistake_is_told_and_blocks_nobody(
    config: Path, policy: CompiledPolicy, arguments: tuple[str, ...], said: str, code: int
) -> None:
    """What is wrong, and what would be right."""
    text(config, policy, ("994500000001", "salam"))
    refused = smsd("block", *arguments, *WHO, "--config", config)
    assert refused.exit_code == code
    assert said in refused.stderr
    assert smsd("block", "list", "--config", config).stdout == "Nobody is blocked.\n"


def test_without_a_store_nothing_is_made(config: Path) -> None:
    """A typing error in the configuration must not leave an empty store behind."""
    refused = smsd("block", "add", "AZE 1000001", "--until", TOMORROW, *WHO, "--config", config)
    assert refused.exit_code == 1
    assert "there is no store" in refused.stderr
    assert not (config.parent / "smsd.db").exists()


def test_the_report_names_candidates_with_the_evidence(
    config: Path, policy: CompiledPolicy
) -> None:
    """One phone that asked for ten people; the norm stands beside it."""
    many = [("994500000009", f"1 AZE {number}") for number in range(1_000_001, 1_000_011)]
    shared = [(f"99450000001{n}", f"{n % 3 + 1} AZE 2000001") for n in range(3)]
    text(config, policy, *many, *shared, ("994500000013", "1 AZE 3000001"))
    report = json.loads(
        smsd("abuse", "report", "--since", "1d", "--json", "--config", config).stdout
    )
    found = {row["id"]: row for row in report}
    [phone] = found["one-phone-many-people"]["candidates"]
    assert (phone["who"], phone["amount"]) == ("994500000009", 10)
    assert len(phone["examples"]) == 5
    assert all(len(example["reference"]) == 6 for example in phone["examples"])
    assert found["one-phone-many-people"]["everybody"] == 5
    assert found["one-phone-many-people"]["median"] == 1
    assert found["one-person-many-phones"]["candidates"] == []
    words = smsd("abuse", "report", "--since", "1d", "--config", config).stdout
    assert "one phone that asks for many people (10 or more): 1 of 5; half have 1" in words
    assert phone["examples"][0]["reference"] in words


def test_a_report_of_no_time_is_refused(config: Path, policy: CompiledPolicy) -> None:
    """With how to write one."""
    text(config, policy, ("994500000001", "salam"))
    refused = smsd("abuse", "report", "--since", "yesterday", "--config", config)
    assert refused.exit_code == 1
    assert "write it like 2020-06-28T00:00" in refused.stderr
