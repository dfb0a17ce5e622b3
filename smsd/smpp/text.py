"""Text of a short message: data_coding (SMPP 3.4 §5.2.19, GSM 03.38 §4) to ``str`` and back."""

from codecs import utf_16_be_decode, utf_16_be_encode
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from smsd.smpp import gsm0338, septets

DEFAULT: Final = 0x00
ASCII: Final = 0x01
LATIN_1: Final = 0x03
UCS2: Final = 0x08


class Alphabet(StrEnum):
    """What an SMSC means by data_coding 0, its "SMSC default alphabet" (§5.2.19).

    The values are those of ``default_alphabet`` in config.toml.
    """

    GSM = "gsm0338"  # a septet to an octet
    PACKED = "gsm0338-packed"  # eight septets in seven octets
    LATIN_1 = "latin1"
    ASCII = "ascii"


class Decoded(NamedTuple):
    """A text, and whether it is all that was sent.

    When ``sound`` is False, U+FFFD stands for what could not be read, or data_coding names no text
    that we read (binary, compressed, reserved) and ``text`` is a best effort.
    """

    text: str
    sound: bool


Reader = Callable[[bytes], Decoded]
# A third of what a NamedTuple's own constructor takes, for every SMS.
_new = tuple.__new__


def decode(data_coding: int, octets: bytes, default_alphabet: Alphabet = Alphabet.GSM) -> Decoded:
    """Read the text of ``octets`` (without UDH) under ``data_coding``, 0-255; never raises."""
    return _READERS[default_alphabet][data_coding](octets)


def readers(default_alphabet: Alphabet) -> tuple[Reader, ...]:
    """What reads the octets of an SMSC's messages, by data_coding; each as ``decode`` does."""
    return _READERS[default_alphabet]


def is_gsm(text: str) -> bool:
    """Whether GSM 03.38, its extension table included, has every character of ``text``."""
    return gsm0338.try_encode(text) is not None


def encode_gsm(text: str) -> bytes:
    """Give the septets of ``text``, one to an octet; UnicodeEncodeError if one is not in GSM."""
    octets = gsm0338.try_encode(text)
    if octets is None:
        at = next(i for i, character in enumerate(text) if character not in gsm0338.ALPHABET)
        raise UnicodeEncodeError("gsm0338", text, at, at + 1, "not in the GSM 03.38 alphabet")
    return octets


def encode(text: str) -> tuple[int, bytes]:
    """Give ``(data_coding, octets)``: GSM 03.38 if that has every character, else UCS-2.

    Never raises.
    """
    octets = gsm0338.try_encode(text)
    return (UCS2, encode_ucs2(text)) if octets is None else (DEFAULT, octets)


def encode_ucs2(text: str) -> bytes:
    """Give UTF-16-BE with surrogate pairs, as phones read UCS-2; a lone surrogate becomes U+FFFD.

    Never raises.
    """
    try:
        return utf_16_be_encode(text)[0]
    except UnicodeEncodeError:
        # Surrogates that are two halves of a pair join; "replace" would have written "?" for each.
        units = utf_16_be_encode(text, "surrogatepass")[0]
        return utf_16_be_encode(utf_16_be_decode(units, "replace", True)[0])[0]


def _read_gsm(octets: bytes) -> Decoded:
    text = gsm0338.decode(octets)
    return _new(Decoded, (text, "\ufffd" not in text))


def _read_packed(octets: bytes) -> Decoded:
    return _read_gsm(septets.unpack(octets))


# Below are Latin, Greek, Cyrillic, Armenian and Hebrew: a text that begins with one is as it seems.
_UNEXPECTED = "\u0600"
_EXPECTED_ROWS = bytes(range(ord(_UNEXPECTED) >> 8))


def _read_ucs2(octets: bytes) -> Decoded:
    try:
        text = utf_16_be_decode(octets, "strict", True)[0]
    except UnicodeDecodeError:  # An odd octet at the end, or a lone surrogate.
        if len(octets) % 2 and octets[-1] == 0:  # The NUL of a peer that counts it in sm_length.
            return _read_ucs2(octets[:-1])
        return _look_again(utf_16_be_decode(octets, "replace", True)[0], octets, False)
    if text < _UNEXPECTED:
        return _new(Decoded, (text, True))
    return _look_again(text, octets, True)


