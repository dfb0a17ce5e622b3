"""Faults that a test or an operator switches on, so that an ESME meets a bad SMSC on purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(slots=True)
class Faults:
    """The knobs; as built, all is well.

    ``deliver``              False: messages from phones wait, nobody gets them.
    ``hold_responses``       True: submissions reach the phone, their responses wait until False.
    ``submit_status``        answer submit_sm and data_sm with this status; the phone gets nothing.
    ``submit_status_times``  for so many of them, then be well again; None: until told otherwise.
    ``receipt_state``        report this message_state (§5.2.28) of what is submitted from now on.
    ``receipt_decimal``      name messages in decimal there, without TLVs; the responses stay hex.
    ``bind_status``          refuse every bind with this status.
    ``read``                 False: stop reading from all peers, so that nothing is answered.
    """

    deliver: bool = True
    hold_responses: bool = False
    submit_status: int = 0
    submit_status_times: int | None = None
    receipt_state: int = 2
    receipt_decimal: bool = False
    bind_status: int = 0
    read: bool = True

    def change(self, values: Mapping[str, bool | int | None]) -> None:
        """Set the knobs named in ``values``; ValueError when there is no such knob."""
        unknown = set(values) - {field.name for field in fields(self)}
        if unknown:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        for name, value in values.items():
            setattr(self, name, value)

    def take_submit_status(self) -> int:
        """Give the status for the submission at hand, 0 when it is to be taken; counts it."""
        if not self.submit_status:
            return 0
        status = self.submit_status
        if self.submit_status_times is not None:
            self.submit_status_times -= 1
            if self.submit_status_times <= 0:
                self.submit_status = 0
                self.submit_status_times = None
        return status
