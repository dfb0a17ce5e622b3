"""Texts to phones (MT) as short messages: spelled in the SMSC's alphabet, cut if they are long.

140 octets of user data are 160 septets, 140 octets of Latin-1 or 70 units of UCS-2, less what a
header takes (3GPP TS 23.040 §9.2.3.24). Never cut: an escape pair, a surrogate pair.
"""

from collections.abc import Callable
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

from smsd.smpp import gsm0338, septets, udh
from smsd.smpp.pdu import Tag, Tlv
from smsd.smpp.references import References
from smsd.smpp.text import DEFAULT, UCS2, Alphabet, encode_ucs2

PARTS_MAX: Final = 255  # The total is one octet in the UDH and in sar_total_segments.
_USER_DATA_BITS: Final = 8 * 140

# A third of what a NamedTuple's own constructor takes, for every SMS.
_new = tuple.__new__


class LongMessages(StrEnum):
    """How an SMSC wants a text that one short message cannot hold: ``long_messages`` in config."""

    UDH_8_BIT = "udh8"
    UDH_16_BIT = "udh16"
    SAR = "sar"  # SMPP 3.4 §5.3.2.22-24: the SMSC writes the header.
    PAYLOAD = "payload"  # §5.3.2.32: the SMSC cuts.


_NO_TLVS: tuple[Tlv, ...] = ()


class Submission(NamedTuple):
    """What to submit: a submit_sm for each of ``parts``, its short_message and TLVs."""

    data_coding: int
    esm_class: int
    parts: tuple[tuple[bytes, tuple[Tlv, ...]], ...]


# --- spelling --------------------------------------------------------------------------------

# A text is spelled in octets that can be counted and cut: a septet each (with its escape, if it
# has one), a character of Latin-1, or half a unit of UCS-2. Only then are they put as they go out.


class Script(NamedTuple):
    """One alphabet. ``spell`` gives None when it lacks a character of the text."""

    data_coding: int
    bits: int  # of an octet of the spelling, on the air
    unit_octets: int  # that are never parted
    spell: Callable[[str], bytes | None]
    overhang: Callable[[bytes, int], int]  # octets before a cut that belong with those behind it
    put: Callable[[bytes, int], bytes]  # as it goes out, behind so many bits of fill

    def room(self, header_octets: int) -> int:
        """How many octets of the spelling one short message holds beside its header."""
        units = (_USER_DATA_BITS - 8 * header_octets) // (self.bits * self.unit_octets)
        return units * self.unit_octets


def _as_it_is(spelled: bytes, _fill_bits: int) -> bytes:
    return spelled


def _whole(_spelled: bytes, _cut: int) -> int:
    return 0


def _escape_overhang(spelled: bytes, cut: int) -> int:
    return spelled[cut - 1] == gsm0338.ESCAPE


def _surrogate_overhang(spelled: bytes, cut: int) -> int:
    # A high surrogate: its low half is yet to come.
    return 2 if spelled[cut - 2] & 0xFC == 0xD8 else 0


def _spell_latin_1(text: str) -> bytes | None:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


_ESCAPE: Final = bytes((gsm0338.ESCAPE,))
# ASCII reaches phones as GSM 03.38, in which these cost an escape.
_COSTLY_IN_ASCII: Final = tuple(
    character.encode() for character in gsm0338.EXTENSION.values() if character.isascii()
)


def _spell_ascii(text: str) -> bytes | None:
    if not text.isascii() or "\x1b" in text:
        return None
    spelled = text.encode()
    for character in _COSTLY_IN_ASCII:
        spelled = spelled.replace(character, _ESCAPE + character)
    return spelled


def _put_ascii(spelled: bytes, _fill_bits: int) -> bytes:
    return spelled.replace(_ESCAPE, b"")


GSM: Final = Script(DEFAULT, 7, 1, gsm0338.try_encode, _escape_overhang, _as_it_is)
WIDE: Final = Script(UCS2, 8, 2, encode_ucs2, _surrogate_overhang, _as_it_is)

# Latin-1 counts as 8 bits, since an SMSC may hand it on as it is; one that turns it into septets
# has room to spare.
_SCRIPTS: Final = {
    Alphabet.GSM: GSM,
    Alphabet.PACKED: GSM._replace(put=septets.pack),
    Alphabet.LATIN_1: Script(DEFAULT, 8, 1, _spell_latin_1, _whole, _as_it_is),
    Alphabet.ASCII: Script(DEFAULT, 7, 1, _spell_ascii, _escape_overhang, _put_ascii),
}


