"""The phones of the simulated network: what they text, and what their screens show.

A phone number is kept as its digits: ``+994501234567`` and ``994501234567`` are one phone.
"""

import re
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from smsd.smpp import text as sms_text
from smsd.smpp.pdu import DataSm, DeliverSm, SubmitSm
from smsd.smpp.segments import Reassembler, segment, unpack

TON_INTERNATIONAL: Final = 1  # SMPP 3.4 §5.2.5
TON_NETWORK_SPECIFIC: Final = 3  # a short number means something in one network only
NPI_ISDN: Final = 1  # §5.2.6: E.164
NPI_UNKNOWN: Final = 0

# §4.6.1: source_addr and destination_addr hold 20 characters and their NUL.
_NUMBER: Final = re.compile(r"\+?([0-9]{1,20})", re.ASCII)


def digits(number: str) -> str:
    """Give the digits of a phone or short number; ValueError says what a number looks like."""
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise ValueError(f"{number!r} is no phone number: give 1 to 20 digits, as in 994501234567")
    return match.group(1)


def compose(phone: str, to: str, text: str, reference: int) -> tuple[DeliverSm, ...]:
    """Encode ``text`` as a phone does: GSM 03.38 or UCS-2, cut into parts joined by a UDH.

    ``reference`` (0-255) joins the parts of a long text. ValueError: a number is none, or the text
    needs more than 255 parts.
    """
    segments = segment(text, reference)
    return tuple(
        envelope(phone, to, octets, segments.data_coding, segments.esm_class)
        for octets in segments.parts
    )


def envelope(
    phone: str, to: str, octets: bytes, data_coding: int = 0, esm_class: int = 0
) -> DeliverSm:
    """One deliver_sm as the SMSC hands it over, its octets taken as they are (0 to 254)."""
    if len(octets) > 254:
        raise ValueError(f"{len(octets)} octets do not fit short_message: 254 at most")
    return DeliverSm(
        source_addr_ton=TON_INTERNATIONAL,
        source_addr_npi=NPI_ISDN,
        source_addr=digits(phone),
        dest_addr_ton=TON_NETWORK_SPECIFIC,
        dest_addr_npi=NPI_UNKNOWN,
        destination_addr=digits(to),
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=octets,
    )


class Received(NamedTuple):
    """A whole message on a phone's screen.

    ``sound`` is False where octets could not be read as text. ``message_id`` and
    ``validity_period`` are those of the part that came last.
    """

    phone: str
    sender: str
    text: str
    sound: bool
    parts: int
    data_coding: int
    validity_period: str
    message_id: str


@dataclass(frozen=True, slots=True)
class PhoneLimits:
    """How much the phones remember; the oldest goes first."""

    phones_max: int = 100_000
    inbox_max: int = 100
    unfinished_texts_max: int = 10_000
    unfinished_octets_max: int = 16 * 1024 * 1024


class Phones:
    """Every phone that ever received something, as far as the limits reach back."""

    def __init__(self, limits: PhoneLimits) -> None:
        self._limits = limits
        self._inboxes: OrderedDict[str, deque[Received]] = OrderedDict()
        self._reassembler = Reassembler(limits.unfinished_texts_max, limits.unfinished_octets_max)
        self._watchers: dict[str, list[Callable[[Received], None]]] = {}

    def receive(self, body: SubmitSm | DataSm, message_id: str) -> Received | None:
        """Hand a part to its phone; gives the whole message once all parts are there."""
        phone = digits(body.destination_addr)
        content = unpack(body)
        octets: bytes | None = content.octets
        if content.part is not None:
            key = (phone, body.source_addr, body.data_coding)
            octets = self._reassembler.add(key, content.part, content.octets)
        if octets is None:
            return None
        shown = sms_text.decode(body.data_coding, octets)
        received = Received(
            phone=phone,
            sender=body.source_addr,
            text=shown.text,
            sound=shown.sound and content.sound,
            parts=content.part.total if content.part else 1,
            data_coding=body.data_coding,
            validity_period=body.validity_period if isinstance(body, SubmitSm) else "",
            message_id=message_id,
        )
        self._keep(received)
        return received

    def inbox(self, phone: str) -> tuple[Received, ...]:
        """What ``phone`` received, oldest first."""
        return tuple(self._inboxes.get(digits(phone), ()))

    def watch(self, phone: str, notify: Callable[[Received], None]) -> Callable[[], None]:
        """Call ``notify`` for every message that ``phone`` receives, until the result is called."""
        number = digits(phone)
        watchers = self._watchers.setdefault(number, [])
        watchers.append(notify)

        def stop() -> None:
            if notify in watchers:
                watchers.remove(notify)
            if not watchers and self._watchers.get(number) is watchers:
                del self._watchers[number]

        return stop

    def _keep(self, received: Received) -> None:
        inbox = self._inboxes.get(received.phone)
        if inbox is None:
            inbox = self._inboxes[received.phone] = deque(maxlen=self._limits.inbox_max)
            if len(self._inboxes) > self._limits.phones_max:
                self._inboxes.popitem(last=False)
        else:
            self._inboxes.move_to_end(received.phone)
        inbox.append(received)
        for notify in tuple(self._watchers.get(received.phone, ())):
            notify(received)
