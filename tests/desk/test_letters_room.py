"""Replies that never left, at the desk: found by their reasons, sent again, given up, revealed."""

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pytest
from desk_people import Person, person, url_of
from desk_stage import POLICY_FILE, DeskStage
from virtual_reactor import HOUR_US, NOON_US

import rules
from storage import InboundMessage, ReplyOutcome, ReplyState, SqliteStore, audit
from storage.beside import reading
from storage.roles import Role

BAD_NUMBER, NO_SENDER = 0x0B, 0x0A
REASON = "ticket 9"
SECRET = "a secret of somebody"
REFUSED, UNKNOWN, UNSENT = ReplyState.REFUSED, ReplyState.UNKNOWN, ReplyState.UNSENT
DROPPED, EXPIRED = ReplyState.DROPPED, ReplyState.EXPIRED


class Made(NamedTuple):
    """A reply of the store. good_us: for so long from now on it may leave."""

    state: ReplyState
    status: int = 0
    good_us: int = HOUR_US


LETTERS = (
    Made(REFUSED, BAD_NUMBER),
    Made(REFUSED, BAD_NUMBER),
    Made(REFUSED, BAD_NUMBER, -1),
    Made(REFUSED, NO_SENDER),
    Made(UNKNOWN),
    Made(EXPIRED, 0, -1),
    Made(UNSENT),
)
ONE, TWO, LATE, SENDERLESS, SILENT, EXPIRED_ONE, WAITING = range(1, 8)


@pytest.fixture
def desk(tmp_path: Path, new_desk: Callable[[str], DeskStage]) -> DeskStage:
    """Over a store with a letter of each kind."""
    policy = rules.load_policy(POLICY_FILE)
    store = SqliteStore(f"sqlite:///{tmp_path}/smsd.db")
    outcomes = []
    with store.transaction(policy) as transaction:
        for number, made in enumerate(LETTERS, 1):
            phone = f"99450000{number}777"
            came = NOON_US - 60_000_000
            message = InboundMessage(came, "simulator", phone, "8103", 0, b"", "", True, None)
            reply = transaction.add_reply(
                transaction.add_message(message, "decided"), message, SECRET, NOON_US + made.good_us
            )
            outcomes.append(ReplyOutcome(reply.id, made.state, NOON_US, "", made.status, False))
    with store.transaction(policy) as transaction:
        transaction.settle([each for each in outcomes if each.state is not UNSENT])
    store.close()
    return new_desk("")


@pytest.fixture
def admin(desk: DeskStage) -> Person:
    """Somebody who may."""
    return person(desk, "leyla", Role.ADMIN)


def states(desk: DeskStage) -> dict[int, ReplyState]:
    with reading(url_of(desk)) as connection:
        return {
            number: ReplyState(state)
            for number, state in connection.execute("SELECT id, state FROM reply")
        }


def listed(page: str) -> list[int]:
    """The letters that may be chosen on a page, in their order."""
    return [int(number) for number in re.findall(r'name="reply-(\d+)"', page)]


def test_letters_are_listed_by_reason_and_one_by_one(admin: Person) -> None:
    """In words; the largest lot first; what waits apart, without a way to choose it."""
    page = unescape(admin.get("/smsc/letters").text)
    assert page.index("The phone's number is not valid.") < page.index("Our short number")
    assert "ESME_RINVDSTADR (0xb)" in page
    assert "The SMSC never said whether it took it." in page
    assert "Send 2 again" in page  # of three one is too late
    assert sorted(listed(page)) == [ONE, TWO, LATE, SENDERLESS, SILENT, EXPIRED_ONE]
    assert "1 of 1 are shown. They leave by themselves." in page


def test_phones_are_masked_and_texts_never_shown(admin: Person) -> None:
    """The last three digits."""
    page = admin.get("/smsc/letters").text
    assert "…777" in page
    assert "9945" not in page
    assert SECRET not in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("smsc=simulator&state=refused", [SENDERLESS, LATE, TWO, ONE]),
        ("smsc=simulator&state=refused&status=10", [SENDERLESS]),
        ("state=unknown&days=30", [SILENT]),
        ("smsc=another", []),
        (
            "state=nonsense&status=-1&days=1000000",
            [EXPIRED_ONE, SILENT, SENDERLESS, LATE, TWO, ONE],
        ),
    ],
)
def test_a_list_is_of_what_is_asked_for(admin: Person, query: str, found: list[int]) -> None:
    """Newest first; what makes no sense asks for everything."""
    assert listed(admin.get(f"/smsc/letters?{query}").text) == found


