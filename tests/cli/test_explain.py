"""`smsd explain`: what a reference stands for, from the store that a real daemon wrote."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from daemon_process import Daemon, smsc_section, write_config
from smsd_command import smsd

from rules import reference
from simulators.process import SmscProcess

PHONE = "994500000001"
PEOPLE = """\
person,document,birth_date
LEYLA,AZE1111103,1994-07-21
SEVDA,AZE1111106,1950-05-17
KAMRAN,AZE1111114,1970-02-11
"""


class Played(NamedTuple):
    """A store with a few decisions: its configuration, and the replies in the order of the SMS."""

    config: Path
    replies: list[str]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Serial 1 a grant, 2 its repeat, 3 a refusal, 4 and 5 a household. The simulator runs on."""
    folder = tmp_path_factory.mktemp("explain")
    with SmscProcess() as smsc, smsc.client() as phones:
        config = write_config(folder, [smsc_section(smsc.port)], mode="required")
        people = folder / "people.csv"
        people.write_text(PEOPLE)
        assert smsd("registry", "import", people, "--config", config).exit_code == 0
        with Daemon(config) as daemon:
            replies = [
                phones.text(PHONE, text).text
                for text in (
                    "2 AZE 1111103",
                    "2 aze1111103",
                    "1 AZE 1111106",
                    "1 AZE 1111114, AZE 1111106",
                    "hello",
                )
            ]
            assert daemon.terminate() == 0  # What became of the replies is stored by then.
        yield Played(config, replies)


def explained(played: Played, number: str) -> dict[str, str]:
    """What is printed about a decision: name → value; the first case if there are several."""
    result = smsd("explain", number, "--config", played.config)
    assert result.exit_code == 0, result.stderr
    case = result.stdout.split("\n\n")[0]
    pairs = re.findall(r"^ *([a-z ]+): (.*(?:\n {17}.*)*)", case, re.MULTILINE)
    return {name: re.sub(r"\n {17}", "\n", value) for name, value in pairs}


def as_json(played: Played, number: str) -> list[dict[str, Any]]:
    result = smsd("explain", number, "--json", "--config", played.config)
    assert result.exit_code == 0, result.stderr
    cases: list[dict[str, Any]] = json.loads(result.stdout)
    return cases


