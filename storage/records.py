"""The values that cross the store's border."""

from enum import IntEnum
from typing import NamedTuple

from rules import CompiledPolicy, Decision, Facts
from rules.analysis.shadow import Disagreement

DESK = "desk"
"""Stands where otherwise an SMSC's name does, for what agents ask; no [[smsc]] may bear it."""


class InboundPart(NamedTuple):
    """Where a segment belongs in a long SMS (3GPP TS 23.040 section 9.2.3.24.1)."""

    reference: int
    total: int
    number: int


class InboundMessage(NamedTuple):
    """One deliver_sm as the gateway took it in.

    `octets` are the user data without its header, as they came; of a part they are such that
    `data_coding` alone tells how to read them, whatever its SMSC or its header said. `text` is
    their decoded form, and `sound` tells whether decoding met nothing doubtful. `phone` is an
    MSISDN in digits. `channel` is sms, call_centre or web. `renews` is the id of the SMS that this
    one stands in for, because its reply would have come after its permit ended; None for what a
    phone sent. `override`: an agent asks, and no refusal counts.

    What a caller without a phone asks by an agent comes from `DESK`, and `phone` is empty.
    """

    received_at_us: int
    smsc: str
    phone: str
    short_number: str
    data_coding: int
    octets: bytes
    text: str
    sound: bool
    part: InboundPart | None
    channel: str = "sms"
    renews: int | None = None
    override: bool = False


class ReceiptState(IntEnum):
    """The message_state of SMPP 3.4 section 5.2.28."""

    ENROUTE = 1
    DELIVERED = 2
    EXPIRED = 3
    DELETED = 4
    UNDELIVERABLE = 5
    ACCEPTED = 6
    UNKNOWN = 7
    REJECTED = 8


class InboundReceipt(NamedTuple):
    """One final delivery receipt as the gateway took it in.

    `message_id` is in the form in which it is compared, as in `ReplyOutcome.awaits`; `state` is a
    `ReceiptState`.
    """

    smsc: str
    message_id: str
    state: int
    received_at_us: int


class Sweep(NamedTuple):
    """What has waited long enough at `now_us`.

    An SMS whose last part came `incomplete_us` ago is given up; a receipt that came `early_us`
    ago, and the oldest of more than `early_max`, will not find their reply any more.
    """

    now_us: int
    incomplete_us: int
    early_us: int
    early_max: int


class DecisionRow(NamedTuple):
    """A decision about one document of a message, with the facts that it rests on."""

    message_id: int
    holder: str  # "p:" and person of the register, or "d:" and document
    decision: Decision
    facts: Facts


class ShadowRow(NamedTuple):
    """A decision that a candidate policy would have made otherwise."""

    serial: int
    candidate: CompiledPolicy
    disagreement: Disagreement


class ReplyState(IntEnum):
    """How far a reply has come."""

    UNSENT = 0
    SENT = 1  # the SMSC answered submit_sm with ESME_ROK
    REFUSED = 2  # the SMSC answered with a permanent error
    EXPIRED = 3  # what it says had ended before it could leave
    DROPPED = 4  # somebody decided that it shall not leave
    UNKNOWN = 5  # it was submitted, no answer came, and it shall not be sent twice
    TOLD = 6  # an agent read it out to a caller without a phone


class Reply(NamedTuple):
    """A stored reply that waits for its SMSC.

    `resent` is True when an earlier attempt's outcome is unknown (SMPP has no way to ask).
    `starts_permit`: permits of its message begin when it has left. `urgent`: it leaves before
    those that are not. `retried`: the line of the audit that put it back; 0: none did.
    """

    id: int
    smsc: str
    phone: str
    text: str
    not_after_us: int
    received_at_us: int
    resent: bool = False
    starts_permit: bool = False
    urgent: bool = False
    retried: int = 0


class ReplyOutcome(NamedTuple):
    """What became of a reply.

    `smsc`: the one to which it was submitted. `awaits`: what that one will call its segments in
    their receipts, in the form in which these are compared; empty where none are to come.
    `elsewhere`: that one is not the one its SMS came from.
    """

    reply_id: int
    state: ReplyState
    at_us: int
    smsc_message_id: str
    status: int
    resent: bool
    starts_permit: bool = False
    smsc: str = ""
    awaits: tuple[str, ...] = ()
    elsewhere: bool = False


class Citizen(NamedTuple):
    """What the population register says about the holder of a document."""

    person: str
    birth_ordinal: int  # proleptic Gregorian ordinal of the date of birth
    region: str | None = None  # of residence; None: the register does not say
    quarantine_until_day: int | None = None  # the first free day, ordinal; 0: in none; None: unsaid
