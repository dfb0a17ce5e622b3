"""The policy room's pages and forms, over a real store: who sees what, who may do what."""

import re

import pytest
from desk_people import Person, person
from desk_stage import DeskStage
from study_child import LONGER, POLICY_FILE, candidate
from virtual_reactor import NOON_US, S_US

import rules
from smsd.desk.web.words import LANGUAGES, load_words
from storage import audit, policies, proposals, studies
from storage.proposal_states import Move, State, Why
from storage.roles import Role
from storage.studies import Outcome

TEXT = candidate(LONGER)
DIGEST = rules.parse_policy(TEXT, "longer.toml").digest
FOUND = '{"problems": [], "problems_count": 0}'
WHY = {"reason": "decree 17"}


@pytest.fixture
def aysel(desk: DeskStage) -> Person:
    """A policy officer, who proposes."""
    return person(desk, "aysel", Role.POLICY)


@pytest.fixture
def rauf(desk: DeskStage) -> Person:
    """A policy officer, who decides."""
    return person(desk, "rauf", Role.POLICY)


def propose(desk: DeskStage, text: str = TEXT, who: str = "aysel", found: str = FOUND) -> int:
    """A proposal with a study that found no fault."""
    url, digest = desk.config.store.url, rules.parse_policy(text, "new.toml").digest
    number = proposals.propose(url, text, digest, NOON_US - S_US, who, "decree 17")
    task = studies.begin_next(url)
    assert task is not None
    studies.end(url, task.study, NOON_US, Outcome.SOUND, found)
    return number


def state(desk: DeskStage, number: int) -> State:
    found = proposals.find(desk.config.store.url, number)
    assert found is not None
    return found.state


def decided_by(desk: DeskStage) -> str:
    """The digest that /metrics has as live."""
    text = person(desk, "watcher", Role.VIEWER).get("/metrics").text
    found = re.search(r'smsd_policy_info{digest="(\w+)",id="8103",role="live"} 1', text)
    assert found is not None, text
    return found[1]


def test_a_second_officer_puts_it_in_force_for_the_next_sms(
    desk: DeskStage, aysel: Person, rauf: Person
) -> None:
    """The page offers it, the form does it, the daemon decides by it, the audit says who."""
    number = propose(desk)
    page = f"/policy/proposals/{number}"
    assert f'formaction="{page}/activate"' in rauf.get(page).text
    done = rauf.post(f"{page}/activate", **WHY)
    assert (done.status, done.headers["location"]) == (303, "/policy?said=policy.activated")
    assert f">{DIGEST[:12]}<" in rauf.get("/policy").text
    assert state(desk, number) is State.ACTIVATED
    lines = [(line.who, line.action, line.reason) for line in audit.since(desk.config.store.url, 0)]
    at = lines.index(("rauf", "policy_activate", "decree 17"))
    assert ("smsd", "policy_in_force", "") in lines[at:]


def test_the_proposer_cannot(desk: DeskStage, aysel: Person) -> None:
    """Neither by the page, which offers to withdraw only, nor by a form of his own."""
    number = propose(desk)
    page = f"/policy/proposals/{number}"
    shown = aysel.get(page).text
    assert f"{page}/withdraw" in shown
    assert f"{page}/activate" not in shown
    for move in ("activate", "decline", "queue"):
        refused = aysel.post(f"{page}/{move}", due="2020-04-07T00:00", **WHY)
        assert refused.status == 409, move
        assert "another policy officer must decide" in refused.text
    assert state(desk, number) is State.PROPOSED
    assert aysel.post(f"{page}/withdraw", **WHY).status == 303
    assert state(desk, number) is State.WITHDRAWN


def test_without_a_reason_nothing_is_done(desk: DeskStage, rauf: Person) -> None:
    """Blanks are none; the page says so by the field, and keeps the other things typed."""
    number = propose(desk)
    page = f"/policy/proposals/{number}"
    for move in ("activate", "decline", "queue", "shadow"):
        asked = rauf.post(f"{page}/{move}", reason=" \n ", due="2020-05-01T00:00")
        assert asked.status == 400
        assert "Give a reason" in asked.text
        assert 'value="2020-05-01T00:00"' in asked.text
    assert rauf.post("/policy/rollback", digest="x").status == 400
    assert state(desk, number) is State.PROPOSED


