"""The numbers and values of SMPP 3.4, held to two other implementations of it."""

import pytest
import smpp34
from smpplib import command_codes, consts

from smsd.smpp import pdu
from smsd.smpp.constants import RESPONSE_BIT
from smsd.smpp.layouts import BY_BODY, BY_COMMAND
from smsd.smpp.pdu import Command, Status, Tag, status_text

WITHOUT_RESPONSE = {Command.OUTBIND, Command.ALERT_NOTIFICATION}


def test_command_ids_are_those_of_smpplib() -> None:
    """No command is missing, misnamed or misnumbered."""
    assert {command.name.lower(): command.value for command in Command} == command_codes.commands


def test_statuses_are_those_of_smpplib() -> None:
    """No status is missing, misnamed or misnumbered."""
    theirs = {
        name[5:]: value for name, value in vars(consts).items() if name.startswith("SMPP_ESME")
    }
    assert {status.name: status.value for status in Status} == theirs


def test_tags_are_those_of_smpplib() -> None:
    """No TLV tag is missing, misnamed or misnumbered."""
    assert {tag.name.lower(): tag.value for tag in Tag} == consts.OPTIONAL_PARAMS


def test_tags_are_those_of_smpp34() -> None:
    """A second implementation gives the same tags, so no error is copied from the first."""
    theirs = {n[4:]: v for n, v in vars(smpp34).items() if n.startswith("TLV_")}
    assert {tag.name: tag.value for tag in Tag} == theirs


def test_every_request_but_two_has_its_response() -> None:
    """The response bit pairs the commands; outbind and alert_notification stand alone (§4)."""
    requests = {c for c in Command if not c & RESPONSE_BIT}
    responses = {c & ~RESPONSE_BIT for c in Command if c & RESPONSE_BIT} - {0}
    assert requests - responses == WITHOUT_RESPONSE
    assert responses <= requests


def test_every_command_has_one_layout_and_one_body() -> None:
    """The table knows every command, and a body leads back to its command."""
    assert set(BY_COMMAND) == set(Command)
    assert {layout.command for layout in BY_BODY.values()} == set(Command)


@pytest.mark.parametrize("body", list(BY_BODY), ids=lambda body: body.__name__)
def test_a_body_has_the_fields_of_its_layout_in_wire_order(body: type[pdu.Body]) -> None:
    """The table unpacks bodies by position, so names and order must agree, and TLVs come last."""
    assert body._fields == (*(field.name for field in BY_BODY[body].fields), "tlvs")


@pytest.mark.parametrize("body", list(BY_BODY), ids=lambda body: body.__name__)
def test_a_body_is_true_even_when_nothing_is_in_it(body: type[pdu.Body]) -> None:
    """``if pdu.body`` must tell a body from None, so no body may be an empty tuple."""
    assert body()


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0x00, "ESME_ROK (0x0)"),
        (0x58, "ESME_RTHROTTLED (0x58)"),
        (0x09, "reserved status 0x9"),
        (0x3FF, "reserved status 0x3ff"),
        (0x400, "vendor status 0x400"),
        (0x4FF, "vendor status 0x4ff"),
        (0x500, "reserved status 0x500"),
        (0xFFFFFFFF, "reserved status 0xffffffff"),
    ],
)
def test_a_status_is_named_for_people(status: int, text: str) -> None:
    """An operator reads a name, or at least whose number it is (§5.1.3)."""
    assert status_text(status) == text
