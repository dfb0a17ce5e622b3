"""The audit as auditors read it: who, what, when, about whom; shortened, whole for a reason."""

import hashlib
import json
import re

import pytest
from desk_people import Person, person, url_of
from desk_stage import DeskStage, Got

from smsd.desk.rooms.audit import ACTIONS
from smsd.desk.web.words import load_words
from storage import audit
from storage.purge import purge
from storage.roles import Role

PHONE = "994500000123"
DAY_US = 86_400_000_000


@pytest.fixture
def auditor(desk: DeskStage) -> Person:
    """An auditor at a desk where this and that was done, today and the day before."""
    somebody = person(desk, "ayten", Role.AUDITOR)
    url, now_us = url_of(desk), desk.clock.utc_us()
    audit.note(url, now_us - DAY_US, "rashad", "check", "permit YPYARV", "at the gate", PHONE)
    audit.note(url, now_us, "rashad", "check", "permit M4NJAA", "in the street", "AZE1111111")
    audit.note(url, now_us, "leyla", "override", "code 2", "<i>doctor</i>", PHONE)
    audit.note(url, now_us, "smsd", "a_new_act", "", "")
    return somebody


def reasons(got: Got) -> list[str]:
    """Of the lines that are shown."""
    assert got.status == 200
    rows = re.findall(r"<tr>\s*<th scope=\"row\".*?</tr>", got.text, re.DOTALL)
    return [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)[-1] for row in rows]


def last_line(auditor: Person) -> audit.AuditLine:
    return audit.lines(url_of(auditor.desk), 1)[0]


def test_lines_are_told_in_words_and_shortened(auditor: Person) -> None:
    """Newest first; an act that has no words yet by its name; nothing in them is markup."""
    got = auditor.get("/audit")
    told = reasons(got)
    assert told[:4] == ["", "&lt;i&gt;doctor&lt;/i&gt;", "in the street", "at the gate"]
    assert "granted by override" in got.text
    assert "a_new_act" in got.text
    assert PHONE not in got.text
    assert "AZE1111111" not in got.text
    assert got.text.count("…123") == 2
    assert "icazəni yoxladı" in auditor.get("/audit?lang=az").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("who=rashad", ["in the street", "at the gate"]),
        ("who=rashad&day=2020-04-06", ["in the street"]),
        ("action=check&day=2020-04-05", ["at the gate"]),
        ("who=nobody", []),
        ("who=rashad&action=override", []),
        ("before=4&who=rashad", ["at the gate"]),
        ("before=x&who=rashad&before=1", ["in the street", "at the gate"]),
    ],
)
def test_lines_are_picked_by_person_act_and_day(
    auditor: Person, query: str, found: list[str]
) -> None:
    """All together; what is no number is nothing."""
    numbered = query.replace("before=4", f"before={number_of(auditor, 'in the street')}")
    assert reasons(auditor.get(f"/audit?{numbered}")) == found


def number_of(auditor: Person, reason: str) -> int:
    (number,) = [line.id for line in audit.lines(url_of(auditor.desk), 99) if line.reason == reason]
    return number


