"""The text settings of one SMSC, from its deliver_sm to its submit_sm, over a real store."""

import pytest
from gateway_stage import NewStage, store_replies
from memory_smsc import MemorySmsc

from smsd.smpp import septets
from smsd.smpp.codec import encode
from smsd.smpp.inbound import reader
from smsd.smpp.pdu import DeliverSm, SubmitSm, Tag, Tlv
from smsd.smpp.text import DEFAULT, UCS2, Alphabet
from smsd.smpp.udh import UDHI, concatenated, fill_bits

PHONE = "994500000001"
ENGLISH = b"1 AZE 1111111 EN"
LONG = "Permit granted. " * 15  # 240 septets
WIDE = "ə" * 71
SPELLED = {
    Alphabet.GSM: lambda octets, fill: octets,
    Alphabet.PACKED: septets.pack,
    Alphabet.LATIN_1: lambda octets, fill: octets,
    Alphabet.ASCII: lambda octets, fill: octets,
}
alphabets = pytest.mark.parametrize("alphabet", Alphabet)


def text_of(body: SubmitSm, alphabet: Alphabet) -> str:
    """What a submit_sm says to an SMSC with this alphabet."""
    return reader(alphabet)(DeliverSm(*body)).text


@alphabets
def test_a_request_and_its_reply_speak_the_alphabet_of_the_smsc(
    new_stage: NewStage, alphabet: Alphabet
) -> None:
    """data_coding 0 is read by it, the permit is granted, and the reply is written in it."""
    stage = new_stage(default_alphabet=alphabet.value).start()
    smsc = stage.bound()
    smsc.text(SPELLED[alphabet](ENGLISH, 0), PHONE)
    stage.run()
    assert stage.rows("SELECT verdict, document FROM decision") == [("grant", "AZE1111111")]
    said = "".join(text_of(body, alphabet) for body in smsc.submitted)
    assert said.startswith("Permit granted (code 1): AZE1111111")
    assert {body.data_coding for body in smsc.submitted} == {DEFAULT}


@alphabets
def test_a_long_request_in_the_alphabet_of_the_smsc_is_joined(
    new_stage: NewStage, alphabet: Alphabet
) -> None:
    """The writer joins parts without knowing what their SMSC means by data_coding 0."""
    stage = new_stage(default_alphabet=alphabet.value).start()
    smsc = stage.bound()
    for index in (2, 1):
        header = concatenated(7, 2, index)
        octets = ENGLISH[:7] if index == 1 else ENGLISH[7:]
        part = header + SPELLED[alphabet](octets, fill_bits(len(header)))
        smsc.text(part, PHONE, esm_class=UDHI)
    stage.run()
    assert stage.rows("SELECT verdict, document FROM decision") == [("grant", "AZE1111111")]


def test_a_request_in_turkish_letters_is_granted(new_stage: NewStage) -> None:
    """MYİ by a single shift, in one SMS and in two."""
    stage = new_stage().start()
    smsc = stage.bound()
    shift = b"\x24\x01\x01"
    smsc.text(b"\x03" + shift + b"1 MY\x1bI 1111111", PHONE, esm_class=UDHI)
    for index, octets in enumerate((b"1 MY\x1bI 2", b"222222"), start=1):
        header = b"\x08\x00\x03\x07\x02" + bytes([index]) + shift
        smsc.text(header + octets, PHONE, esm_class=UDHI)
    stage.run()
    granted = stage.rows("SELECT document FROM decision WHERE verdict = 'grant' ORDER BY serial")
    assert granted == [("MYI1111111",), ("MYI2222222",)]


def test_a_stray_nul_behind_a_request_is_passed_over(new_stage: NewStage) -> None:
    """A peer that ends its strings twice has its deliver_sm answered ESME_ROK, and the person."""
    stage = new_stage().start()
    smsc = stage.bound()
    octets = encode(DeliverSm(source_addr=PHONE, short_message=ENGLISH), 77) + b"\0"
    smsc.say(len(octets).to_bytes(4, "big") + octets[4:])
    stage.run()
    assert smsc.phones == [PHONE] * len(smsc.submitted)
    assert smsc.submitted


def submitted(new_stage: NewStage, text: str, **smsc: str) -> MemorySmsc:
    """An SMSC that took a stored reply."""
    stage = new_stage(**smsc)
    store_replies(stage.store, stage.policy, [PHONE], text)
    stage.start()
    peer = stage.bound()
    stage.run()
    return peer


@pytest.mark.parametrize("text", [LONG, WIDE])
@pytest.mark.parametrize(
    ("method", "esm_class", "header"),
    [
        ("udh8", UDHI, b"\x05\x00\x03\x01\x02"),
        ("udh16", UDHI, b"\x06\x08\x04\x00\x01\x02"),
        ("sar", 0, b""),
    ],
)
def test_a_long_reply_goes_as_the_smsc_wants_it(
    new_stage: NewStage, text: str, method: str, esm_class: int, header: bytes
) -> None:
    """A UDH of either width, or the SAR TLVs; two submit_sm that are the whole text."""
    smsc = submitted(new_stage, text, long_messages=method)
    assert len(smsc.submitted) == 2
    for index, body in enumerate(smsc.submitted, start=1):
        mark = header + bytes([index]) if header else b""
        assert body.esm_class == esm_class
        assert body.short_message.startswith(mark)
        assert body.tlvs == (
            ()
            if header
            else (
                Tlv(Tag.SAR_MSG_REF_NUM, b"\0\1"),
                Tlv(Tag.SAR_TOTAL_SEGMENTS, b"\2"),
                Tlv(Tag.SAR_SEGMENT_SEQNUM, bytes([index])),
            )
        )
    assert "".join(smsc.texts) == text


def test_a_long_reply_goes_whole_in_message_payload(new_stage: NewStage) -> None:
    """One submit_sm, its short_message empty; a short reply still goes without the TLV."""
    smsc = submitted(new_stage, LONG, long_messages="payload")
    [body] = smsc.submitted
    assert body.short_message == b""
    assert body.tlvs == (Tlv(Tag.MESSAGE_PAYLOAD, LONG.encode()),)
    smsc = submitted(new_stage, "Permit granted", long_messages="payload")
    assert smsc.submitted[-1].tlvs == ()


def test_what_the_alphabet_lacks_goes_as_ucs2(new_stage: NewStage) -> None:
    """A euro is in GSM 03.38 and not in Latin-1."""
    smsc = submitted(new_stage, "€", default_alphabet="latin1")
    [body] = smsc.submitted
    assert (body.data_coding, body.short_message) == (UCS2, b"\x20\xac")


def test_two_long_replies_to_a_phone_differ_in_their_reference(new_stage: NewStage) -> None:
    """Whoever else had replies in between: the phone could join halves of both."""
    stage = new_stage()
    phones = [PHONE, *(str(994_500_100_000 + number) for number in range(255)), PHONE]
    store_replies(stage.store, stage.policy, phones, LONG)
    stage.start()
    smsc = stage.bound()
    stage.run()
    references = [body.short_message[3] for body in smsc.submitted if body[6] == PHONE]
    assert references == [1, 1, 2, 2]
