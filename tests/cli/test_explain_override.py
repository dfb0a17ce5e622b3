"""`smsd explain` and `smsd policy replay --verify` of what an agent granted past a refusal."""

import io
import json
import sys
from datetime import date
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "gateway"))

from smsd_command import smsd
from virtual_reactor import NOON_US

import rules
from rules import reference
from smsd.gateway.adjudicate import Law, adjudicate
from smsd.gateway.counter import CHANNEL
from storage import DESK, InboundMessage, Register, SqliteStore
from storage.registry import import_csv

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"
POLICY = rules.load_policy(POLICY_FILE)
CONFIG = """\
[policy]
file = "{policy}"
[store]
url = "sqlite:///{folder}/smsd.db"
[register]
mode = "off"
[[smsc]]
name = "one"
password = "secret"
"""
TEXT = "2 AZE 3333333"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A store in which somebody of 90 was granted a permit by override."""
    import_csv(
        io.StringIO("person,document,birth_date\nP3,AZE3333333,1930-01-01\n"),
        tmp_path / "register.db",
        lambda text: text,
        date(2020, 4, 6),
    )
    register = Register(tmp_path / "register.db")
    store = SqliteStore(f"sqlite:///{tmp_path}/smsd.db")
    message = InboundMessage(
        NOON_US, DESK, "", "8103", 0, TEXT.encode(), TEXT, True, None, CHANNEL, override=True
    )
    with store.transaction(POLICY) as transaction:
        adjudicate(transaction, Law(POLICY), register, [message])
    store.close()
    register.close()
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.format(folder=tmp_path, policy=POLICY_FILE), encoding="utf-8")
    return file


def test_an_override_is_explained_as_one(config: Path) -> None:
    """What the law said, that an agent passed over it, and that it was read out."""
    told = smsd("explain", reference.encode(1), "--config", config).stdout
    for words in (
        "decided: grant by rule 'override'",
        "an agent asked that no refusal counts",
        "senior: applies and decides: refused",
        "By override of an agent senior did not count, and rule granted decided",
        "channel: call_centre",
        "[told]",
    ):
        assert words in told, told
    [case] = json.loads(smsd("explain", reference.encode(1), "--json", "--config", config).stdout)
    assert case["facts"]["override"] is True


def test_an_override_is_verified(config: Path) -> None:
    """Stored facts and policy give it again."""
    done = smsd("policy", "replay", "--since", "2020-04-01", "--verify", "--config", config)
    assert done.exit_code == 0, done.output