def _look_again(text: str, octets: bytes, sound: bool) -> Decoded:
    """Judge a text with a byte order mark, with its octets the wrong way round, or just unusual.

    ISO 10646 wants no byte order mark here; some ESMEs and phones send one all the same.
    """
    if text.startswith("\ufeff"):
        return Decoded(text[1:], sound)
    if text.startswith("\ufffe"):
        return _read_utf_16_le(octets[2:])
    if _is_swapped(octets):
        return _read_utf_16_le(octets)
    return Decoded(text, sound)


def _is_swapped(octets: bytes) -> bool:
    """Whether most units are letters that we expect only once their octets change places."""
    lows = octets[1::2]
    swapped = len(lows) - len(lows.translate(None, _EXPECTED_ROWS))
    highs = octets[: 2 * len(lows) : 2]
    straight = len(highs) - len(highs.translate(None, _EXPECTED_ROWS))
    return swapped > straight and 2 * swapped > len(lows)


def _reader_of(codec: str) -> Reader:
    def read(octets: bytes) -> Decoded:
        try:
            return Decoded(octets.decode(codec), True)
        except UnicodeDecodeError:
            return Decoded(octets.decode(codec, "replace"), False)

    return read


def _best_effort(reader: Reader) -> Reader:
    return lambda octets: Decoded(reader(octets).text, False)


_read_utf_16_le = _reader_of("utf-16-le")
_read_latin_1 = _reader_of("latin-1")
_read_binary = _best_effort(_read_latin_1)

# SMPP 3.4 §5.2.19, values that name an alphabet we read. 0x05 and 0x09-0x0E (Japanese, Korean,
# pictograms) do not occur in the networks we serve and are read like reserved values.
_SMPP_CODINGS: dict[int, Reader] = {
    ASCII: _reader_of("ascii"),
    0x02: _read_binary,
    LATIN_1: _read_latin_1,
    0x04: _read_binary,
    0x06: _reader_of("iso8859-5"),
    0x07: _reader_of("iso8859-8"),
    UCS2: _read_ucs2,
}


def _reader_for(data_coding: int, default: Reader) -> Reader:
    match data_coding >> 4:
        case 0x0:
            return _SMPP_CODINGS.get(data_coding, _best_effort(default)) if data_coding else default
        # GSM 03.38 §4, general group with a message class, and the same marked for automatic
        # deletion: bit 5 means compressed, bits 3-2 give the alphabet. SMPP reserves these.
        case 0x1 | 0x4 | 0x5:
            return (default, _read_binary, _read_ucs2, _best_effort(default))[data_coding >> 2 & 3]
        case 0xC | 0xD:  # GSM 03.38 §4, message waiting, in the default alphabet.
            return default
        case 0xE:  # Reserved in SMPP; message waiting in UCS-2 by GSM 03.38 §4.
            return _read_ucs2
        case 0xF:  # GSM 03.38 §4, data coding and message class; bit 2 means 8-bit data.
            return _read_binary if data_coding & 0x04 else default
        case _:  # Compressed (0x20-0x3F, 0x60-0x7F), or reserved by both standards.
            return _best_effort(default)


def _readers(default: Reader) -> tuple[Reader, ...]:
    return tuple(_reader_for(data_coding, default) for data_coding in range(256))


_READERS: dict[Alphabet, tuple[Reader, ...]] = {
    Alphabet.GSM: _readers(_read_gsm),
    Alphabet.PACKED: _readers(_read_packed),
    Alphabet.LATIN_1: _readers(_read_latin_1),
    Alphabet.ASCII: _readers(_SMPP_CODINGS[ASCII]),
}

# The values of data_coding that mean the SMSC's default alphabet.
DEFAULT_CODINGS: Final = frozenset(
    data_coding for data_coding, read in enumerate(_READERS[Alphabet.GSM]) if read is _read_gsm
)
