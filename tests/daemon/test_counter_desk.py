"""Agents and police at the desk of a real daemon: real TCP, real phones, a real store."""

import itertools
import os
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from daemon_process import Daemon, smsc_section, write_config
from desk_visitor import DeskVisitor, Got

from rules.reference import encode
from simulators.control_client import ControlClient
from simulators.process import SmscProcess
from storage import audit
from storage.roles import Role, Scope
from storage.sqlite_library import dbapi
from storage.upkeep import verify

UNTIL = (date.today() + timedelta(days=9)).isoformat()  # noqa: DTZ011 - any day that is far off
UNKNOWN = encode(9_999_999)
BOUNDS = "checks_per_minute_max = 6\noverrides_per_day_max = 2"
_numbers = itertools.count(1_111_111)


class Open:
    """A running daemon with its desk, and an SMSC with phones."""

    def __init__(self, daemon: Daemon, config: Path, phones: ControlClient) -> None:
        self.daemon = daemon
        self.config = config
        self.phones = phones
        self.address = daemon.wait_for("started")["desk"]
        daemon.wait_for("bound")
        self.url = f"sqlite:///{config.parent}/smsd.db"


class Caller:
    """Somebody with a phone and a card, and who deals with him; nobody else's names are theirs."""

    def __init__(self, desk: Open) -> None:
        self.desk = desk
        self.number = next(_numbers)
        self.phone = f"99450{self.number}"
        self.document = f"AZE{self.number}"
        self.typed = f"AZE {self.number}"
        self.agent = self.another("agent")
        desk.phones.watch(self.phone)

    def another(self, kind: str) -> DeskVisitor:
        """One more agent, or somebody of the police."""
        role = Role.POLICE if kind == "police" else Role.AGENT
        return DeskVisitor.of(self.desk.address, self.desk.url, self.name(kind), role)

    def program(self, kind: str, scope: Scope = Scope.CHECK) -> DeskVisitor:
        """A program of the police, or another."""
        return DeskVisitor.with_token(self.desk.address, self.desk.url, self.name(kind), scope)

    def name(self, kind: str) -> str:
        """Of one of these."""
        return f"{kind}-{self.number}"

    def text(self, code: str = "2") -> str:
        """Ask by SMS, in English; the reply."""
        return self.say(f"{code} {self.typed} EN")

    def say(self, words: str) -> str:
        """Text; the reply."""
        return self.desk.phones.text(self.phone, words).text

    def granted(self) -> str:
        """The reference of a permit with code 2."""
        found = re.search(r"Reference (\w{6})", self.text())
        assert found is not None
        return found[1]

    def ask(self, agent: DeskVisitor | None = None) -> Got:
        """Ask by the call centre, with code 2; what the answer leads to."""
        form = {"document": self.typed, "code": "2", "reason": "his phone is lost"}
        got = (agent or self.agent).post("/look-up/ask", **form)
        assert got.status == 303, got.text
        return (agent or self.agent).get(got.location.partition("?")[0])

    def told(self, action: str, kind: str = "agent") -> list[audit.AuditLine]:
        """The lines of the audit about what one of these did."""
        lines = audit.since(self.desk.url, 0)
        return [line for line in lines if (line.action, line.who) == (action, self.name(kind))]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Open and bound, with bounds that tests meet; they share it."""
    folder = tmp_path_factory.mktemp("desk")
    with SmscProcess("--retry-delay", "0.05") as smsc, smsc.client() as phones:
        config = write_config(folder, [smsc_section(smsc.port)], desk=BOUNDS)
        with Daemon(config) as daemon:
            yield Open(daemon, config, phones)


@pytest.fixture
def caller(desk: Open) -> Caller:
    """One for each test."""
    return Caller(desk)


def number_in(location: str) -> str:
    """The number of the conversation that a redirect leads to."""
    found = re.match(r"/look-up/(\d+)", location)
    assert found, location
    return found[1]


def serial_in(got: Got) -> str:
    """The refusal that a page offers to pass over."""
    found = re.search(r'name="serial" value="(\d+)"', got.text)
    assert found, got.text
    return found[1]


# Looking up.


@pytest.mark.parametrize("form", ["+994 50 {} {}", "050{}{}", "99450{}{}", "aze {}{}", "reference"])
def test_whatever_was_typed_leads_to_the_conversation(caller: Caller, form: str) -> None:
    """The address names nobody; who looked for whom is in the audit, and not in the log."""
    reply = caller.text()
    reference = re.search(r"Reference (\w{6})", reply)
    assert reference is not None
    digits = str(caller.number)
    what = reference[1].lower() if form == "reference" else form.format(digits[:3], digits[3:])
    found = caller.agent.post("/look-up", what=what)
    assert found.status == 303
    number = number_in(found.location)
    page = caller.agent.get(f"/look-up/{number}")
    assert page.status == 200
    for words in (f"2 {caller.typed} EN", reply, "granted", "Permits today", reference[1]):
        assert words in page.text, words
    [looked], [seen] = caller.told("look_up"), caller.told("conversation")
    about = {"a": caller.document, "r": ""}.get(form[0], caller.phone)
    assert looked.about == about
    assert (seen.subject, seen.about) == (f"message {number}", caller.phone)
    assert str(caller.number) not in caller.desk.daemon.log


def test_what_cannot_be_read_or_found_is_said(caller: Caller) -> None:
    """With what to write, or how to go on; the page stays."""
    wrong = caller.agent.post("/look-up", what="??")
    assert wrong.status == 422
    assert "A document looks like AZE 1234567" in wrong.text
    nothing = caller.agent.post("/look-up", what=f"+{caller.phone}", days="3")
    assert nothing.status == 404
    assert "Choose more days" in nothing.text
    for place in ("999999", "x", "9" * 30):
        assert caller.agent.get(f"/look-up/{place}").status == 404


def test_who_asked_for_a_document_is_listed(caller: Caller) -> None:
    """From every phone, refusals too, beside the person's permits of today."""
    caller.text()
    other = f"99455{caller.number}"
    caller.desk.phones.text(other, f"2 {caller.typed} RU")
    page = caller.agent.post("/look-up", what=caller.document)
    assert page.status == 200
    assert caller.phone in page.text
    assert other in page.text
    assert "Permits today" in page.text