def test_each_lot_links_to_its_letters(admin: Person) -> None:
    """The links of the table ask for what the table counts."""
    page = admin.get("/smsc/letters").text
    links = re.findall(r'href="(/smsc/letters\?[^"]+)">(\d+)', page)
    assert [int(count) for _, count in links] == [3, 1, 1, 1]
    for link, count in links:
        assert len(listed(admin.get(link.replace("&amp;", "&")).text)) == int(count)


def test_a_lot_is_sent_again_but_for_what_would_mislead(desk: DeskStage, admin: Person) -> None:
    """Those that are in time, with a line of the audit for each; the daemon looks at once."""
    got = admin.post(
        "/smsc/letters/retry",
        lot="1",
        smsc="simulator",
        state="refused",
        status=str(BAD_NUMBER),
        days="1",
        reason=REASON,
    )
    assert got.status == 303
    assert got.headers["location"].endswith("&said=letters.retried")
    after = states(desk)
    assert [after[number] for number in (ONE, TWO, LATE, SENDERLESS)] == [
        UNSENT, UNSENT, REFUSED, REFUSED,
    ]  # fmt: skip
    lines = audit.since(url_of(desk), 0)
    told = [(e.who, e.subject, e.reason) for e in lines if e.action == "outbox_retry"]
    assert told == [("leyla", f"reply {number}", REASON) for number in (ONE, TWO)]


def test_chosen_letters_are_sent_again_and_the_others_say_why_not(
    desk: DeskStage, admin: Person
) -> None:
    """Part of them done: the page says which are not, and why."""
    ticks = {f"reply-{number}": "1" for number in (SILENT, LATE, 999)}
    got = admin.post("/smsc/letters/retry", reason=REASON, **ticks)
    assert got.status == 200
    assert "1 done, 2 not:" in got.text
    assert f"№ {LATE}: what it tells of has ended" in got.text
    assert "№ 999: it is not in the store any more" in got.text
    after = states(desk)
    assert (after[SILENT], after[LATE]) == (UNSENT, REFUSED)


def test_chosen_letters_are_given_up(desk: DeskStage, admin: Person) -> None:
    """What waits cannot be: it may be on its way."""
    ticks = {f"reply-{number}": "1" for number in (SENDERLESS, WAITING)}
    got = admin.post("/smsc/letters/drop", reason=REASON, **ticks)
    assert "1 done, 1 not:" in got.text
    assert f"№ {WAITING}: it may be on its way now" in got.text
    after = states(desk)
    assert (after[SENDERLESS], after[WAITING]) == (DROPPED, UNSENT)
    [line] = [e for e in audit.since(url_of(desk), 0) if e.action == "outbox_drop"]
    assert (line.who, line.subject, line.reason) == ("leyla", f"reply {SENDERLESS}", REASON)


@pytest.mark.parametrize("do", ["retry", "drop"])
@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"reason": REASON}, "Choose at least one reply"),
        ({"reason": " ", f"reply-{ONE}": "1"}, "Give a reason"),
        ({"reason": REASON, "reply-": "1", "reply-x": "1", "reply-²": "1"}, "Choose at least one"),
    ],
)
def test_what_is_missing_is_told_and_nothing_done(
    desk: DeskStage, admin: Person, do: str, form: dict[str, str], words: str
) -> None:
    """The filter stays as it was."""
    before = states(desk)
    got = admin.post(f"/smsc/letters/{do}", smsc="simulator", state="refused", **form)
    assert got.status == 400
    assert words in got.text
    assert listed(got.text) == [SENDERLESS, LATE, TWO, ONE]
    assert states(desk) == before


def test_whole_numbers_are_shown_once_and_noted_before(desk: DeskStage, admin: Person) -> None:
    """Who says why sees them on that page; the next is masked again."""
    refused = admin.post("/smsc/letters/reveal", state="unknown", reason="")
    assert refused.status == 400
    assert "9945" not in refused.text
    shown = admin.post("/smsc/letters/reveal", state="unknown", reason=REASON)
    assert f"99450000{SILENT}777" in shown.text
    assert f"99450000{WAITING}777" in shown.text
    assert f"99450000{ONE}777" not in shown.text
    assert "9945" not in admin.get("/smsc/letters").text
    [line] = [e for e in audit.since(url_of(desk), 0) if e.action == "outbox_reveal"]
    assert (line.who, line.subject, line.reason) == ("leyla", "phones of 2 replies", REASON)
