"""PDUs to octets and back: golden bytes, a clear verdict on the rest, and what peers really do."""

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pdu_frames import framed, refused
from pdu_golden import GOLDEN
from pdu_strategies import bodies, u32

from smsd.smpp import pdu
from smsd.smpp.codec import decode, encode, encode_bare
from smsd.smpp.pdu import Body, Command, Malformed, Pdu, Status, Tlv

golden = pytest.mark.parametrize(
    ("body", "status", "octets"), GOLDEN, ids=[type(body).__name__ for body, _, _ in GOLDEN]
)


# --- golden bytes ----------------------------------------------------------------------------


def test_golden_bytes_cover_every_command() -> None:
    """A command without golden bytes is a command that two ends of ours could agree to garble."""
    assert {int.from_bytes(octets[4:8], "big") for _, _, octets in GOLDEN} == set(Command)


@golden
def test_golden_bytes_are_encoded(body: Body, status: int, octets: bytes) -> None:
    """Each body gives the octets of the standard's layout."""
    assert encode(body, 1, status) == octets


@golden
def test_golden_bytes_are_decoded(body: Body, status: int, octets: bytes) -> None:
    """Each frame gives the body, under its own type and its own command."""
    decoded = decode(octets)
    command = Command(int.from_bytes(octets[4:8], "big"))
    assert decoded == Pdu(command, status, 1, body)
    assert isinstance(decoded, Pdu)
    assert type(decoded.body) is type(body)


@golden
def test_a_pdu_cut_anywhere_never_raises(body: Body, status: int, octets: bytes) -> None:
    """A PDU that ends too early is refused, unless what is missing was optional."""
    without_tlvs = len(encode(body._replace(tlvs=()), 1, status))
    for end in range(16, len(octets)):
        cut = pack(">I", end) + octets[4:end]
        verdict = decode(cut)
        # An error response may leave out its whole body.
        whole = end == without_tlvs or (end == 16 and status)
        assert isinstance(verdict, Pdu if whole else Malformed), end


@given(bodies, u32, u32)
def test_what_is_encoded_decodes_to_the_same(body: Body, sequence: int, status: int) -> None:
    """No value within the bounds is lost or changed on the wire."""
    decoded = decode(encode(body, sequence, status))
    assert isinstance(decoded, Pdu)
    assert (decoded.sequence, decoded.status, decoded.body) == (sequence, status, body)
    assert type(decoded.body) is type(body)


@given(st.binary(max_size=200))
def test_decode_never_raises(octets: bytes) -> None:
    """Whatever a peer sends is a PDU or a verdict."""
    assert isinstance(decode(octets), (Pdu, Malformed))


@given(st.sampled_from(list(Command)), st.binary(max_size=200), st.sampled_from([0, 0x58]))
def test_decode_never_raises_behind_a_sound_header(
    command: Command, octets: bytes, status: int
) -> None:
    """Any body behind a known command is a PDU or a verdict."""
    frame = framed(command, octets, status)
    verdict = decode(frame)
    assert isinstance(verdict, (Pdu, Malformed))
    assert (verdict.command_id, verdict.sequence) == (command, 5)


# --- verdicts --------------------------------------------------------------------------------

_DELIVER = "00 0101 3100 0000 3200 000000 00 00 00000000"  # deliver_sm up to sm_length


@pytest.mark.parametrize(
    ("command", "body", "status", "reason"),
    [
        (0x0A, "", "RINVCMDID", "command_id 0x0000000a is not in SMPP 3.4"),
        (0x80000102, "00", "RINVCMDID", "command_id 0x80000102 is not in SMPP 3.4"),
        (0x05, "", "RINVCMDLEN", "service_type: the PDU ends before its NUL"),
        (0x05, "00 01", "RINVCMDLEN", "source_addr_npi: the PDU ends before it"),
        (0x05, "00 0101 31", "RINVCMDLEN", "source_addr: the PDU ends before its NUL"),
        (0x05, _DELIVER, "RINVCMDLEN", "sm_length: the PDU ends before it"),
        (0x05, _DELIVER + "03 6162", "RINVMSGLEN", "sm_length 3, but 2 octets are left"),
        (0x05, _DELIVER + "ff 6162", "RINVMSGLEN", "sm_length 255 is over 254"),
        (
            0x05,
            _DELIVER + "02 6162 0000",
            "RINVOPTPARSTREAM",
            "2 stray NUL octets at the end, too few for a TLV",
        ),
        (
            0x05,
            _DELIVER + "02 6162 020400",
            "RINVOPTPARSTREAM",
            "3 stray octets at the end, too few for a TLV",
        ),
        (
            0x05,
            _DELIVER + "00 0424 0003 6162",
            "RINVOPTPARSTREAM",
            "TLV 0x0424 has 3 octets, but 2 are left",
        ),
        (0x15, "01", "RINVOPTPARSTREAM", "1 stray octets at the end, too few for a TLV"),
        (0x80000004, "", "RINVCMDLEN", "message_id: the PDU ends before its NUL"),
        (0x80000004, "6131", "RINVCMDLEN", "message_id: the PDU ends before its NUL"),
        (0x80000005, "", "RINVCMDLEN", "message_id: the PDU ends before its NUL"),
        (
            0x80000004,
            "613100 0000",
            "RINVOPTPARSTREAM",
            "2 stray NUL octets at the end, too few for a TLV",
        ),
        (0x21, "00 0000 00 00", "RINVNUMDESTS", "number_of_dests 0 is not 1 to 254"),
        (0x21, "00 0000 00 01 03", "RINVDESTFLAG", "dest_flag 3 is neither 1 nor 2"),
        (0x21, "00 0000 00 01 02" + "61" * 21, "RINVDLNAME", "dl_name: no NUL within 21 octets"),
        (
            0x21,
            "00 0000 00 01 01 0101" + "31" * 21,
            "RINVDSTADR",
            "destination_addr: no NUL within 21 octets",
        ),
        (0x21, "00 0000 00 02 02 6100", "RINVCMDLEN", "dest_flag: the PDU ends before it"),
        (
            0x80000021,
            "6100 01 0101 3100 000000",
            "RINVCMDLEN",
            "error_status_code: the PDU ends before it",
        ),
    ],
)
def test_a_malformed_pdu_has_a_verdict(command: int, body: str, status: str, reason: str) -> None:
    """Each way to be malformed has its own status to answer and its own words for the log."""
    verdict = refused(framed(command, bytes.fromhex(body)))
    assert (Status(verdict.status).name, verdict.reason) == (f"ESME_{status}", reason)
    assert verdict.command_id == command


