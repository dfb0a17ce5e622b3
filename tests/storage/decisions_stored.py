"""Stored SMS and permits, made as the gateway makes them: a policy decides, a store keeps."""

from datetime import UTC, date, datetime

from rules import CompiledPolicy, Decision, Document, Facts, HeldPermit, Verdict, decide
from storage import DecisionRow, InboundMessage, SqliteStore, Transaction

NOON_US = int(datetime(2020, 4, 6, 8, 0, tzinfo=UTC).timestamp() * 1_000_000)
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
DOCUMENT = Document("AZE", "1111111")
HOLDER = "p:P1"
PHONE = "994500000001"


def sms(
    text: str = "2 AZE 1111111", phone: str = PHONE, at_us: int = NOON_US, channel: str = "sms"
) -> InboundMessage:
    """A phone's SMS as intake hands it over."""
    return InboundMessage(at_us, "one", phone, "8103", 0, text.encode(), text, True, None, channel)


def decided(
    transaction: Transaction,
    policy: CompiledPolicy,
    code: str = "2",
    document: Document = DOCUMENT,
    at_us: int = NOON_US,
    permits: tuple[HeldPermit, ...] = (),
) -> Decision:
    """A decision that is not stored yet."""
    facts = Facts(transaction.next_serial(), True, date(1980, 5, 5), permits)
    return decide(policy, code, document, facts, at_us)


def stored(
    transaction: Transaction,
    decision: Decision,
    holder: str = HOLDER,
    phone: str = PHONE,
    starts_permit: bool = False,
    not_after_us: int = NOON_US + DAY_US,
) -> int:
    """Store a decision with its SMS and its reply; the id of both."""
    text = f"{decision.code} {decision.document.text}"
    message = sms(text, phone, decision.at_us)
    number = transaction.add_message(message, "decided")
    facts = Facts(decision.serial, True, date(1980, 5, 5))
    transaction.add_decisions([DecisionRow(number, holder, decision, facts)])
    transaction.add_reply(number, message, "a reply", not_after_us, starts_permit)
    return number


def grant(
    store: SqliteStore,
    policy: CompiledPolicy,
    code: str = "2",
    document: Document = DOCUMENT,
    at_us: int = NOON_US,
    holder: str = HOLDER,
    phone: str = PHONE,
) -> Decision:
    """A permit in the store, by a transaction of its own."""
    with store.transaction(policy) as transaction:
        decision = decided(transaction, policy, code, document, at_us)
        assert decision.verdict is Verdict.GRANT
        stored(transaction, decision, holder, phone)
    return decision
