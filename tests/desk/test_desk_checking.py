"""What a check tells, from the first microsecond of a permit to its last, of every policy."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import rules
from rules import CompiledPolicy, Facts, compile_policy, decide, parse_policy, reference
from rules.commands import Ended
from smsd.desk.checking import Checked, check_document, check_reference
from smsd.desk.typed import DocumentTyped, ReferenceTyped
from storage import DecisionRow, InboundMessage, SqliteStore
from storage.permits import Standing

POLICIES = Path(rules.__file__).parent / "policies"
NOON_US = int(datetime(2020, 7, 21, 8, 0, tzinfo=UTC).timestamp() * 1_000_000)  # in Baku
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
PHONE = "994500000001"


def law(*changes: tuple[str, str], name: str = "8103") -> CompiledPolicy:
    """A shipped policy with other words."""
    text = (POLICIES / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return compile_policy(parse_policy(text, "changed.toml"), trial=False)


class Street:
    """A store with one permit, and an officer."""

    def __init__(self, url: str, policy: CompiledPolicy, region: str | None = None) -> None:
        self.url, self.policy = url, policy
        document = policy.grammar.parse_document("AZE 1111111")
        assert document is not None
        self.document = document
        store = SqliteStore(url)
        with store.transaction(policy) as transaction:
            facts = Facts(transaction.next_serial(), True, date(1980, 5, 5), region=region)
            facts = facts._replace(quarantine_until_day=0)
            decision = decide(policy, "2", document, facts, NOON_US)
            sms = InboundMessage(NOON_US, "one", PHONE, "8103", 0, b"", "2", True, None)
            number = transaction.add_message(sms, "decided")
            row = DecisionRow(number, f"d:{document.text}", decision, facts)
            transaction.add_decisions([row])
            transaction.add_reply(number, sms, "yes", NOON_US)
        assert decision.valid_until_us is not None, decision.rule
        self.serial, self.until_us = decision.serial, decision.valid_until_us
        self.store = store

    def by_reference(self, at_us: int) -> Checked:
        typed = ReferenceTyped(reference.encode(self.serial), self.serial)
        return check_reference(self.url, self.policy, typed, at_us)

    def by_document(self, at_us: int) -> Checked:
        return check_document(self.url, None, self.policy, DocumentTyped(self.document), at_us)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/smsd.db"


def standings(checked: Checked) -> list[Standing]:
    return [finding.standing for finding in checked.findings]


def test_at_its_first_and_last_microsecond(url: str) -> None:
    """Valid from the one to the other; by the document there is nothing more to see after it."""
    street = Street(url, law())
    for at_us in (NOON_US, street.until_us - 1):
        assert street.by_reference(at_us).valid
        assert street.by_document(at_us).valid
    assert standings(street.by_reference(street.until_us)) == [Standing.OVER]
    assert street.by_document(street.until_us).findings == ()


def test_a_permit_that_begins_later_says_when(url: str) -> None:
    """Not valid yet, by reference and by document; then it is."""
    begins = ('reply = "granted"\n', 'reply = "granted"\nstarts_after = "junk_refill"\n')
    street = Street(url, law(begins))
    for checked in (street.by_reference(NOON_US), street.by_document(NOON_US)):
        assert not checked.valid
        assert standings(checked) == [Standing.TO_COME]
        assert checked.findings[0].from_us == NOON_US + 30 * MINUTE_US
    assert street.by_document(NOON_US + 30 * MINUTE_US).valid


@pytest.mark.parametrize(
    ("ended_us", "standing"),
    [(NOON_US + HOUR_US, Standing.ENDED), (0, Standing.TAKEN_BACK)],
)
def test_what_ended_before_its_time_is_told_so(url: str, ended_us: int, standing: Standing) -> None:
    """Returned by its holder, until when; or taken back, since its reply never left."""
    street = Street(url, law())
    with street.store.transaction(street.policy) as transaction:
        transaction.end_permits([Ended(street.serial, ended_us, False)])
    checked = street.by_reference(NOON_US + HOUR_US)
    assert (checked.valid, standings(checked)) == (False, [standing])
    if ended_us:
        assert checked.findings[0].until_us == ended_us
    assert street.by_document(NOON_US + HOUR_US).findings == ()


def test_where_somebody_may_be_is_told_where_the_policy_has_regions(url: str) -> None:
    """By the title that the policy gives it; a region that it does not know is left out."""
    checked = Street(url, law(name="az-8103-history"), "baku").by_reference(NOON_US)
    assert checked.findings[0].region["en"] == "Baku"


def test_only_the_end_of_a_document_is_shown(url: str) -> None:
    """Enough to compare with the card, too little to learn it; whose it is goes to the audit."""
    street = Street(url, law())
    checked = street.by_reference(NOON_US)
    assert (checked.findings[0].document_end, checked.about) == ("1111", "AZE1111111")
    assert street.by_document(NOON_US).findings[0].document_end == ""