@pytest.mark.parametrize("length", [0, 15, 17, 0xFFFFFFFF])
@pytest.mark.parametrize("command", [Command.ENQUIRE_LINK, Command.UNBIND])
def test_a_command_length_that_is_not_the_frame_is_refused(length: int, command: Command) -> None:
    """Framing promises a whole PDU; a frame that says otherwise is not believed."""
    verdict = refused(pack(">IIII", length, command, 0, 5))
    assert verdict.status == Status.ESME_RINVCMDLEN


@pytest.mark.parametrize("octets", [b"", bytes(15)])
def test_less_than_a_header_is_refused(octets: bytes) -> None:
    """Even what framing never lets through gets a verdict."""
    verdict = decode(octets)
    assert isinstance(verdict, Malformed)
    assert (verdict.status, verdict.raw) == (Status.ESME_RINVCMDLEN, octets)


def test_a_reason_never_shows_the_message() -> None:
    """Reasons go to logs, where no text and no number of a person may stand."""
    secret = b"994000000001"
    for body in (secret, b"\0\1\1" + secret, b"\0\1\1" + secret + b"\0\1\1" + secret * 2):
        assert b"9940" not in refused(framed(Command.DELIVER_SM, body)).reason.encode()


# --- what peers do ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        Command.BIND_TRANSCEIVER_RESP,
        Command.SUBMIT_SM_RESP,
        Command.DELIVER_SM_RESP,
        Command.SUBMIT_MULTI_RESP,
        Command.DATA_SM_RESP,
        Command.QUERY_SM_RESP,
    ],
)
def test_an_error_response_may_come_without_its_body(command: Command) -> None:
    """§4.4.2: the body "is not returned if the command_status field contains a non-zero value"."""
    bare = encode_bare(command, 9, Status.ESME_RTHROTTLED)
    assert bare == pack(">IIII", 16, command, 0x58, 9)
    assert decode(bare) == Pdu(command, 0x58, 9, None)


def test_an_error_response_may_come_with_its_body() -> None:
    """Many peers send the empty body all the same."""
    frame = framed(Command.SUBMIT_SM_RESP, b"\0", status=0x58)
    assert decode(frame) == Pdu(Command.SUBMIT_SM_RESP, 0x58, 5, pdu.SubmitSmResp())


def test_a_request_with_a_status_still_needs_its_body() -> None:
    """§3.2 leaves command_status of a request unused; it must not open a way round the layout."""
    assert refused(framed(Command.DELIVER_SM, b"", status=1)).status == Status.ESME_RINVCMDLEN


@pytest.mark.parametrize("tag", [0x0005, 0x1400, 0x3FFF, 0xFFFF])
def test_tlvs_are_kept_known_or_not(tag: int) -> None:
    """§3.3: an unknown or unexpected parameter is ignored, which is for the reader to do."""
    expected = (Tlv(tag, b"\x01"), Tlv(tag, b""))
    octets = pack(">HHB", tag, 1, 1) + pack(">HH", tag, 0)
    for command, mandatory in (
        (Command.SUBMIT_SM_RESP, "613100"),
        (Command.DELIVER_SM, _DELIVER + "02 6162"),
        (Command.ENQUIRE_LINK, ""),
    ):
        decoded = decode(framed(command, bytes.fromhex(mandatory) + octets))
        assert isinstance(decoded, Pdu)
        assert decoded.body is not None
        assert decoded.body.tlvs == expected


def test_deliver_sm_resp_may_carry_a_message_id() -> None:
    """§4.6.2 leaves it NULL; peers that copy submit_sm_resp fill it."""
    decoded = decode(framed(Command.DELIVER_SM_RESP, b"abc\0"))
    assert decoded == Pdu(Command.DELIVER_SM_RESP, 0, 5, pdu.DeliverSmResp("abc"))


def test_every_octet_of_a_string_survives() -> None:
    """A password or an address in an alphabet of the peer's own is kept octet for octet."""
    octets = bytes(range(1, 65))
    for value in (octets, bytes(range(192, 256))):
        decoded = decode(framed(Command.SUBMIT_SM_RESP, value + b"\0"))
        assert isinstance(decoded, Pdu)
        assert isinstance(decoded.body, pdu.SubmitSmResp)
        assert decoded.body.message_id.encode("latin-1") == value
        assert encode(decoded.body, 5)[16:] == value + b"\0"
