"""MT: takes what ESMEs submit, answers it, and puts it on the phone."""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from simulators.faults import Faults
from simulators.limits import Counters
from simulators.link import SmppLink
from simulators.phone import Phones
from simulators.submission import check
from smsd.smpp.pdu import (
    Body,
    CancelSm,
    Command,
    DataSm,
    DeliverSm,
    QuerySm,
    ReplaceSm,
    Status,
    SubmitMulti,
    SubmitSm,
)
from smsd.smpp.receipts import STATES, Receipt, make

_TAKEN: Final[dict[type, Command]] = {
    SubmitSm: Command.SUBMIT_SM_RESP,
    DataSm: Command.DATA_SM_RESP,
}
# What the simulator does not keep, so that it can only decline (§4.5.2, §4.8.2, §4.9.2, §4.10.2).
_DECLINED: Final[dict[type, tuple[Command, Status]]] = {
    SubmitMulti: (Command.SUBMIT_MULTI_RESP, Status.ESME_RSUBMITFAIL),
    QuerySm: (Command.QUERY_SM_RESP, Status.ESME_RQUERYFAIL),
    CancelSm: (Command.CANCEL_SM_RESP, Status.ESME_RCANCELFAIL),
    ReplaceSm: (Command.REPLACE_SM_RESP, Status.ESME_RREPLACEFAIL),
    DeliverSm: (Command.DELIVER_SM_RESP, Status.ESME_RINVBNDSTS),
}

# §5.2.28: EXPIRED, DELETED, UNDELIVERABLE, REJECTED.
_FAILED: Final = frozenset({3, 4, 5, 8})


class _Held(NamedTuple):
    link: SmppLink
    sequence: int
    command: Command
    message_id: str


class MtIntake:
    """``report`` sends a delivery receipt; ``stamp`` gives its date, YYMMDDhhmm.

    ``now`` gives monotonic seconds.
    """

    def __init__(
        self,
        phones: Phones,
        faults: Faults,
        counters: Counters,
        held_max: int,
        report: Callable[[DeliverSm], None],
        stamp: Callable[[], str],
        now: Callable[[], float],
    ) -> None:
        self._phones = phones
        self._faults = faults
        self._counters = counters
        self._held_max = held_max
        self._held: deque[_Held] = deque()
        self._report = report
        self._stamp = stamp
        self._now = now
        self.last_status: int | None = None

    @property
    def held(self) -> int:
        """Responses that a fault holds back."""
        return len(self._held)

    def take(self, link: SmppLink, sequence: int, body: Body) -> None:
        """Answer a request of an ESME, and do what it asks."""
        if not isinstance(body, SubmitSm | DataSm):
            command, refusal = _DECLINED[type(body)]
            link.answer(sequence, command, refusal)
            return
        command = _TAKEN[type(body)]
        status = self._faults.take_submit_status(self._now()) or check(body)
        if not status and len(self._held) >= self._held_max:
            status = Status.ESME_RMSGQFUL
        self.last_status = status
        if status:
            self._counters.submit_refused += 1
            link.answer(sequence, command, status)
            return
        self._counters.submitted += 1
        message_id = f"{self._counters.submitted:08x}"
        if self._faults.hold_responses:
            self._held.append(_Held(link, sequence, command, message_id))
        else:
            link.answer(sequence, command, Status.ESME_ROK, message_id)
        self._hand_to_phone(body, message_id)

    def release(self) -> None:
        """Send the responses that were held back."""
        links = set()
        while self._held:
            held = self._held.popleft()
            held.link.answer(held.sequence, held.command, Status.ESME_ROK, held.message_id)
            links.add(held.link)
        for link in links:
            link.flush()

    def _hand_to_phone(self, body: SubmitSm | DataSm, message_id: str) -> None:
        if self._phones.receive(body, message_id) is not None:
            self._counters.received += 1
        wanted = body.registered_delivery & 0x03
        if wanted == 1 or (wanted == 2 and self._faults.receipt_state in _FAILED):  # §5.2.17
            self._counters.receipts += 1
            self._report(self._receipt(body, message_id))

    def _receipt(self, body: SubmitSm | DataSm, message_id: str) -> DeliverSm:
        at, state = self._stamp(), STATES[self._faults.receipt_state]
        if not self._faults.receipt_decimal:
            return make(Receipt(message_id, state, "000", at, at), _addresses(body))
        number = str(int(message_id, 16))
        return make(Receipt(number, state, "000", at, at), _addresses(body))._replace(tlvs=())


def _addresses(body: SubmitSm | DataSm) -> SubmitSm:
    return SubmitSm(
        source_addr_ton=body.source_addr_ton,
        source_addr_npi=body.source_addr_npi,
        source_addr=body.source_addr,
        dest_addr_ton=body.dest_addr_ton,
        dest_addr_npi=body.dest_addr_npi,
        destination_addr=body.destination_addr,
    )
