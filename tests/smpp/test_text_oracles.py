"""Text codecs that are not ours, for bytes and segments: gsm0338 1.1.0, smsutil 1.1.3, smpplib.

Where they are right, all must agree. Their faults, pinned below:

* gsm0338 drops an escape at the end without a word, and refuses a pair that the extension table
  lacks, where 3GPP TS 23.038 §6.2.1 shows the basic character;
* smsutil shows such a pair as a space and the character, an escape at the end as a space, and fails
  with a TypeError on an octet above 0x7F; it takes a bare escape for a character of the alphabet
  (two texts then have the same septets), the empty text for UCS-2, and refuses lone surrogates;
* smpplib cuts escape and surrogate pairs, has a grave accent in the place of the section sign and
  no form feed.
"""

import pytest
import smsutil
from gsm0338 import SINGLE_SHIFT_CHARACTER_SET_SPANISH, Codec
from hypothesis import given
from hypothesis import strategies as st
from smpplib.gsm import make_parts

from smsd.smpp import gsm0338
from smsd.smpp.long_messages import LongMessages, segmenter
from smsd.smpp.national import SPANISH, Languages, decoder
from smsd.smpp.references import References
from smsd.smpp.segments import segment, segment_count
from smsd.smpp.text import DEFAULT, LATIN_1, UCS2, Alphabet, decode, encode, encode_gsm
from smsd.smpp.udh import CONCATENATED_16_BIT_OCTETS

GSM_TEXT = st.text(st.sampled_from(sorted(gsm0338.ALPHABET)), min_size=1, max_size=500)
COSTLY_TEXT = st.text(st.sampled_from("a€[@"), min_size=70, max_size=500)
WIDE_TEXT = st.text(st.sampled_from("aə😀€"), min_size=30, max_size=300)
# Without lone surrogates and bare escapes, see above.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1b"), min_size=1)
TEXTS = GSM_TEXT | COSTLY_TEXT | WIDE_TEXT | ANY_TEXT


@given(GSM_TEXT | COSTLY_TEXT)
def test_gsm0338_gives_the_same_septets(text: str) -> None:
    """Both ways, every character of both tables."""
    theirs = Codec()
    septets = encode_gsm(text)
    assert theirs.encode(text) == (septets, len(text))
    assert theirs.decode(septets)[0] == text == decode(0, septets).text


@given(TEXTS)
def test_smsutil_gives_the_same_octets(text: str) -> None:
    """The same choice between septets and UCS-2, and the same octets of it."""
    data_coding, octets = encode(text)
    assert smsutil.encode(text) == octets
    assert smsutil.is_valid_gsm(text) is (data_coding != UCS2)
    assert smsutil.decode(octets, "utf_16_be" if data_coding == UCS2 else "gsm0338") == text


@given(st.lists(st.integers(0, 127)).map(bytes))
def test_all_read_the_same_septets(septets: bytes) -> None:
    """Septets as they may come: where theirs are defined, ours say the same."""
    try:
        text = Codec().decode(septets)[0]
    except UnicodeDecodeError:
        return
    if not septets.endswith(b"\x1b"):
        assert decode(0, septets) == (text, True)
        assert smsutil.decode(septets) == text


@given(st.lists(st.integers(0, 127)).map(bytes))
def test_gsm0338_reads_the_same_spanish(septets: bytes) -> None:
    """The one national table it has."""
    spanish = Codec(single_shift_decode_map=SINGLE_SHIFT_CHARACTER_SET_SPANISH)
    ours = decoder(Languages(0, SPANISH))
    assert ours is not None
    try:
        text = spanish.decode(septets)[0]
    except UnicodeDecodeError:
        return
    if not septets.endswith(b"\x1b"):
        assert ours(septets) == text


def octets_of(text: str, cut: smsutil.SplitResult) -> list[bytes]:
    """The parts that smsutil made of a text, each in the coding of the whole."""
    coding = "gsm0338" if smsutil.is_valid_gsm(text) else "utf_16_be"
    return [part.content.encode(coding) for part in cut.parts]


@given(TEXTS)
def test_smsutil_cuts_at_the_same_places(text: str) -> None:
    """Texts of up to several parts, with characters that may not be cut at every bound."""
    theirs = octets_of(text, smsutil.split(text))
    segments = segment(text, 1)
    assert len(theirs) == segment_count(text) == len(segments.parts)
    header_octets = 0 if len(theirs) == 1 else 6
    assert [octets[header_octets:] for octets in segments.parts] == theirs


@given(TEXTS, st.sampled_from([LongMessages.UDH_16_BIT, LongMessages.SAR]))
def test_smsutil_cuts_16_bit_parts_at_the_same_places(text: str, method: LongMessages) -> None:
    """152 septets or 66 units, told to it as octets."""
    theirs = octets_of(text, smsutil.split(text, 152 if smsutil.is_valid_gsm(text) else 132))
    _, _, parts = segmenter(Alphabet.GSM, method, References(1_000))(text, "994500000001")
    in_udh = len(parts) > 1 and method is LongMessages.UDH_16_BIT
    header_octets = CONCATENATED_16_BIT_OCTETS if in_udh else 0
    assert [octets[header_octets:] for octets, _ in parts] == theirs


