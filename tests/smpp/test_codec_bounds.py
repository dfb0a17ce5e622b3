"""Every bound of every field, tried on both sides, encoding and decoding."""

from struct import pack
from typing import Any

import pytest
from pdu_frames import framed, refused

from smsd.smpp import pdu
from smsd.smpp.codec import FieldError, decode, encode, encode_bare, encode_by_table
from smsd.smpp.pdu import Body, Command, Pdu, Status, Tlv

# The longest value in characters, without the NUL (§4, §5.2), and the status for one more.
_SOURCE = ("source_addr", 20, Status.ESME_RINVSRCADR)
_DESTINATION = ("destination_addr", 20, Status.ESME_RINVDSTADR)
_MESSAGE_ID = ("message_id", 64, Status.ESME_RINVMSGID)
_SERVICE = ("service_type", 5, Status.ESME_RINVSERTYP)
_SCHEDULE = ("schedule_delivery_time", 16, Status.ESME_RINVSCHED)
_VALIDITY = ("validity_period", 16, Status.ESME_RINVEXPIRY)
_SYSTEM_ID = ("system_id", 15, Status.ESME_RINVSYSID)
_PASSWORD = ("password", 8, Status.ESME_RINVPASWD)
_BIND = (
    _SYSTEM_ID,
    _PASSWORD,
    ("system_type", 12, Status.ESME_RINVSYSTYP),
    ("address_range", 40, Status.ESME_RINVPARLEN),
)
_MESSAGE = (_SERVICE, _SOURCE, _SCHEDULE, _VALIDITY)
STRINGS: dict[type[Body], tuple[tuple[str, int, Status], ...]] = {
    pdu.BindTransmitter: _BIND,
    pdu.BindReceiver: _BIND,
    pdu.BindTransceiver: _BIND,
    pdu.BindTransmitterResp: (_SYSTEM_ID,),
    pdu.BindReceiverResp: (_SYSTEM_ID,),
    pdu.BindTransceiverResp: (_SYSTEM_ID,),
    pdu.Outbind: (_SYSTEM_ID, _PASSWORD),
    pdu.SubmitSm: (*_MESSAGE, _DESTINATION),
    pdu.SubmitSmResp: (_MESSAGE_ID,),
    pdu.SubmitMultiResp: (_MESSAGE_ID,),
    pdu.DeliverSm: (*_MESSAGE, _DESTINATION),
    pdu.DeliverSmResp: (_MESSAGE_ID,),
    pdu.DataSm: (
        _SERVICE,
        ("source_addr", 64, Status.ESME_RINVSRCADR),
        ("destination_addr", 64, Status.ESME_RINVDSTADR),
    ),
    pdu.DataSmResp: (_MESSAGE_ID,),
    pdu.QuerySm: (_MESSAGE_ID, _SOURCE),
    pdu.QuerySmResp: (_MESSAGE_ID, ("final_date", 16, Status.ESME_RINVPARLEN)),
    pdu.CancelSm: (_SERVICE, _MESSAGE_ID, _SOURCE, _DESTINATION),
    pdu.ReplaceSm: (_MESSAGE_ID, _SOURCE, _SCHEDULE, _VALIDITY),
    pdu.AlertNotification: (
        ("source_addr", 64, Status.ESME_RINVSRCADR),
        ("esme_addr", 64, Status.ESME_RINVPARLEN),
    ),
}
strings = pytest.mark.parametrize(
    ("body", "field", "most", "status"),
    [(body, *row) for body, rows in STRINGS.items() for row in rows],
    ids=[f"{body.__name__}.{row[0]}" for body, rows in STRINGS.items() for row in rows],
)


@strings
def test_the_longest_string_fits(body: type[Any], field: str, most: int, status: Status) -> None:
    """The last length inside the bound goes through, both ways."""
    value = body()._replace(**{field: "Z" * most})
    decoded = decode(encode(value, 5))
    assert isinstance(decoded, Pdu)
    assert decoded.body == value


@strings
def test_one_character_more_is_refused(
    body: type[Any], field: str, most: int, status: Status
) -> None:
    """The first length outside is never cut to fit: it is an error here and a status to a peer."""
    with pytest.raises(FieldError, match=f"^{field}: {most + 1} characters, at most {most}$"):
        encode(body()._replace(**{field: "Z" * (most + 1)}), 5)
    longest = encode(body()._replace(**{field: "Z" * most}), 5)
    longer = longest.replace(b"Z" * most, b"Z" * (most + 1))
    verdict = refused(pack(">I", len(longer)) + longer[4:])
    assert (verdict.status, verdict.reason) == (status, f"{field}: no NUL within {most + 1} octets")


def multi(count: int) -> pdu.SubmitMulti:
    """A submit_multi to ``count`` destinations."""
    return pdu.SubmitMulti(dest_addresses=(pdu.DistributionList("all"),) * count)