@pytest.mark.parametrize(
    ("due", "said"),
    [
        ("2020-04-06T11:59", "This time is past"),
        ("2020-04-06T12:01", None),  # noon in Baku is now
        ("2021-04-08T00:00", "more than a year away"),
        ("0001-01-01T00:00", "is not a time"),
        ("9999-12-31T23:59", "is not a time"),
        ("tomorrow", "is not a time"),
        ("", "is not a time"),
    ],
)
def test_a_time_is_typed_on_the_clock_of_the_policy(
    desk: DeskStage, rauf: Person, due: str, said: str | None
) -> None:
    """What is no time, past or a slip of the year is said; the rest is queued and shown."""
    number = propose(desk)
    answer = rauf.post(f"/policy/proposals/{number}/queue", due=due, **WHY)
    if said is None:
        assert answer.status == 303
        assert 'data-due="1586160060000"' in rauf.get("/policy").text
    else:
        assert answer.status in (400, 409)
        assert said in answer.text
    assert (state(desk, number) is State.QUEUED) is (said is None)


def test_a_study_against_another_policy_is_said_and_made_again(
    desk: DeskStage, rauf: Person
) -> None:
    """Before it is tried, and when it is tried all the same."""
    number = propose(desk)
    other = propose(desk, candidate(("value = 65", "value = 66")))
    page, stale = f"/policy/proposals/{number}", "came in force since it was studied"
    assert stale not in rauf.get(page).text
    assert rauf.post(f"/policy/proposals/{other}/activate", **WHY).status == 303
    assert stale in rauf.get(page).text
    refused = rauf.post(f"{page}/activate", **WHY)
    assert (refused.status, stale in refused.text) == (409, True)
    url = desk.config.store.url
    studies.ask(url, number, NOON_US, "rauf")
    waiting = rauf.get(f"{page}/study")
    assert (waiting.status, '"ended":false' in waiting.text) == (200, True)
    task = studies.begin_next(url)
    assert task is not None
    studies.end(url, task.study, NOON_US, Outcome.SOUND, FOUND)
    assert '"ended":true' in rauf.get(f"{page}/study").text
    assert rauf.post(f"{page}/activate", **WHY).status == 303


def test_one_officer_goes_back_in_an_emergency(desk: DeskStage, rauf: Person) -> None:
    """At once, to the one before; a page that was loaded before does nothing a second time."""
    first = decided_by(desk)
    rauf.post(f"/policy/proposals/{propose(desk)}/activate", **WHY)
    form = {"digest": first, "reason": "it grants too much"}
    assert rauf.post("/policy/rollback", **form).headers["location"].endswith("policy.rolled_back")
    again = rauf.post("/policy/rollback", **form)
    assert (again.status, "came in force in between" in again.text) == (400, True)
    newest = policies.history(desk.config.store.url)[0]
    assert (newest.action, newest.digest, newest.who) == ("rollback", first, "rauf")
    actions = [line.action for line in audit.since(desk.config.store.url, 0)]
    assert actions.count("policy_rollback_alone") == 1


def test_going_back_can_be_proposed_as_well(desk: DeskStage, aysel: Person, rauf: Person) -> None:
    """Then it is a proposal as any other, and the history calls it a rollback."""
    first = decided_by(desk)
    rauf.post(f"/policy/proposals/{propose(desk)}/activate", **WHY)
    made = aysel.post("/policy/propose/return", digest=first, **WHY)
    page = made.headers["location"].partition("?")[0]
    assert page.startswith("/policy/proposals/")
    assert "was in force before" in aysel.get(page).text
    wrong = aysel.post("/policy/propose/return", digest="x", **WHY)
    assert wrong.headers["location"] == "/policy?said=policy.why_moved_on"


def test_a_candidate_is_tried_in_the_shadow(desk: DeskStage, rauf: Person) -> None:
    """By one person, as phones notice nothing; and taken off again."""
    number = propose(desk)
    assert rauf.post(f"/policy/proposals/{number}/shadow", **WHY).status == 303
    url = desk.config.store.url
    shadow = policies.shadow(url)
    assert shadow is not None
    assert shadow.digest == DIGEST
    assert "it agreed with every decision so far" in rauf.get("/policy").text
    assert rauf.post("/policy/shadow/end", **WHY).status == 303
    assert policies.shadow(url) is None
    elsewhere = propose(desk, candidate(("Asia/Baku", "Asia/Tbilisi")))
    refused = rauf.post(f"/policy/proposals/{elsewhere}/shadow", **WHY)
    assert (refused.status, "Asia/Tbilisi" in refused.text) == (409, True)


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_its_part(desk: DeskStage, role: Role) -> None:
    """The law is for all; what is proposed for policy, audit and admin; acts for policy."""
    number = propose(desk)
    visitor = person(desk, "somebody", role)
    page = f"/policy/proposals/{number}"
    readers = role in (Role.POLICY, Role.AUDITOR, Role.ADMIN)
    law = visitor.get("/policy")
    assert law.status == 200
    assert "the person is 65 or older" in law.text
    assert ("decree 17" in law.text) is readers
    assert visitor.get(page).status == (200 if readers else 403)
    officer = role is Role.POLICY
    assert ("/activate" in visitor.get(page).text) is officer
    assert visitor.get("/policy/propose").status == (200 if officer else 403)
    assert visitor.post(f"{page}/activate", **WHY).status == (303 if officer else 403)


