"""Delivery receipts on their way in: read, named as their reply is, handed to the commit lane."""

from collections import Counter
from typing import Final, Protocol

from smsd.config import SmscSection
from smsd.gateway.commit_lane import CommitLane, InboundReport
from smsd.gateway.link import Link
from smsd.smpp import message_ids, receipts
from smsd.smpp.pdu import Command, DataSm, DeliverSm, Status
from storage import InboundReceipt, ReceiptState

STATE_WORDS: Final = {int(state): state.name.lower() for state in ReceiptState}
"""What receipts are counted as, by their state."""
IGNORED: Final = "ignored"
"""Counted for receipts that nobody asked for."""
UNREADABLE: Final = "unreadable"
"""Counted for receipts without a message or a state, by whatever dialect."""


class ReceiptWatcher(Protocol):
    """Who is told of receipts that are settled without the store."""

    def receipts_passed(self, smsc: str, state: str, count: int) -> None:
        """So many came that say nothing of how a reply ended: acknowledged, and no more."""


class ReceiptIntake:
    """The receipts of one SMSC."""

    def __init__(self, settings: SmscSection, lane: CommitLane, watcher: ReceiptWatcher) -> None:
        self._name = settings.name
        self._asked_for = settings.receipts
        self._id_of = message_ids.of_receipt(settings.message_id_form)
        self._lane = lane
        self._watcher = watcher

    def take(
        self,
        link: Link,
        requests: list[tuple[int, DeliverSm | DataSm, Command]],
        received_at_us: int,
    ) -> None:
        """Answer at once what says nothing of an end; the rest once it is durable.

        requests: each with its sequence number and the response that it is to have.
        """
        passed: Counter[str] = Counter()
        reports: list[InboundReport] = []
        room = self._lane.room_for_receipts if self._asked_for else 0
        for sequence, body, response in requests:
            receipt = receipts.parse(body) if self._asked_for else None
            if receipt is None or not receipt.final:
                passed[_word(receipt) if self._asked_for else IGNORED] += 1
                link.answer(sequence, response)
            elif len(reports) >= room:
                link.answer(sequence, response, Status.ESME_RMSGQFUL)
            else:
                fields = self._name, self._id_of(receipt), receipt.number, received_at_us
                reports.append(InboundReport(InboundReceipt(*fields), link, sequence, response))
        for state, count in passed.items():
            self._watcher.receipts_passed(self._name, state, count)
        if reports:
            self._lane.offer_receipts(reports)


def _word(receipt: receipts.Receipt | None) -> str:
    return UNREADABLE if receipt is None else STATE_WORDS[receipt.number]
