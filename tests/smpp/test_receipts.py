"""Delivery receipts: SMPP 3.4 Appendix B and the TLVs that overrule its text."""

import string
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsd.smpp.pdu import DataSm, DeliverSm, SubmitSm, Tag, Tlv
from smsd.smpp.receipts import STATES, Receipt, is_receipt, make, parse

APPENDIX_B = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2004051015 done date:2004051016"
    b" stat:DELIVRD err:000 Text:2-ci kod uzre icaze"
)


def receipt_of(short_message: bytes, *tlvs: Tlv, data_coding: int = 0) -> DeliverSm:
    """A deliver_sm of type receipt."""
    return DeliverSm(
        esm_class=0x04, data_coding=data_coding, short_message=short_message, tlvs=tlvs
    )


FIELDS = (b"id:7", b"stat:UNDELIV", b"err:1", b"done date:2004051016")


@pytest.mark.parametrize(
    ("esm_class", "expected"),
    [
        (0x00, False),  # a text from a phone
        (0x04, True),
        (0x20, True),  # an intermediate notification
        (0x08, False),  # the acknowledgement of a phone's user: text of theirs
        (0x10, False),
        (0x18, False),  # the end of a conversation
        (0x40, False),  # UDHI alone
        (0x44, True),
        (0x84, True),  # reply path set
        (0x03, False),  # messaging mode bits alone
        (0x07, True),
        (0x24, False),  # a message type that §5.2.12 does not assign
    ],
)
def test_which_messages_are_receipts(esm_class: int, expected: bool) -> None:
    """Only bits 5-2 of esm_class decide (§5.2.12)."""
    assert is_receipt(esm_class) is expected


def test_the_text_of_appendix_b() -> None:
    """The form that the standard prints."""
    assert parse(receipt_of(APPENDIX_B)) == Receipt(
        "0123456789", "DELIVRD", "000", "2004051015", "2004051016"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"id:7 stat:EXPIRED", ("7", "EXPIRED", "", "", "")),
        (
            b"ID:7 SUBMIT DATE:2004051015 STAT:undeliv ERR:011",
            ("7", "UNDELIV", "011", "2004051015", ""),
        ),
        (b"id:7 stat:DELIVERED", ("7", "DELIVRD", "", "", "")),
        (b"id:7 stat:LOST", ("7", "UNKNOWN", "", "", "")),
        (b"stat:DELIVRD err:001 id:a_$b", ("a_$b", "DELIVRD", "001", "", "")),
        (b"id:7 stat:DELIVRD err: text:err:9", ("7", "DELIVRD", "", "", "")),
        (b"id:7 stat:UNDELIV text:id:8 stat:DELIVRD", ("7", "UNDELIV", "", "", "")),
        (b"id:7 id:8 stat:DELIVRD", ("7", "DELIVRD", "", "", "")),
        (
            b"id:7,sub:001,dlvrd:001,submit date:200405101500,done date:200405101601,"
            b"stat:DELIVRD,err:0A1,text:",
            ("7", "DELIVRD", "0A1", "200405101500", "200405101601"),
        ),
        (
            b"id: 7 submit_date: 2004051015 done_date: 2004051016 status: Delivered error: 000",
            ("7", "DELIVRD", "000", "2004051015", "2004051016"),
        ),
        (b"message_id:a-7;state:5;err:x1", ("a-7", "UNDELIV", "x1", "", "")),
        (b"ID=7\nSTAT=EXPIRED\nERR=", ("7", "EXPIRED", "", "", "")),
        (b"id:7 submit date: done date: stat:FAILED err:", ("7", "UNDELIV", "", "", "")),
        (b"id:7 stat:BUFFERED", ("7", "ENROUTE", "", "", "")),
        (b"id:7,8 stat:REJECTD", ("7,8", "REJECTD", "", "", "")),
        (b"id:7 text:stat:EXPIRED err:9 stat:DELIVRD", ("7", "DELIVRD", "9", "", "")),
    ],
)
def test_texts_of_other_vendors(text: bytes, expected: tuple[str, ...]) -> None:
    """Case, order, fields and spellings vary; the message's own text decides nothing."""
    assert parse(receipt_of(text)) == Receipt(*expected)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"2 AZE 1111111",
        b"id:7",
        b"stat:DELIVRD",
        b"id: stat:DELIVRD",
        b"text:id:7 stat:DELIVRD",
        b"id:" + b"7" * 65 + b" stat:DELIVRD",  # §4.4.2: no submit_sm_resp can have given it
    ],
)
def test_what_is_no_receipt(text: bytes) -> None:
    """Without a message id or a state there is nothing to report."""
    assert parse(receipt_of(text)) is None


def test_tlvs_overrule_the_text() -> None:
    """receipted_message_id and message_state are typed; the text is the vendor's."""
    receipt = parse(
        receipt_of(
            APPENDIX_B,
            Tlv(Tag.RECEIPTED_MESSAGE_ID, b"ab12\0"),
            Tlv(Tag.MESSAGE_STATE, b"\x05"),
        )
    )
    assert receipt == Receipt("ab12", "UNDELIV", "000", "2004051015", "2004051016", by_tlv=True)


