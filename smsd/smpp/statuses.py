"""What an SMSC means by a command_status in submit_sm_resp, SMPP 3.4 §5.1.3, and what follows.

The standard names the statuses and leaves open which of them pass. This table says it for each;
whatever is not in it (0x400-0x4FF belong to the SMSC's vendor) is taken for permanent, since what
was refused without a reason will be refused again. An SMSC that means something else by one of
them says so in its section of the configuration.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from smsd.smpp.constants import Status, status_text


class Kind(Enum):
    """Whether the same submit_sm may be taken later."""

    TEMPORARY = "temporary"  # yes: something is ill at the SMSC, not with the message
    CONGESTION = "congestion"  # yes, if less is sent
    PERMANENT = "permanent"  # no


_T, _C, _P = Kind.TEMPORARY, Kind.CONGESTION, Kind.PERMANENT

STATUSES: Final[dict[int, tuple[Kind, str]]] = {
    Status.ESME_RINVMSGLEN: (_P, "the message is too long or too short"),
    Status.ESME_RINVCMDLEN: (_P, "the PDU's length is wrong"),
    Status.ESME_RINVCMDID: (_P, "this SMSC takes no such request"),
    # The bind is at fault: the next one may do.
    Status.ESME_RINVBNDSTS: (_T, "the bind does not allow it"),
    Status.ESME_RALYBND: (_T, "the account is bound already"),
    Status.ESME_RINVPRTFLG: (_P, "the priority flag is not allowed"),
    Status.ESME_RINVREGDLVFLG: (_P, "delivery receipts cannot be asked for like this"),
    Status.ESME_RSYSERR: (_T, "the SMSC has a fault of its own"),
    Status.ESME_RINVSRCADR: (_P, "the sender's address is not allowed"),
    Status.ESME_RINVDSTADR: (_P, "the phone's number is not valid"),
    Status.ESME_RINVMSGID: (_P, "there is no such message"),
    # Either that of the SMSC or that of one phone.
    Status.ESME_RMSGQFUL: (_C, "the message queue is full"),
    Status.ESME_RINVSERTYP: (_P, "the service type is not allowed"),
    Status.ESME_RINVESMCLASS: (_P, "the kind of message (esm_class) is not allowed"),
    Status.ESME_RSUBMITFAIL: (_T, "the submission failed"),
    Status.ESME_RINVSRCTON: (_P, "the sender's type of number is not allowed"),
    Status.ESME_RINVSRCNPI: (_P, "the sender's numbering plan is not allowed"),
    Status.ESME_RINVDSTTON: (_P, "the phone's type of number is not allowed"),
    Status.ESME_RINVDSTNPI: (_P, "the phone's numbering plan is not allowed"),
    Status.ESME_RINVSYSTYP: (_P, "the system type is not allowed"),
    Status.ESME_RINVREPFLAG: (_P, "the replace flag is not allowed"),
    Status.ESME_RTHROTTLED: (_C, "more messages came than the account may send"),
    Status.ESME_RINVSCHED: (_P, "the time of delivery is not valid"),
    Status.ESME_RINVEXPIRY: (_P, "the validity period is not allowed"),
    Status.ESME_RINVDFTMSGID: (_P, "there is no such predefined message"),
    # §5.1.3 gives the next three to a receiving ESME; SMSCs that are one towards the network pass
    # them on.
    Status.ESME_RX_T_APPN: (_T, "the receiver cannot take it now"),
    Status.ESME_RX_P_APPN: (_P, "the receiver cannot take it"),
    Status.ESME_RX_R_APPN: (_P, "the receiver rejects it"),
    Status.ESME_RINVOPTPARSTREAM: (_P, "the optional parameters are malformed"),
    Status.ESME_ROPTPARNOTALLWD: (_P, "an optional parameter is not allowed"),
    Status.ESME_RINVPARLEN: (_P, "an optional parameter has a wrong length"),
    Status.ESME_RMISSINGOPTPARAM: (_P, "an optional parameter is missing"),
    Status.ESME_RINVOPTPARAMVAL: (_P, "an optional parameter has a wrong value"),
    Status.ESME_RDELIVERYFAILURE: (_P, "it could not be delivered"),
    # What a generic_nack without a reason is told as, too.
    Status.ESME_RUNKNOWNERR: (_P, "an error that the SMSC does not name"),
}


def passing(
    temporary: Iterable[int] = (), permanent: Iterable[int] = (), congestion: Iterable[int] = ()
) -> dict[int, Kind]:
    """The statuses after which the same submit_sm is sent again; all others are permanent.

    What is given counts more than the table.
    """
    kinds = {status: kind for status, (kind, _) in STATUSES.items()}
    kinds |= dict.fromkeys(temporary, _T) | dict.fromkeys(congestion, _C)
    kinds |= dict.fromkeys(permanent, _P)
    return {status: kind for status, kind in kinds.items() if kind is not _P}


def status_words(status: int) -> str:
    """A status in words, with its name: ``the phone's number is not valid, ESME_RINVDSTADR (0xb)``.

    One without a name is given by its number alone.
    """
    known = STATUSES.get(status)
    return f"{known[1]}, {status_text(status)}" if known else status_text(status)


def status_number(typed: str) -> int:
    """The status that somebody typed: ``ESME_RINVDSTADR``, ``0x0b`` or ``11``.

    Raises:
        ValueError: it is none; the message says how to write one.
    """
    try:
        number = Status[typed.upper()] if typed.upper() in Status.__members__ else int(typed, 0)
    except ValueError:
        number = -1
    if not 0 < number <= 0xFFFFFFFF:
        raise ValueError(
            f"{typed!r} is no status; give its name as in ESME_RINVDSTADR, or its number as in 0x0b"
        )
    return int(number)
