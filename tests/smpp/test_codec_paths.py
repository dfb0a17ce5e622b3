"""The compiled paths of the codec equal the table path: same values, same octets, same verdicts."""

from struct import pack
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pdu_frames import framed
from pdu_golden import GOLDEN
from pdu_strategies import bodies_of, c_octets, octet, short_messages, tlvs, u32

from smsd.smpp.codec import FieldError, decode, decode_by_table, encode, encode_by_table
from smsd.smpp.pdu import (
    Body,
    Command,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    Pdu,
    SubmitSm,
    SubmitSmResp,
)

HOT: dict[type[Body], Command] = {
    SubmitSm: Command.SUBMIT_SM,
    SubmitSmResp: Command.SUBMIT_SM_RESP,
    DeliverSm: Command.DELIVER_SM,
    DeliverSmResp: Command.DELIVER_SM_RESP,
    EnquireLink: Command.ENQUIRE_LINK,
    EnquireLinkResp: Command.ENQUIRE_LINK_RESP,
}
hot_bodies = st.sampled_from(list(HOT)).flatmap(bodies_of)
# Values on, around and beyond every bound, so that refusals are compared as well.
_about_octet = st.sampled_from([-1, 0, 1, 255, 256]) | octet
_about_string = c_octets(3) | st.text(max_size=3) | st.text("Z", min_size=4, max_size=66)
_about_message = short_messages | st.sampled_from([bytes(254), bytes(255), bytes(256)])
_about_message_fields: dict[str, Any] = dict.fromkeys(SubmitSm._fields, _about_octet) | {
    "service_type": _about_string,
    "source_addr": _about_string,
    "destination_addr": _about_string,
    "schedule_delivery_time": _about_string,
    "validity_period": _about_string,
    "short_message": _about_message,
    "tlvs": tlvs,
}
# A few fields at a time, or a sound body would hardly ever come up.
wild_bodies = st.sampled_from([SubmitSm, DeliverSm]).flatmap(
    lambda kind: st.fixed_dictionaries({}, optional=_about_message_fields).map(
        lambda fields: kind(**fields)
    )
) | st.builds(SubmitSmResp, _about_string, tlvs)


def same(frame: bytes) -> None:
    """Both paths give the same value under the same types, or the same verdict."""
    fast, slow = decode(frame), decode_by_table(frame)
    assert fast == slow
    assert type(fast) is type(slow)
    if isinstance(fast, Pdu):
        assert isinstance(slow, Pdu)
        assert type(fast.body) is type(slow.body)
        assert type(fast.command_id) is Command


@given(hot_bodies, u32, u32)
def test_the_paths_encode_and_decode_alike(body: Body, sequence: int, status: int) -> None:
    """Any sound hot PDU has the same octets and the same value on both paths."""
    octets = encode_by_table(body, sequence, status)
    assert encode(body, sequence, status) == octets
    same(octets)


@given(wild_bodies)
@example(SubmitSm(source_addr="\0"))
@example(SubmitSm(validity_period="\0"))
@example(SubmitSmResp("\0"))
@example(SubmitSmResp("Z" * 65))
def test_the_paths_refuse_the_same_values(body: Body) -> None:
    """A value without room is refused on both paths, in the same words."""
    try:
        expected = encode_by_table(body, 1)
    except FieldError as refusal:
        with pytest.raises(FieldError) as error:
            encode(body, 1)
        assert str(error.value) == str(refusal)
    else:
        assert encode(body, 1) == expected


@given(hot_bodies, st.data())
def test_the_paths_judge_damaged_frames_alike(body: Body, data: st.DataObject) -> None:
    """Octets changed, lost or added, with a true or an untrue command_length: one verdict."""
    frame = bytearray(encode_by_table(body, 5, data.draw(st.sampled_from([0, 0x58]))))
    at = data.draw(st.integers(0, len(frame)))
    frame[at : at + data.draw(st.integers(0, 30))] = data.draw(
        st.binary(max_size=3) | st.text("\0Z", max_size=30).map(str.encode)
    )
    same(bytes(frame))
    if len(frame) >= 16:
        same(pack(">I", len(frame)) + frame[4:])


@given(st.sampled_from(list(HOT.values())), st.binary(max_size=80), st.sampled_from([0, 0x58]))
def test_the_paths_judge_any_octets_alike(command: Command, body: bytes, status: int) -> None:
    """Whatever stands behind the header of a hot command: one verdict."""
    same(framed(command, body, status))


@given(
    st.sampled_from([Command.SUBMIT_SM, Command.DELIVER_SM]),
    st.tuples(*[st.sampled_from([0, 5, 6, 15, 16, 17, 20, 21])] * 5),
    st.sampled_from([0, 1, 253, 254, 255]),
    st.integers(-6, 2),
)
def test_the_paths_draw_the_same_bounds(
    command: Command, sizes: tuple[int, ...], sm_length: int, more: int
) -> None:
    """Strings and texts about their bounds, and TLVs about their first octets: one verdict."""
    service, source, destination, schedule, validity = (b"Z" * size + b"\0" for size in sizes)
    same(
        framed(
            command,
            service
            + b"\1\2"
            + source
            + b"\3\4"
            + destination
            + b"\5\6\7"
            + schedule
            + validity
            + bytes([1, 2, 3, 4, sm_length])
            + bytes(max(0, sm_length + more)),
        )
    )


@pytest.mark.parametrize("octets", [octets for _, _, octets in GOLDEN])
def test_the_paths_judge_every_cut_alike(octets: bytes) -> None:
    """Each golden PDU, cut at each octet: one verdict."""
    for end in range(len(octets) + 1):
        same(octets[:end])
        if end >= 16:
            same(pack(">I", end) + octets[4:end])


@pytest.mark.parametrize("body", list(HOT), ids=lambda body: body.__name__)
def test_a_hot_pdu_takes_the_compiled_path(
    body: type[Body], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equality alone would also hold if every PDU quietly went by the table."""
    octets = encode_by_table(body(), 1)

    def by_table(*_: object) -> None:
        raise AssertionError("went by the table")

    monkeypatch.setattr("smsd.smpp.codec.encode_by_table", by_table)
    monkeypatch.setattr("smsd.smpp.codec.decode_by_table", by_table)
    assert encode(body(), 1) == octets
    assert decode(octets) == Pdu(HOT[body], 0, 1, body())