def repeated(letters: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts of such letters, long and short alike; Hypothesis alone seldom makes long ones."""
    once = st.text(letters, max_size=40)
    return st.builds(lambda text, times: text * times, once, st.integers(0, 20))


# Nothing that smpplib would cut or misspell.
BASIC_TEXT = repeated(st.sampled_from(sorted(set(gsm0338.BASIC) - set("\x1b§"))))
LATIN_1_TEXT = repeated(st.characters(max_codepoint=0xFF))
BMP_TEXT = repeated(st.sampled_from("aəАЗЕ№")).map(lambda text: "ə" + text)


@given(
    st.tuples(st.just(Alphabet.GSM), BASIC_TEXT | BMP_TEXT)
    | st.tuples(st.just(Alphabet.LATIN_1), LATIN_1_TEXT | BMP_TEXT)
)
def test_smpplib_makes_the_same_parts(case: tuple[Alphabet, str]) -> None:
    """Header, bounds and octets of 7, 8 and 16 bit alphabets; its reference is a random one."""
    alphabet, text = case
    coding = {Alphabet.GSM: DEFAULT, Alphabet.LATIN_1: LATIN_1}[alphabet]
    theirs, their_coding, their_esm_class = make_parts(text, coding)
    data_coding, esm_class, parts = segmenter(alphabet, LongMessages.UDH_8_BIT, References(1_000))(
        text, "994500000001"
    )
    assert (data_coding == UCS2, esm_class) == (their_coding == UCS2, their_esm_class)
    ours = [octets for octets, _ in parts]
    if len(theirs) > 1:
        theirs = [part[:3] + b"\1" + part[4:] for part in theirs]
    assert ours == theirs


def test_smpplib_cuts_pairs() -> None:
    """Pinned: the phone shows an "e" for a euro, and two boxes for an emoji."""
    euro, emoji = "a" * 152 + "€" + "a" * 20, "ə" * 66 + "😀" + "ə" * 20
    assert make_parts(euro)[0][0].endswith(b"\x1b")
    assert make_parts(emoji)[0][0].endswith(b"\xd8\x3d")
    assert segment(euro, 1).parts[0].endswith(b"a")
    assert segment(emoji, 1).parts[0].endswith("ə".encode("utf-16-be"))


def test_smpplib_spells_a_grave_accent_as_a_section_sign() -> None:
    """Pinned: GSM 03.38 has no grave accent, and 0x5F is a section sign to every phone."""
    assert make_parts("`")[0] == [b"\x5f"]
    assert encode("`") == (UCS2, b"\0`")
    assert make_parts("§")[1] == UCS2
    assert encode("§") == (DEFAULT, b"\x5f")


def test_gsm0338_drops_an_escape_at_the_end() -> None:
    """Pinned: the text has lost something, and nobody is told."""
    assert Codec().decode(b"ab\x1b") == ("ab", 3)
    assert decode(0, b"ab\x1b") == ("ab\ufffd", False)


def test_gsm0338_refuses_a_pair_that_the_standard_shows() -> None:
    """Pinned: a phone shows the basic character."""
    with pytest.raises(UnicodeDecodeError):
        Codec().decode(b"\x1ba")
    assert decode(0, b"\x1ba") == ("a", True)


def test_smsutil_shows_a_space_too_many() -> None:
    """Pinned: before the character of an unknown pair, and for an escape at the end."""
    assert smsutil.decode(b"\x1ba\x1b") == " a "
    assert decode(0, b"\x1ba") == ("a", True)


def test_smsutil_fails_on_an_octet_that_is_no_septet() -> None:
    """Pinned: a peer would bring it down."""
    with pytest.raises(TypeError):
        smsutil.decode(b"\x80")
    assert decode(0, b"\x80") == ("\ufffd", False)


def test_smsutil_takes_an_escape_for_a_character() -> None:
    """Pinned: a bare escape and an "e" would arrive as a euro."""
    assert smsutil.encode("\x1be") == smsutil.encode("€") == b"\x1be"
    assert encode("\x1be") == (UCS2, b"\0\x1b\0e")


def test_smsutil_spells_nothing_in_ucs2() -> None:
    """Pinned: its pattern wants a character; no octet differs."""
    assert not smsutil.is_valid_gsm("")
    assert smsutil.encode("") == encode("")[1] == b""


def test_smsutil_refuses_a_lone_surrogate() -> None:
    """Pinned: half a pair, as JSON can bring it, costs the whole text."""
    with pytest.raises(UnicodeEncodeError):
        smsutil.encode("a\ud83d")
    assert encode("a\ud83d") == (UCS2, b"\0a\xff\xfd")