@pytest.mark.parametrize("fields", list(permutations(FIELDS)))
def test_fields_come_in_any_order(fields: tuple[bytes, ...]) -> None:
    """The message's own text, which looks like a receipt itself, stands where Appendix B has it."""
    text = b" ".join((*fields, b"text:id:8 stat:EXPIRED err:9"))
    assert parse(receipt_of(text)) == Receipt("7", "UNDELIV", "1", "", "2004051016")


def test_a_tlv_that_the_text_repeats_is_told_from_one_that_it_does_not() -> None:
    """They may be in two forms: see smsd.smpp.message_ids."""
    tlv = Tlv(Tag.RECEIPTED_MESSAGE_ID, b"7\0")
    by_tlv = [
        receipt.by_tlv
        for text in (b"id:7 stat:DELIVRD", b"id:8 stat:DELIVRD", b"stat:DELIVRD")
        if (receipt := parse(receipt_of(text, tlv)))
    ]
    assert by_tlv == [False, True, True]


def test_tlvs_suffice() -> None:
    """A data_sm receipt has no text at all."""
    tlvs = (Tlv(Tag.RECEIPTED_MESSAGE_ID, b"ab12\0"), Tlv(Tag.MESSAGE_STATE, b"\x02"))
    assert parse(DataSm(esm_class=0x04, tlvs=tlvs)) == Receipt("ab12", "DELIVRD", by_tlv=True)


@pytest.mark.parametrize("value", [b"\0", b"\x09", b"\xff"])
def test_a_state_that_the_standard_does_not_know(value: bytes) -> None:
    """A number outside §5.2.28 reads as UNKNOWN, and is not taken for delivery."""
    tlvs = (Tlv(Tag.RECEIPTED_MESSAGE_ID, b"7\0"), Tlv(Tag.MESSAGE_STATE, value))
    receipt = parse(receipt_of(b"", *tlvs))
    assert receipt is not None
    assert (receipt.state, receipt.delivered) == ("UNKNOWN", False)


def test_a_state_tlv_of_wrong_length_is_ignored() -> None:
    """Then the text speaks."""
    receipt = parse(receipt_of(APPENDIX_B, Tlv(Tag.MESSAGE_STATE, b"\0\x05")))
    assert receipt is not None
    assert receipt.state == "DELIVRD"


def test_receipts_in_ucs2_and_in_the_payload() -> None:
    """Some SMSCs send receipts as UCS-2, or in message_payload."""
    expected = parse(receipt_of(APPENDIX_B))
    wide = APPENDIX_B.decode("ascii").encode("utf-16-be")
    assert parse(receipt_of(wide, data_coding=8)) == expected
    assert parse(receipt_of(b"", Tlv(Tag.MESSAGE_PAYLOAD, APPENDIX_B))) == expected


@pytest.mark.parametrize(
    ("state", "delivered", "final"),
    [("DELIVRD", True, True), ("ENROUTE", False, False), ("ACCEPTD", False, True)],
)
def test_what_a_state_means(state: str, delivered: bool, final: bool) -> None:
    """Only DELIVRD is delivery, and only ENROUTE leaves more to come."""
    receipt = Receipt("7", state)
    assert (receipt.delivered, receipt.final) == (delivered, final)


WORD = st.text(string.ascii_letters + string.digits + "-_.:$@", max_size=30)


@given(
    st.builds(
        Receipt,
        WORD.filter(bool),
        st.sampled_from(sorted(STATES.values())),
        st.from_regex(r"([0-9]{3})?", fullmatch=True),
        st.from_regex(r"([0-9]{10})?", fullmatch=True),
        st.from_regex(r"([0-9]{10}|[0-9]{12})?", fullmatch=True),
        by_tlv=st.just(False),
    )
)
def test_make_and_parse_agree(receipt: Receipt) -> None:
    """What the simulator sends, the daemon reads: by its TLVs, and by its text alone."""
    made = make(receipt, SubmitSm(source_addr="8103", destination_addr="994000000001"))
    assert is_receipt(made.esm_class)
    assert (made.source_addr, made.destination_addr) == ("994000000001", "8103")
    assert parse(made) == receipt
    assert parse(made._replace(tlvs=())) == receipt
    by_field = made._replace(tlvs=(), short_message=b" " + made.short_message)
    assert parse(by_field) == receipt


def test_make_refuses_a_state_that_does_not_exist() -> None:
    """A slip in a simulator's script shows at once."""
    with pytest.raises(KeyError):
        make(Receipt("7", "DELIVERED"), SubmitSm())


@pytest.mark.timeout(10)  # a thousand times what one way through takes
@pytest.mark.parametrize(
    "filler", [b", " * 30_000, b"," + b" " * 60_000, b"," + b"a " * 30_000, b" id: a" * 10_000]
)
def test_a_receipt_as_long_as_a_pdu_is_read_like_a_short_one(filler: bytes) -> None:
    """No octets of a peer make reading take more than one way through them."""
    payload = Tlv(Tag.MESSAGE_PAYLOAD, b"id:7 stat:DELIVRD err:1" + filler)
    receipt = parse(receipt_of(b"", payload))
    assert receipt is not None
    assert (receipt.message_id, receipt.state) == ("7", "DELIVRD")


@given(st.binary(), st.integers(0, 255), st.integers(0, 255))
def test_parse_never_raises(octets: bytes, esm_class: int, data_coding: int) -> None:
    """Receipts come from outside: any octets are a receipt or none."""
    parse(DeliverSm(esm_class=esm_class, data_coding=data_coding, short_message=octets))