@pytest.mark.parametrize("day", ["yesterday", "2020-13-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_is_none_is_said_so(auditor: Person, day: str) -> None:
    """Beside the field, with what was typed."""
    got = auditor.get(f"/audit?day={day}")
    assert got.status == 400
    assert "Write the day as year-month-day" in got.text
    assert f'value="{day}"' in got.text


def test_pages_go_on_where_the_one_before_ended(auditor: Person) -> None:
    """With the same filter, to the last line."""
    url = url_of(auditor.desk)
    for number in range(120):
        audit.note(url, 1, "rashad", "check", "permit", f"check {number}")
    seen: list[str] = []
    path: str | None = "/audit?who=rashad&action=check"
    while path is not None:
        got = auditor.get(path)
        seen += reasons(got)
        older = re.findall(r'href="(/audit\?[^"]*before=\d+)"', got.text)
        path = older[0].replace("&amp;", "&") if older else None
    assert seen == [
        *(f"check {number}" for number in reversed(range(120))),
        "in the street",
        "at the gate",
    ]


def test_whole_numbers_are_shown_for_a_reason_that_is_audited(auditor: Person) -> None:
    """Those that were chosen, or all about one phone; who looked for it stands there, too."""
    refused = auditor.post("/audit/whole", about=PHONE)
    assert refused.status == 400
    assert "Give a reason" in refused.text
    assert f">{PHONE}</td>" not in refused.text
    got = auditor.post("/audit/whole", about="+994 50 000 01 23", reason="complaint 7")
    assert reasons(got) == ["&lt;i&gt;doctor&lt;/i&gt;", "at the gate"]
    assert got.text.count(f">{PHONE}</td>") == 2
    first, last = (number_of(auditor, each) for each in ("at the gate", "<i>doctor</i>"))
    which = f"#{first}-#{last} (2)"
    assert last_line(auditor)[2:7] == ("ayten", "audit_whole", which, "complaint 7", PHONE)
    chosen = auditor.post("/audit/whole", who="rashad", day="2020-04-06", reason="complaint 8")
    assert reasons(chosen) == ["in the street"]
    assert ">AZE1111111</td>" in chosen.text
    assert last_line(auditor).about == ""
    auditor.post("/audit/whole", who="nobody", reason="complaint 9")
    assert last_line(auditor).subject == "(0)"


def test_a_day_that_is_none_reveals_nothing(auditor: Person) -> None:
    """Not the newest lines instead of those that were meant; and nothing is noted as seen."""
    before = last_line(auditor)
    got = auditor.post("/audit/whole", day="2020-02-30", reason="complaint 9")
    assert got.status == 400
    assert f">{PHONE}</td>" not in got.text
    assert ">AZE1111111</td>" not in got.text
    assert last_line(auditor) == before


def test_what_was_erased_is_told_so(auditor: Person) -> None:
    """Not as if the line had been about nobody."""

    now_us = auditor.desk.clock.utc_us()
    list(purge(url_of(auditor.desk), now_us, now_us, "operator", "decree", "old"))
    got = auditor.get("/audit?who=rashad&day=2020-04-05")
    assert ">erased<" in got.text
    assert "…123" not in got.text


def test_an_export_can_be_verified_by_others(auditor: Person) -> None:
    """One JSON object a line, whole; its hashes follow from what stands in it."""
    assert auditor.post("/audit/export").status == 400
    got = auditor.post("/audit/export", reason="for the data-protection authority")
    assert (got.status, got.headers["content-type"]) == (200, "application/x-ndjson")
    lines = [json.loads(line) for line in got.text.splitlines()]
    noted = last_line(auditor)
    assert (noted.action, noted.reason) == ("audit_export", "for the data-protection authority")
    assert noted.subject == f"#1-#{noted.id - 1} ({noted.id - 1})"
    assert len(lines) == noted.id - 1
    assert PHONE in {line["about"] for line in lines}
    before = "0" * 64
    for line in reversed(lines):
        names = ("id", "at_us", "who", "action", "subject", "reason", "about_digest")
        text = json.dumps([before, *(line[name] for name in names)], separators=(",", ":"))
        before = hashlib.sha256(text.encode("ascii")).hexdigest()
        assert before == line["hash"]
    some = auditor.post("/audit/export", who="rashad", reason="again").text.splitlines()
    assert [json.loads(line)["reason"] for line in some] == ["in the street", "at the gate"]


def test_each_act_that_can_be_asked_for_has_words() -> None:
    """In the list to choose from nobody meets a name with underscores."""
    words = load_words()
    assert [action for action in ACTIONS if not words.knows(f"audit.action_{action}")] == []
    assert len(set(ACTIONS)) == len(ACTIONS)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT, Role.POLICE, Role.POLICY])
def test_the_audit_is_for_auditors_and_admins(desk: DeskStage, role: Role) -> None:
    """Read, exported, verified."""
    somebody = person(desk, "leyla", role)
    assert somebody.get("/audit").status == 403
    for way in ("whole", "export", "verify"):
        assert somebody.post(f"/audit/{way}", reason="r").status == 403
    assert person(desk, "ayten", Role.ADMIN).get("/audit").status == 200


def test_the_newest_hash_is_shown_to_be_noted(auditor: Person) -> None:
    """As the log has it."""
    head = audit.head(url_of(auditor.desk))
    assert head is not None
    assert head.hash in auditor.get("/audit").text


@pytest.mark.parametrize("head", ["beef", "g" * 64])
def test_a_hash_that_is_none_is_refused_with_what_was_typed(auditor: Person, head: str) -> None:
    """A slip in copying must not look like a cut audit."""
    got = auditor.post("/audit/verify", head=head)
    assert got.status == 400
    assert "A hash has 64 characters" in got.text
    assert f'value="{head}"' in got.text
