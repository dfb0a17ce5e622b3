"""A study, made by the process that makes them: what it finds, and how it ends."""

import sys
from pathlib import Path

import pytest
from study_child import LONGER, POLICY_FILE, begin, candidate, finish, found

sys.path.append(str(Path(__file__).parents[1] / "storage"))  # lived_traffic

from lived_traffic import BEGIN_US, HOUR_US, live_for_days

import rules
from rules.analysis.replay import UNDECIDABLE
from smsd.desk.rooms.policy_findings import Direction, findings_of
from smsd.desk.rooms.policy_outcomes import outcome_of
from smsd.desk.study.findings import ROWS_MAX
from smsd.desk.study.job import ExamineJob, StudyJob

OLD = POLICY_FILE.read_text(encoding="utf-8")
SENIOR_LINE = OLD[: OLD.index('reply = "senior"')].count("\n") + 1
MESSAGES = 900
NOW_US = BEGIN_US + 27 * HOUR_US  # 6 April, 23:00


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store in which a day and more has been lived."""
    folder = tmp_path_factory.mktemp("lived")
    url = f"sqlite:///{folder}/smsd.db"
    live_for_days(url, folder, rules.load_policy(POLICY_FILE), MESSAGES, 5)
    return url


def test_a_study_tells_what_changes_for_whom_and_for_yesterdays_phones(url: str) -> None:
    """Three hours instead of two, and two years more: decisions, replies and traffic say so."""
    new = candidate(
        LONGER,
        ("value = 65", "value = 68"),
        ("[codes.3]\n", "[codes.3]\nurgent = true\n"),
        ("Carry the document", "Carry your document"),
    )
    said = finish(begin(StudyJob(url, OLD, new, NOW_US)))
    fractions = [data[1] for word, data in said if word == "progress"]
    assert fractions == sorted(fractions)
    assert (fractions[0], fractions[-1]) == (0.0, 1.0)
    steps = [data[0] for word, data in said if word == "progress"]
    assert list(dict.fromkeys(steps)) == ["examine", "compare", "recorded", "cascading", "done"]
    data = said[-1][1]
    assert data["problems"] == []
    assert "codes 1, 3" in data["changes"]["decisions"][0]["words"]
    assert "witness" not in data["changes"]["decisions"][0]
    told = findings_of(data)
    assert told.decisions[0]["who"].endswith("age 65 to 67")
    assert findings_of(data, "az").decisions[0]["who"].endswith("yaş 65-67")
    assert findings_of(data, "ru").decisions[0]["who"].endswith("возраст 65-67")
    assert {row["direction"] for row in told.decisions} == {Direction.LOOSER, Direction.OTHER}
    assert told.handling == [("3", "in_turn", "first", "")]
    [rewording] = told.rewordings
    assert [piece.words for piece in rewording.after if piece.changed] == [" your"]
    assert told.coverage is not None
    assert told.coverage["gaps"] == []
    assert told.coverage["untested"]
    recorded, cascading = told.replays["recorded"], told.replays["cascading"]
    assert recorded.data["messages"] == MESSAGES
    kinds = {(row.old.told, row.new.told): row.amount for row in recorded.changes}
    assert kinds["grant 120 min", "grant 180 min"] > kinds["refuse (senior)", "grant 180 min"] > 0
    assert all(row.old.kind != "other" != row.new.kind for row in cascading.changes)
    assert sum(kinds.values()) == recorded.data["changed"]
    assert sum(share.amount for share in recorded.directions) == recorded.data["changed"]
    assert cascading.data["changed"] > recorded.data["changed"]
    assert all(example["reference"] for row in recorded.changes for example in row.examples)


@pytest.mark.parametrize(
    ("told", "kind", "granted"),
    [
        ("grant 120 min", "grant", True),
        ("grant 120 min, in 15 min", "grant", True),
        ("grant 120 min from the reply on", "from_reply", True),
        ("already granted 120 min, at another time", "held", True),
        ("grant 60 min, with nothing known of the person", "grant", True),
        ("refuse (once-a-day)", "refuse", False),
        ("not understood (unknown_code)", "not_understood", False),
        ("command", "command", False),
        ("silent", "silent", False),
        (UNDECIDABLE, "undecidable", False),
        ("something new", "other", False),
    ],
)
def test_what_a_replay_says_is_taken_apart(told: str, kind: str, granted: bool) -> None:
    """As `rules.analysis.replay` words it; what it may say tomorrow is told as it is."""
    outcome = outcome_of(told)
    assert (outcome.kind, outcome.granted, outcome.told) == (kind, granted, told)
    assert outcome.moved is ("another time" in told)
    assert outcome.blindly is ("nothing known" in told)
    assert outcome.delay == (15 if "15" in told else 0)
    assert outcome.minutes == (int(told.split(" min")[0].split()[-1]) if granted else 0)


def test_how_replies_are_handled_is_taken_apart() -> None:
    """As `rules.analysis.diff` words it, the reply that explains among it."""
    changes = {
        "decisions": [],
        "decisions_count": 0,
        "replies": [],
        "replies_count": 0,
        "handling": [
            {"code": "4", "before": "no such code", "after": "first"},
            {"code": None, "before": "nothing follows", "after": "explained (too-late)"},
            {"code": None, "before": "decided anew", "after": "nothing follows"},
        ],
    }
    none = {"messages": 0, "changed": 0, "changes": []}
    replay = {"since_us": 0, "until_us": 1, "recorded": none, "cascading": none}
    data = {"problems": [], "problems_count": 0, "changes": changes, "replay": replay}
    assert findings_of(data).handling == [
        ("4", "no_code", "first", ""),
        (None, "nothing", "explained", "too-late"),
        (None, "anew", "nothing", ""),
    ]


def test_yesterday_begins_at_its_midnight(url: str) -> None:
    """Not 24 hours back: a day later the first evening is no longer of interest."""
    # The store begins on 5 April at 20:00; a civil day before any instant of the 6th is the 5th.
    on_the_sixth = found(StudyJob(url, OLD, candidate(), BEGIN_US + 28 * HOUR_US - 1))
    on_the_seventh = found(StudyJob(url, OLD, candidate(), BEGIN_US + 28 * HOUR_US))
    assert on_the_sixth["replay"]["since_us"] == BEGIN_US - 20 * HOUR_US
    assert on_the_seventh["replay"]["since_us"] == BEGIN_US + 4 * HOUR_US
    counts = [data["replay"]["recorded"]["messages"] for data in (on_the_sixth, on_the_seventh)]
    assert counts[0] == MESSAGES > counts[1] > 0


def test_what_cannot_be_compared_is_said(url: str) -> None:
    """Days of another zone: the policy is sound, and nobody is told that nothing changes."""
    data = found(StudyJob(url, OLD, candidate(("Asia/Baku", "Asia/Tbilisi")), NOW_US))
    assert data["problems"] == []
    told = findings_of(data)
    assert "different zones" in told.changes_fault
    assert not told.compared


def test_a_faulty_policy_is_studied_as_far_as_it_goes(url: str) -> None:
    """A gap is shown with who falls into it; nothing is replayed that cannot be decided."""
    granted = 'id = "granted"\n'
    gap = candidate((granted, granted + 'except = { code = ["3"] }\n'))
    data = found(StudyJob(url, OLD, gap, NOW_US))
    assert any("meets no rule" in problem["message"] for problem in data["problems"])
    assert {gap["code"] for gap in data["coverage"]["gaps"]} == {"3"}
    assert "replay" not in data
    assert findings_of(data).coverage is not None


def test_rows_are_cut_and_counted(url: str) -> None:
    """Whatever a policy changes, a page can show."""
    history = (POLICY_FILE.parent / "az-8103-history.toml").read_text(encoding="utf-8")
    changes = found(StudyJob(url, OLD, history, NOW_US))["changes"]
    assert len(changes["decisions"]) == min(ROWS_MAX, changes["decisions_count"])
    many = found(ExamineJob("x", "[policy]\n" + "".join(f"k{n} = 1\n" for n in range(500))))
    assert len(many["problems"]) == ROWS_MAX < 500 < many["problems_count"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "is missing"),
        ("policy:\n  id: 8103\n", 1, "Expected '='"),
        ("k = " + "[" * 100_000, None, "far too deep"),
        ("a = 1\n" * 100_000, 2, "Cannot overwrite"),
        ("\x00", 1, "Invalid"),
        (OLD.replace('reply = "senior"', 'reply = "seniors"'), SENIOR_LINE, "there is no reply"),
    ],
    ids=["empty", "yaml", "deep", "repeated", "nul", "no such reply"],
)
def test_what_is_no_policy_gets_its_line_and_no_trace(
    text: str, line: int | None, message: str
) -> None:
    """Each with what is wrong; the process ends in good order."""
    data = found(ExamineJob("law.toml", text))
    assert data["problems_count"] >= 1
    assert any(message in problem["message"] for problem in data["problems"]), data
    if line is not None:
        assert line in [problem["line"] for problem in data["problems"]]


def test_a_study_of_a_store_that_is_not_there_fails_without_a_trace(tmp_path: Path) -> None:
    """It says where, not what: an SMS might stand in the message."""
    job = StudyJob(f"sqlite:///{tmp_path}/none.db", OLD, candidate(), NOW_US)
    [*_, (word, data)] = finish(begin(job))
    assert word == "failed"
    assert data.startswith("StoreError in ")


def test_the_process_ends_with_the_daemon(url: str) -> None:
    """Its standard input ends when the daemon is killed, and nothing is studied for nobody."""
    process = begin(StudyJob(url, OLD, candidate(), NOW_US))
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"progress")
    process.stdin.close()
    with process.stdout:
        assert b"found" not in process.stdout.read()
    assert process.wait(60) == 1
