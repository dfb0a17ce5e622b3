"""Faults that a test or an operator switches on, so that an ESME meets a bad SMSC on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from smsd.smpp.pdu import Status


@dataclass(slots=True)
class Faults:
    """The knobs; as built, all is well.

    ``deliver``              False: messages from phones wait, nobody gets them.
    ``hold_responses``       True: submissions reach the phone, their responses wait until False.
    ``submit_status``        answer submit_sm and data_sm with this status; the phone gets nothing.
    ``submit_status_times``  for so many of them, then be well again; None: until told otherwise.
    ``throughput``           take so many a second, answer what comes above with ESME_RTHROTTLED;
                             0: no limit.
    ``receipt_state``        report this message_state (§5.2.28) of what is submitted from now on.
    ``receipt_decimal``      name messages in decimal there, without TLVs; the responses stay hex.
    ``bind_status``          refuse every bind with this status.
    ``read``                 False: stop reading from all peers, so that nothing is answered.
    """

    deliver: bool = True
    hold_responses: bool = False
    submit_status: int = 0
    submit_status_times: int | None = None
    throughput: int = 0
    receipt_state: int = 2
    receipt_decimal: bool = False
    bind_status: int = 0
    read: bool = True
    _second: int = field(default=0, init=False, repr=False)
    _taken: int = field(default=0, init=False, repr=False)  # in that second

    def change(self, values: Mapping[str, bool | int | None]) -> None:
        """Set the knobs named in ``values``; ValueError when there is no such knob."""
        unknown = set(values) - set(self.knobs())
        if unknown:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        for name, value in values.items():
            setattr(self, name, value)

    def knobs(self) -> dict[str, bool | int | None]:
        """The knobs and how they stand."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.init}

    def take_submit_status(self, now: float) -> int:
        """Give the status for the submission at hand, 0 when it is to be taken; counts it.

        ``now`` in seconds of any clock; a limit starts afresh with each of them, as it does in
        many an SMSC.
        """
        if not self.submit_status:
            return self._throttle(int(now)) if self.throughput else 0
        status = self.submit_status
        if self.submit_status_times is not None:
            self.submit_status_times -= 1
            if self.submit_status_times <= 0:
                self.submit_status = 0
                self.submit_status_times = None
        return status

    def _throttle(self, second: int) -> int:
        if second != self._second:
            self._second, self._taken = second, 0
        if self._taken >= self.throughput:
            return Status.ESME_RTHROTTLED
        self._taken += 1
        return 0