# Acting.


def test_who_had_code_2_by_sms_is_told_so_by_the_call_centre(caller: Caller) -> None:
    """While the permit is valid it is named; when it was returned, the day's is used up."""
    caller.text()
    page = caller.ask()
    assert "named again" in page.text
    assert "Read this to the caller" in page.text
    caller.say("RETURN")
    page = caller.ask()
    assert "refused" in page.text
    assert "once-a-day" in page.text


def test_who_had_code_2_by_the_call_centre_is_told_so_by_sms(caller: Caller) -> None:
    """One limit, whichever way comes first."""
    assert "granted" in caller.ask().text
    assert "still valid" in caller.text()
    [line] = caller.told("ask")
    assert (line.subject, line.reason, line.about) == (
        "code 2",
        "his phone is lost",
        caller.document,
    )


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"reason": " "}, "reason"),
        ({"document": "AZE 1"}, "write it like AZE 1234567"),
        ({"code": "9"}, "no such code"),
    ],
)
def test_a_request_that_is_not_whole_is_shown_again(
    caller: Caller, form: dict[str, str], words: str
) -> None:
    """With what was typed and what is wrong; nothing is decided."""
    given = {"document": caller.typed, "code": "2", "reason": "a caller", **form}
    got = caller.agent.post("/look-up/ask", **given)
    assert got.status == 400
    assert words in got.text
    assert given["document"] in got.text
    assert caller.told("ask") == []