def spell(text: str, native: Script = GSM) -> tuple[Script, bytes]:
    """Spell ``text`` in ``native`` when that has every character, else in UCS-2."""
    spelled = native.spell(text)
    return (WIDE, encode_ucs2(text)) if spelled is None else (native, spelled)


# --- cutting ---------------------------------------------------------------------------------


def cut(script: Script, spelled: bytes, header_octets: int) -> list[bytes]:
    """Cut a spelling into parts that are full, but for a character that must not be cut."""
    room = script.room(header_octets)
    cuts = [0]
    while (at := cuts[-1] + room) < len(spelled):
        cuts.append(at - script.overhang(spelled, at))
    cuts.append(len(spelled))
    return [spelled[start:end] for start, end in pairwise(cuts)]


def _numbered(script: Script, spelled: bytes, header_octets: int) -> list[bytes]:
    parts = cut(script, spelled, header_octets)
    if len(parts) > PARTS_MAX:
        raise ValueError(f"the text takes {len(parts)} parts; at most {PARTS_MAX} can be numbered")
    return parts


_Join = Callable[[Script, bytes, int], Submission]


def _by_udh(header: Callable[[int, int, int], bytes], header_octets: int) -> _Join:
    fill_bits = udh.fill_bits(header_octets)

    def join(script: Script, spelled: bytes, reference: int) -> Submission:
        parts = _numbered(script, spelled, header_octets)
        total, put = len(parts), script.put
        submitted = [
            (header(reference, total, index) + put(part, fill_bits), _NO_TLVS)
            for index, part in enumerate(parts, start=1)
        ]
        return _new(Submission, (script.data_coding, udh.UDHI, tuple(submitted)))

    return join


def _by_sar(script: Script, spelled: bytes, reference: int) -> Submission:
    # Its reference has 16 bits: the SMSC may need a header of seven octets.
    parts = _numbered(script, spelled, udh.CONCATENATED_16_BIT_OCTETS)
    number = Tlv(Tag.SAR_MSG_REF_NUM, reference.to_bytes(2, "big"))
    total = Tlv(Tag.SAR_TOTAL_SEGMENTS, bytes((len(parts),)))
    submitted = [
        (script.put(part, 0), (number, total, Tlv(Tag.SAR_SEGMENT_SEQNUM, bytes((index,)))))
        for index, part in enumerate(parts, start=1)
    ]
    return Submission(script.data_coding, 0, tuple(submitted))


def _by_payload(script: Script, spelled: bytes, _reference: int) -> Submission:
    _numbered(script, spelled, udh.CONCATENATED_16_BIT_OCTETS)  # The SMSC has no more numbers.
    payload = Tlv(Tag.MESSAGE_PAYLOAD, script.put(spelled, 0))
    return Submission(script.data_coding, 0, ((b"", (payload,)),))


by_udh_8_bit: Final = _by_udh(udh.concatenated, udh.CONCATENATED_OCTETS)
_JOINS: Final[dict[LongMessages, _Join]] = {
    LongMessages.UDH_8_BIT: by_udh_8_bit,
    LongMessages.UDH_16_BIT: _by_udh(udh.concatenated_16_bit, udh.CONCATENATED_16_BIT_OCTETS),
    LongMessages.SAR: _by_sar,
    LongMessages.PAYLOAD: _by_payload,
}


def segmenter(
    alphabet: Alphabet, method: LongMessages, references: References
) -> Callable[[str, str], Submission]:
    """What turns a text and the phone it goes to into short messages, as one SMSC takes them.

    It raises ValueError when a text would take more than PARTS_MAX parts.
    """
    native = _SCRIPTS[alphabet]
    native_spell, native_put = native.spell, native.put
    native_max, wide_max = native.room(0), WIDE.room(0)
    join = _JOINS[method]

    def segment(text: str, phone: str) -> Submission:
        spelled = native_spell(text)
        if spelled is None:
            octets = encode_ucs2(text)
            if len(octets) > wide_max:
                return join(WIDE, octets, references.take(phone))
            return _new(Submission, (UCS2, 0, ((octets, _NO_TLVS),)))
        if len(spelled) > native_max:
            return join(native, spelled, references.take(phone))
        return _new(Submission, (DEFAULT, 0, ((native_put(spelled, 0), _NO_TLVS),)))

    return segment