@pytest.mark.parametrize("body", [pdu.SubmitSm, pdu.DeliverSm, pdu.ReplaceSm])
def test_short_message_has_254_octets_at_most(body: type[pdu.SubmitSm]) -> None:
    """sm_length is one octet, yet §5.2.21 ends it at 254."""
    longest = encode(body(short_message=b"Z" * 254), 5)
    decoded = decode(longest)
    assert isinstance(decoded, Pdu)
    assert decoded.body == body(short_message=b"Z" * 254)
    with pytest.raises(FieldError, match=r"^sm_length: 255 is not 0 to 254$"):
        encode(body(short_message=b"Z" * 255), 5)
    longer = longest.replace(b"\xfe" + b"Z" * 254, b"\xff" + b"Z" * 255)
    verdict = refused(pack(">I", len(longer)) + longer[4:])
    assert verdict.status == Status.ESME_RINVMSGLEN
    assert verdict.reason == "sm_length 255 is over 254"


@pytest.mark.parametrize("count", [1, 254])
def test_submit_multi_has_1_to_254_destinations(count: int) -> None:
    """Both bounds of number_of_dests belong to what is allowed (§5.2.24)."""
    decoded = decode(encode(multi(count), 5))
    assert isinstance(decoded, Pdu)
    assert decoded.body == multi(count)


@pytest.mark.parametrize("count", [0, 255])
def test_submit_multi_to_none_or_too_many_is_refused(count: int) -> None:
    """Beyond either bound there is no submit_multi."""
    with pytest.raises(FieldError, match=f"^number_of_dests: {count} is not 1 to 254$"):
        encode(multi(count), 5)
    body = b"\0" * 4 + bytes([count]) + b"\x02all\0" * count + b"\0" * 10
    assert refused(framed(Command.SUBMIT_MULTI, body)).status == Status.ESME_RINVNUMDESTS


@pytest.mark.parametrize("count", [0, 255])
def test_submit_multi_resp_lists_up_to_255_failures(count: int) -> None:
    """no_unsuccess is one octet, and §4.5.2 sets no closer bound."""
    body = pdu.SubmitMultiResp("m", (pdu.UnsuccessSme(1, 1, "1", 0x0B),) * count)
    decoded = decode(encode(body, 5))
    assert isinstance(decoded, Pdu)
    assert decoded.body == body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (pdu.SubmitSm(esm_class=256), "esm_class: not an integer of 8 bits"),
        (pdu.SubmitSm(source_addr_ton=-1), "source_addr_ton: not an integer of 8 bits"),
        (pdu.DataSm(data_coding=256), "data_coding: not an integer of 8 bits"),
        (
            pdu.SubmitMultiResp("m", (pdu.UnsuccessSme(error_status_code=1 << 32),)),
            "error_status_code: not an integer of 32 bits",
        ),
        (
            pdu.SubmitMultiResp("m", (pdu.UnsuccessSme(),) * 256),
            "no_unsuccess: 256 is not 0 to 255",
        ),
        (
            pdu.DeliverSm(source_addr="99400\x000000"),
            "source_addr: a NUL inside would cut it short",
        ),
        (
            pdu.SubmitSm(source_addr="İCAZƏ"),
            "source_addr: a character that no octet stands for",
        ),
        (pdu.SubmitSmResp("\ud800"), "message_id: a character that no octet stands for"),
        (pdu.SubmitSm(tlvs=(Tlv(0x10000, b""),)), "tlvs: a tag or a value's length over 16 bits"),
        (
            pdu.DataSm(tlvs=(Tlv(0x0424, bytes(0x10000)),)),
            "tlvs: a tag or a value's length over 16 bits",
        ),
    ],
)
def test_a_value_without_room_is_an_error_that_names_its_field(body: Body, words: str) -> None:
    """Nothing is cut or wrapped silently, and the error never shows the value."""
    with pytest.raises(FieldError) as error:
        encode(body, 1)
    assert str(error.value) == words
    assert error.value.__suppress_context__ or error.value.__context__ is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("source_addr", b"8103"), ("esm_class", "1"), ("esm_class", 1.0), ("short_message", "text")],
)
def test_a_value_of_the_wrong_type_is_an_error(field: str, value: Any) -> None:
    """A str in the place of octets must not be written as its own representation."""
    for encoder in (encode, encode_by_table):
        with pytest.raises(FieldError):
            encoder(pdu.SubmitSm()._replace(**{field: value}), 1)


@pytest.mark.parametrize("number", [-1, 1 << 32])
@pytest.mark.parametrize("body", [pdu.EnquireLink(), pdu.SubmitSm(), pdu.SubmitSmResp("1")])
def test_a_header_holds_32_bits(body: Body, number: int) -> None:
    """A sequence number or status that has no room is an error, on the fast paths too."""
    for sequence, status in ((number, 0), (0, number)):
        with pytest.raises(FieldError, match="integers of 32 bits"):
            encode(body, sequence, status)
        with pytest.raises(FieldError, match="integers of 32 bits"):
            encode_by_table(body, sequence, status)
    with pytest.raises(FieldError, match="integers of 32 bits"):
        encode_bare(Command.GENERIC_NACK, number, 0)


def test_the_longest_tlv_fits() -> None:
    """message_payload may hold 64 KiB less one octet (§5.3.2.32)."""
    body = pdu.DataSm(tlvs=(Tlv(0x0424, bytes(0xFFFF)), Tlv(0xFFFF, b"")))
    decoded = decode(encode(body, 1))
    assert isinstance(decoded, Pdu)
    assert decoded.body == body