def test_an_override_is_told_by_sms_and_bounded(caller: Caller) -> None:
    """The phone gets it from the short number; who, why and about whom is on record first."""
    first = caller.granted()
    caller.say("RETURN EN")
    assert "daily limit" in caller.text()
    agent = caller.agent
    found = agent.post("/look-up", what=caller.phone)
    number = number_in(found.location)
    form = {"serial": serial_in(agent.get(f"/look-up/{number}")), "told": "sms", "reason": "ill"}
    path = f"/look-up/{number}/override"
    assert agent.post(path, **{**form, "reason": ""}).status == 400
    assert agent.post(path, **{**form, "serial": "1"}).status == 404
    assert caller.told("override") == []
    given = agent.post(path, **form)
    assert "look_up.overridden" in given.location
    came = caller.desk.phones.next_received(caller.phone).text
    assert came.startswith(f"Permit granted (code 2): {caller.document}")
    assert first not in came, "a permit of its own"
    [line] = caller.told("override")
    assert (line.subject, line.reason, line.about) == ("code 2", "ill", caller.document)
    shown = agent.get(given.location.partition("?")[0])
    assert "By override of an agent once-a-day did not count" in shown.text
    # While it is valid a second one names it; a third is one too many for a day.
    assert "not_overridden" in agent.post(path, **form).location
    spent = agent.post(path, **form)
    assert spent.status == 400
    assert "as often as one agent may in a day: 2" in spent.text
    assert caller.another("colleague").post(path, **form).status == 303


def test_a_reply_is_sent_again(caller: Caller) -> None:
    """Though the SMSC took it: the same words reach the phone a second time."""
    reply = caller.text()
    number = number_in(caller.agent.post("/look-up", what=caller.phone).location)
    caller.say("STATUS EN")  # answered, so what became of the reply before is stored
    path = f"/look-up/{number}/again"
    assert caller.agent.post(path, reason="").status == 400
    assert "sent_again" in caller.agent.post(path, reason="he deleted it").location
    assert caller.desk.phones.next_received(caller.phone).text == reply
    [line] = caller.told("outbox_retry")
    assert (line.reason, line.about) == ("he deleted it", caller.phone)
    caller.say("RETURN")
    ended = caller.agent.post(path, reason="once more")
    assert ended.status == 400
    assert "no longer holds" in ended.text


def test_a_block_holds_until_it_is_lifted(caller: Caller) -> None:
    """From one code only; the next SMS is judged by it, and the one after its end is not."""
    caller.text()
    agent = caller.agent
    number = number_in(agent.post("/look-up", what=caller.phone).location)
    path = f"/look-up/{number}"
    form = {"document": caller.document, "code": "3", "until": UNTIL, "reason": "30 funerals"}
    past = agent.post(f"{path}/block", **{**form, "until": "2020-01-01"})
    assert past.status == 400
    assert "after today" in past.text
    other = agent.post(f"{path}/block", **{**form, "document": "AZE9999999"})
    assert other.status == 404, "only whom the page is about"
    assert "blocked" in agent.post(f"{path}/block", **form).location
    assert "9108" in caller.text("3")
    page = agent.get(path)
    assert "blocked from code 3" in page.text
    [block] = set(re.findall(r'name="block" value="(\d+)"', page.text))
    assert agent.post(f"{path}/unblock", block=block, reason="").status == 400
    lifted = agent.post(f"{path}/unblock", block=block, reason="an error")
    assert "unblocked" in lifted.location
    assert "granted" in caller.text("3")
    lines = [*caller.told("block_add"), *caller.told("block_remove")]
    assert [line.about for line in lines] == [caller.document] * 2


