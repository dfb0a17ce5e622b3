"""Recorded traffic with replies that came too late, proved and played again."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "storage"))

from lived_traffic import BEGIN_US, HOUR_US, live, live_through_outage, policy, sms

from rules import CompiledPolicy
from rules.analysis.recorded import RecordedMessage, reproduces
from rules.analysis.replay import Mode, replay
from storage.recorded import recording
from storage.upkeep import verify

MORNING_US = BEGIN_US + 14 * HOUR_US  # 6 April, 10:00 in Baku
EVENING_US = MORNING_US + 10 * HOUR_US
PHONE, OTHER_PHONE = "994500000001", "994500000002"
AN_HOUR = ('value = 120, source = "seed: codes', 'value = 60, source = "seed: codes')
GRANT = 'verdict = "grant"\nwindow = "window"\n'
WITH_REPLY = [
    (GRANT, f'{GRANT}window_from = "reply"\n'),
    (": {document}, {from_day} {from}–{until}, №", ": {document}, №"),
    (": {document}, {from_day} {from}-{until}.", ": {document}."),
    ("{document} {from}-{until} {reference}", "{document} {reference}"),
]
EXPLAINS = [
    (
        'action = "renew"',
        'action = "explain"\nreply = "too-late"',
    ),
    (
        "[replies.too-much]",
        "[replies.too-late]\nsegments_max = 1\n"
        'text = { az = "Gec oldu", az-ascii = "Gec oldu", en = "Too late", ru = "Поздно" }\n\n'
        "[replies.too-much]",
    ),
]
LAWS = {"renews": [], "from the reply on": WITH_REPLY, "explains": EXPLAINS}


def lived(folder: Path, law: CompiledPolicy, resent: bool = False) -> list[RecordedMessage]:
    """A person, a household with the same one in it, and an evening after the outage."""
    url = f"sqlite:///{folder}/smsd.db"
    texts = [(PHONE, "2 AZE 1111111"), (OTHER_PHONE, "2 AZE 2222222, AZE 1111111")]
    messages = [sms(text, MORNING_US + n, phone) for n, (phone, text) in enumerate(texts)]
    live_through_outage(url, law, messages, MORNING_US + 3 * HOUR_US, resent)
    live(url, law, [[sms(text, EVENING_US, phone)] for phone, text in texts])
    assert not any(verify(url, lambda _check: None).values())
    return list(recording(url, 0).messages())


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("resent", [False, True])
def test_every_decision_is_reproduced(tmp_path: Path, law: str, resent: bool) -> None:
    """Those whose permit was taken back, those made anew, and those that met what was left."""
    decided_by = policy(*LAWS[law])
    messages = lived(tmp_path, decided_by, resent)
    assert sum(len(message.decisions) for message in messages) >= 6
    for message in messages:
        for decision in message.decisions:
            assert reproduces(decision, message, decided_by) == []


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("mode", ["recorded", "cascading"])
def test_the_same_policy_changes_nothing(tmp_path: Path, law: str, mode: Mode) -> None:
    """In a history made anew too, permits are taken back where they were."""
    decided_by = policy(*LAWS[law])
    assert list(replay(lived(tmp_path, decided_by), decided_by, mode)) == []


def test_permits_that_stood_stand_again(tmp_path: Path) -> None:
    """Perhaps the replies had arrived: the SMS were decided anew beside their permits."""
    messages = lived(tmp_path, policy(), resent=True)
    assert [m.takes_back for m in messages] == [()] * len(messages)
    assert list(replay(messages, policy(), "cascading")) == []


def test_a_message_tells_which_permits_went_before_it(tmp_path: Path) -> None:
    """The renewed SMS of a household names only what was taken back of its own."""
    messages = lived(tmp_path, policy())
    assert [m.takes_back for m in messages] == [(), (), (1,), (2,), (), ()]
    rules = [[d.rule for d in m.decisions] for m in messages]
    assert rules[2:4] == [["granted"], ["granted", "repeat"]]


def test_another_policy_is_tried_on_renewed_sms_too(tmp_path: Path) -> None:
    """An hour instead of two for the first decisions and for those made anew."""
    messages = lived(tmp_path, policy())
    found = [(c.old, c.new) for c in replay(messages, policy(AN_HOUR), "cascading")]
    repeat = ("already granted 120 min", "already granted 60 min")
    grant = ("grant 120 min", "grant 60 min")
    assert found == [grant, grant, repeat, grant, grant, repeat]
