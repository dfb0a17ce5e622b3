"""What a phone's short message says: its place among others, and its text as its SMSC means it."""

from collections.abc import Callable
from typing import Final, NamedTuple

from smsd.smpp import gsm0338, national, septets, text, udh
from smsd.smpp.pdu import DataSm, DeliverSm
from smsd.smpp.segments import Content, Part, unpack
from smsd.smpp.text import Alphabet, Decoded

# A third of what a NamedTuple's own constructor takes, for every SMS.
_new = tuple.__new__
_REPLACEMENT: Final = "\ufffd"
_LONE_SURROGATE: Final = "\udfff"

# What the octets of these mean without knowing the SMSC.
_NAMED_CODINGS: Final = {Alphabet.LATIN_1: text.LATIN_1, Alphabet.ASCII: text.ASCII}


class Reading(NamedTuple):
    """A short message as it was read.

    ``data_coding`` and ``octets`` are as they came, without UDH; but of a part of a long text they
    are such that ``text.decode`` reads them, joined to the other parts, without knowing the SMSC.
    """

    data_coding: int
    octets: bytes
    text: str
    sound: bool
    part: Part | None


def reader(alphabet: Alphabet) -> Callable[[DeliverSm | DataSm], Reading]:
    """What reads the messages of an SMSC with this default alphabet; it never raises."""
    readers = text.readers(alphabet)
    common = alphabet is Alphabet.GSM

    def read(body: DeliverSm | DataSm) -> Reading:
        content = unpack(body)
        octets, part, sound, header = content
        data_coding = body.data_coding
        if header:
            if not common or national.may_speak(header):
                return _read_with_care(alphabet, data_coding, content)
        elif part and not common:
            return _read_with_care(alphabet, data_coding, content)
        said, decodable = readers[data_coding](octets)
        return _new(Reading, (data_coding, octets, said, decodable and sound, part))

    return read


def _read_with_care(alphabet: Alphabet, data_coding: int, content: Content) -> Reading:
    """Read a message with a header, or a part of a text in an alphabet that is not everybody's."""
    octets, part, sound, header = content
    if data_coding in text.DEFAULT_CODINGS:
        plain = octets
        if alphabet is Alphabet.PACKED:
            plain = septets.unpack(octets, udh.fill_bits(len(header)))
            alphabet = Alphabet.GSM
        coding, plain, decoded = _read_default(alphabet, data_coding, plain, header)
    else:
        coding, plain, decoded = data_coding, octets, text.decode(data_coding, octets, alphabet)
    if part is None:
        coding, plain = data_coding, octets
    return Reading(coding, plain, decoded.text, decoded.sound and sound, part)


def _read_default(
    alphabet: Alphabet, data_coding: int, octets: bytes, header: bytes
) -> tuple[int, bytes, Decoded]:
    """Give a data_coding and octets that say the same to everybody, and what they say."""
    spoken = national.languages(header) if alphabet is Alphabet.GSM else None
    if spoken is None:
        named = _NAMED_CODINGS.get(alphabet, data_coding)
        return named, octets, text.decode(named, octets)
    decode = national.decoder(spoken)
    if decode is None:  # A language whose tables we do not have: what both have in common.
        return data_coding, octets, Decoded(gsm0338.decode(octets), False)
    said = decode(octets)
    decoded = Decoded(said, _REPLACEMENT not in said)
    # What could not be read stays so when the parts are joined and read again.
    units = said.replace(_REPLACEMENT, _LONE_SURROGATE).encode("utf-16-be", "surrogatepass")
    return text.UCS2, units, decoded