def test_what_was_answered_survives_a_power_cut(tmp_path: Path, smsc: SmscProcess) -> None:
    """Killed right after: the decision and what was read out are there, and count."""
    config = write_config(tmp_path, [smsc_section(smsc.port)])
    with smsc.client() as phones:
        with Daemon(config) as daemon:
            caller = Caller(Open(daemon, config, phones))
            assert "granted" in caller.ask().text
            daemon.kill()
        with Daemon(config) as daemon:
            desk = caller.desk = Open(daemon, config, phones)
            page = caller.ask(caller.another("colleague"))
            assert "named again" in page.text
            assert not any(verify(desk.url, lambda _check: None).values())


# Checking.


def test_the_police_learn_what_they_need_and_no_more(caller: Caller) -> None:
    """By reference, by document, after its return; who checked whom is on record each time."""
    reference = caller.granted()
    police = caller.program("patrol")
    by_reference = police.send("/api/check", {"reference": reference}).data
    assert by_reference["valid"] is True
    [permit] = by_reference["permits"]
    assert permit.pop("valid_until") > permit.pop("valid_from")
    assert permit == {
        "standing": "valid",
        "code": "2",
        "purpose": "food and daily needs, medicine, bank, post",
        "document_ends_with": caller.document[-4:],
    }
    by_document = police.send("/api/check", {"document": caller.typed}).data
    assert by_document["valid"] is True
    assert "document_ends_with" not in by_document["permits"][0]
    caller.say("RETURN")
    returned = police.send("/api/check", {"reference": reference}).data
    assert (returned["valid"], returned["permits"][0]["standing"]) == (False, "ended")
    after = police.send("/api/check", {"document": caller.typed}).data
    assert (after["valid"], after["permits"]) == (False, [])
    lines = [(line.subject, line.about) for line in caller.told("check", "patrol")]
    by_number, by_card = f"reference {reference}", "document"
    about = caller.document
    assert lines == [(each, about) for each in (by_number, by_card, by_number, by_card)]


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        ({"reference": "ZZZZZZ"}, 422, "no reference"),
        ({"reference": "AZE1111111"}, 422, "no reference"),
        ({"document": "AZE 1"}, 422, "write it like AZE 1234567"),
        ({}, 422, "either"),
        ({"reference": UNKNOWN, "document": "AZE1111111"}, 422, "either"),
        ({"reference": UNKNOWN}, 404, "no permit with this reference"),
        ([], 400, ""),
    ],
)
def test_what_cannot_be_checked_says_why(
    caller: Caller, data: object, status: int, words: str
) -> None:
    """As JSON, with what to write."""
    got = caller.program("patrol").send("/api/check", data)
    assert got.status == status
    assert words in got.data["error"]


def test_nobody_tries_out_references(caller: Caller) -> None:
    """So many a minute for a token, found or not; another's are its own. Nobody else may ask."""
    police, question = caller.program("patrol"), {"reference": UNKNOWN}
    statuses = [police.send("/api/check", question).status for _ in range(8)]
    assert statuses == [404] * 6 + [429] * 2
    assert caller.program("other").send("/api/check", question).status == 404
    assert caller.program("watcher", Scope.METRICS).send("/api/check", question).status == 403
    assert caller.agent.get("/check").status == 403


def test_a_check_waits_for_neither_smsc_nor_store(caller: Caller) -> None:
    """The SMSC hung up and somebody holds the write lock: answered, and noted when that ends."""
    reference, desk = caller.granted(), caller.desk
    police = caller.another("police")
    desk.phones.drop_links()
    waiting = Path(f"{desk.config.parent}/smsd.db.audit-waiting")
    other = dbapi.connect(os.fspath(desk.config.parent / "smsd.db"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        for _ in range(3):
            got = police.post("/check", what=reference)
            assert got.status == 200
            assert "Valid" in got.text
        assert len(waiting.read_bytes().splitlines()) == 1 + 3
    finally:
        other.close()
    desk.daemon.wait_for("audit_lines_brought_in")
    assert len(caller.told("check", "police")) == 3
    assert not waiting.exists()
    desk.phones.await_bound()
