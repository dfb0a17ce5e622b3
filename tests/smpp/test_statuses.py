"""What a command_status means, and how people write one."""

import pytest
from smpplib import consts

from smsd.smpp.constants import Status
from smsd.smpp.statuses import STATUSES, Kind, passing, status_number, status_words

# Answers to requests that this gateway never makes: bind, cancel, replace, query, submit_multi.
NEVER_TO_SUBMIT_SM = {
    "ESME_ROK", "ESME_RBINDFAIL", "ESME_RINVPASWD", "ESME_RINVSYSID", "ESME_RCANCELFAIL",
    "ESME_RREPLACEFAIL", "ESME_RINVNUMDESTS", "ESME_RINVDLNAME", "ESME_RINVDESTFLAG",
    "ESME_RINVSUBREP", "ESME_RCNTSUBDL", "ESME_RINVNUMMSGS", "ESME_RQUERYFAIL",
}  # fmt: skip


def test_the_table_says_of_every_status_what_follows() -> None:
    """All of §5.1.3 that a submit_sm can be answered with, each with its words."""
    assert {Status(status).name for status in STATUSES} | NEVER_TO_SUBMIT_SM == set(
        Status.__members__
    )
    assert len({words for _, words in STATUSES.values()}) == len(STATUSES)


def test_what_passes_is_little() -> None:
    """An error that would come again is not tried again."""
    assert passing() == {
        Status.ESME_RINVBNDSTS: Kind.TEMPORARY,
        Status.ESME_RALYBND: Kind.TEMPORARY,
        Status.ESME_RSYSERR: Kind.TEMPORARY,
        Status.ESME_RSUBMITFAIL: Kind.TEMPORARY,
        Status.ESME_RX_T_APPN: Kind.TEMPORARY,
        Status.ESME_RMSGQFUL: Kind.CONGESTION,
        Status.ESME_RTHROTTLED: Kind.CONGESTION,
    }


def test_a_configuration_counts_more_than_the_table() -> None:
    """A vendor's own codes, and what an SMSC means otherwise."""
    kinds = passing([0x400, Status.ESME_RTHROTTLED], [Status.ESME_RSYSERR], [0x4FF])
    assert kinds[0x400] is kinds[Status.ESME_RTHROTTLED] is Kind.TEMPORARY
    assert kinds[0x4FF] is Kind.CONGESTION
    assert Status.ESME_RSYSERR not in kinds


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x0B, "the phone's number is not valid, ESME_RINVDSTADR (0xb)"),
        (0x0D, "ESME_RBINDFAIL (0xd)"),
        (0x400, "vendor status 0x400"),
        (0x500, "reserved status 0x500"),
    ],
)
def test_a_status_in_words(status: int, words: str) -> None:
    """With its name, for whoever has to ask the operator; by its number where it has none."""
    assert status_words(status) == words


def test_smpplib_has_the_same_numbers() -> None:
    """The table is not off by one: an oracle by others gives each name its number."""
    for status in STATUSES:
        theirs = getattr(consts, f"SMPP_{Status(status).name}", status)
        assert theirs == status


@pytest.mark.parametrize("typed", ["ESME_RINVDSTADR", "esme_rinvdstadr", "0x0b", "0xB", "11"])
def test_a_status_as_people_type_it(typed: str) -> None:
    """By name or number."""
    assert status_number(typed) == 0x0B


@pytest.mark.parametrize("typed", ["", "0", "-1", "0x100000000", "ESME_ROK", "RINVDSTADR", "011"])
def test_what_is_no_status_is_told(typed: str) -> None:
    """Success is none either; the message shows how to write one."""
    with pytest.raises(ValueError, match="give its name as in ESME_RINVDSTADR"):
        status_number(typed)