@pytest.mark.parametrize("number", ["99", "0", "-1", "x", "1" * 30, "%00", "¹"])
def test_what_is_not_there_is_not_there(desk: DeskStage, rauf: Person, number: str) -> None:
    """Whatever stands in the address."""
    for path in ("", "/file", "/study"):
        assert rauf.get(f"/policy/proposals/{number}{path}").status == 404
    assert rauf.post(f"/policy/proposals/{number}/activate", **WHY).status == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_law_is_told_in_each_language_as_of_any_date(
    desk: DeskStage, rauf: Person, language: str
) -> None:
    """Before its first date it is not in force; a date that is none is said."""
    told = {"en": "not in force", "az": "qüvvədə deyil", "ru": "не действует"}
    early = rauf.get(f"/policy?at=2020-04-04T23:59&lang={language}")
    assert early.status == 200
    assert told[language] in early.text
    assert rauf.get("/policy?at=2020-13-01T00:00").status == 400
    assert rauf.get("/policy?at=9999-12-31T23:59").status == 400


def test_the_text_in_force_can_be_had_and_started_from(desk: DeskStage, rauf: Person) -> None:
    """As it is, octet by octet; and within the form, escaped."""
    assert rauf.get("/policy/file").text == POLICY_FILE.read_text(encoding="utf-8")
    assert "id = &#34;8103&#34;" in rauf.get("/policy/propose?start=in-force").text
    number = propose(desk)
    assert rauf.get(f"/policy/proposals/{number}/file").text == TEXT


def test_without_a_process_to_check_it_nothing_is_proposed(desk: DeskStage, aysel: Person) -> None:
    """A machine at its limits: the form says so and keeps what was typed; the room stays open."""
    got = aysel.post("/policy/propose", text=TEXT, **WHY)
    assert got.status == 400
    assert "no process could be started (Resource temporarily unavailable)" in got.text
    assert "id = &#34;8103&#34;" in got.text
    assert proposals.recent(desk.config.store.url, 10) == []
    assert "This is being found out." in aysel.get("/policy").text
    assert "This is being found out." in aysel.get("/policy").text


def test_what_is_queued_and_would_be_kept_back_is_said_at_once(
    desk: DeskStage, rauf: Person
) -> None:
    """Not only at its midnight, when nobody is there."""
    number = propose(desk)
    first = decided_by(desk)
    rauf.post(f"/policy/proposals/{number}/queue", due="2020-04-07T00:00", **WHY)
    assert "will be kept back" not in rauf.get("/policy").text
    other = propose(desk, candidate(("value = 65", "value = 66")))
    rauf.post(f"/policy/proposals/{other}/activate", **WHY)
    assert "will be kept back" in rauf.get("/policy").text
    assert rauf.post("/policy/rollback", digest=first, **WHY).status == 303
    assert "will be kept back" not in rauf.get("/policy").text


def test_what_a_study_found_is_escaped(desk: DeskStage, rauf: Person) -> None:
    """Whatever a policy calls its rules, a page runs none of it."""
    evil = "<script>alert(1)</script>"
    found = FOUND.replace(
        "[]", f'[{{"file": "", "line": 1, "key": "{evil}", "message": "{evil}"}}]'
    )
    page = rauf.get(f"/policy/proposals/{propose(desk, found=found)}").text
    assert evil not in page
    assert "&lt;script&gt;" in page


def test_everything_that_can_be_said_has_words() -> None:
    """Each state, move, step and refusal, in each language."""
    words = load_words()
    steps = ("wait", "examine", "compare", "recorded", "cascading", "done")
    for key in (
        *(f"why_{why.name.lower()}" for why in Why),
        *(f"state_{each.value}" for each in State),
        *(f"move_{each.value}" for each in Move),
        *(f"step_{step}" for step in steps),
        *(f"outcome_{outcome.value}" for outcome in Outcome),
    ):
        assert words.knows(f"policy.{key}"), key