def test_a_grant_is_told_from_question_to_answer(played: Played) -> None:
    """The reference as the reply gave it leads to all that was known and decided."""
    (number,) = {word for word in re.findall(r"\b\w{6}\b", played.replies[0]) if word.isupper()}
    case = explained(played, number)
    assert number == reference.encode(1)
    assert case["reference"] == number
    assert case["in the register"] == "yes"
    assert case["born"] == "1994-07-21"
    assert case["decided"].startswith(("grant by rule", "already_granted by rule"))
    assert case["policy"].startswith("8103, digest ")
    assert "AZE1111103" in case["asked"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d to \d{4}-\d\d-\d\d \d\d:\d\d", case["valid"])


def test_the_repeats_of_a_permit_come_with_it_newest_first(played: Played) -> None:
    """Both SMS were answered with the one permit; the second knew of it."""
    newest, oldest = as_json(played, reference.encode(1))
    assert (oldest["serial"], newest["serial"]) == (1, 2)
    assert newest["permit"] == oldest["permit"] == 1
    assert oldest["facts"]["permits"] == []
    assert [permit["code"] for permit in newest["facts"]["permits"]] == ["2"]
    assert (oldest["request"], newest["request"]) == ("2 AZE 1111103", "2 aze1111103")
    assert newest["reply"] == played.replies[1]


def test_a_refusal_has_a_rule_and_no_time(played: Played) -> None:
    """Why it was refused: the rule, and the fact that it rests on."""
    case = explained(played, reference.encode(3))
    assert case["decided"].startswith("refuse by rule ")
    assert case["born"] == "1950-05-17"
    assert "valid" not in case
    assert case["reply"] == f"{played.replies[2]}  [sent]"


def test_each_member_of_a_household_has_a_case_of_their_own(played: Played) -> None:
    """One SMS, one reply, two decisions."""
    granted, refused = (as_json(played, reference.encode(serial))[0] for serial in (4, 5))
    assert (granted["document"], granted["verdict"]) == ("AZE1111114", "grant")
    assert (refused["document"], refused["verdict"]) == ("AZE1111106", "refuse")
    assert granted["reply"] == refused["reply"] == played.replies[3]


def test_a_reply_of_several_lines_stays_in_its_column(played: Played) -> None:
    """The eye finds the next field."""
    case = explained(played, reference.encode(4))
    assert case["reply"] == f"{played.replies[3]}  [sent]"
    assert "\n" in case["reply"]


def test_json_is_whole_and_without_the_policy_file(played: Played) -> None:
    """A program gets instants, the digest that names the policy, and no hundred lines of it."""
    (case,) = as_json(played, reference.encode(3))
    assert case["reference"] == reference.encode(3)
    assert re.fullmatch(r"[0-9a-f]{64}", case["policy_digest"])
    assert "policy_source" not in case
    assert case["reply_state"] == "sent"
    assert case["facts"] == {
        "serial": case["serial"],
        "registered": True,
        "birth_date": "1950-05-17",
        "permits": [],
        "blocks": [],
        "quarantine_until_day": None,
        "region": None,
        "messages_today": None,
        "documents_today": None,
        "channel": "sms",
        "override": False,
    }
    deciding = [rule["rule"] for rule in case["trace"] if rule["decides"]]
    assert deciding == [case["rule"]] == ["senior"]
    assert case["instead"]["instead"]["rule"] == "granted"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00", case["at"])


def test_nothing_printed_names_a_phone(played: Played) -> None:
    """Whoever explains a permit need not learn who texted."""
    for form in ([], ["--json"]):
        result = smsd("explain", reference.encode(1), *form, "--config", played.config)
        assert PHONE not in result.stdout


@pytest.mark.parametrize("spell", [str.lower, lambda number: f"{number[:3]} {number[3:]}"])
def test_a_reference_may_be_typed_as_it_was_heard(played: Played, spell: Any) -> None:
    """Small letters, a space in the middle."""
    assert explained(played, spell(reference.encode(3)))["reference"] == reference.encode(3)


def test_a_reference_that_nobody_has_is_not_found(played: Played) -> None:
    """It is a reference, but no decision came so far; "hello" made none."""
    result = smsd("explain", reference.encode(6), "--config", played.config)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"No decision has the reference {reference.encode(6)}.\n"


def misread() -> list[str]:
    """A character exchanged, one too few, one too many, nothing, another alphabet's."""
    number = reference.encode(1)
    other = "2" if number[2] != "2" else "3"
    return [number[:2] + other + number[3:], number[:5], number + "2", "", "??????"]


@pytest.mark.parametrize("number", misread())
def test_a_misread_reference_is_told_from_an_unknown_one(played: Played, number: str) -> None:
    """The check character fails: the person read it wrongly, no store need be asked."""
    result = smsd("explain", number, "--config", played.config)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{number!r} is no reference: six characters")
    assert "misread" in result.stderr


def test_before_the_daemon_ran_there_is_no_store(config: Path) -> None:
    """The likely cause is named; the tool makes no empty store."""
    result = smsd("explain", reference.encode(1), "--config", config)
    assert result.exit_code == 1
    store = config.parent / "smsd.db"
    assert result.stderr == f"there is no store at {store}; has the daemon run yet?\n"
    assert not store.exists()


def test_a_file_that_is_no_store_is_named(config: Path) -> None:
    """Garbage, or a database of somebody else."""
    store = config.parent / "smsd.db"
    for content in (b"no database at all", b""):
        store.write_bytes(content)
        result = smsd("explain", reference.encode(1), "--config", config)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"{store} cannot be read as a store: ")


def test_a_permit_can_be_explained_after_its_policy_is_gone(played: Played) -> None:
    """The store keeps the policy that decided; the file may have moved on."""
    result = smsd(
        "explain",
        reference.encode(1),
        "--config",
        played.config,
        env={"SMSD_POLICY__FILE": "/no/policy.toml"},
    )
    assert result.exit_code == 0, result.stderr


def test_explain_reads_beside_the_running_daemon(played: Played) -> None:
    """From a process of its own, as an operator does."""
    options = ["--json", "--config", str(played.config)]
    command = [sys.executable, "-m", "smsd", "explain", reference.encode(1)]
    with Daemon(played.config) as daemon:
        daemon.wait_for("bound")
        said = subprocess.check_output([*command, *options])
    assert len(json.loads(said)) == 2
