"""What somebody typed into a search box: a reference, a phone, a document, as people write."""

from typing import NamedTuple

from rules import CompiledPolicy, Document, reference

__all__ = ["DocumentTyped", "PhoneTyped", "ReferenceTyped", "Typed", "example_of", "readings"]

_CHARACTERS_MAX = 200
_PHONE_DIGITS_MAX = 15  # ITU-T E.164
_PHONE_DIGITS_MIN = 5
_AROUND_DIGITS = str.maketrans("", "", " -–().\u00a0\u202f/")


class ReferenceTyped(NamedTuple):
    """A permit's reference. number: the serial it stands for, modulo `rules.reference.SERIALS`."""

    text: str
    number: int


class PhoneTyped(NamedTuple):
    """A phone, in digits with its country code."""

    text: str


class DocumentTyped(NamedTuple):
    """A document that the policy knows."""

    document: Document

    @property
    def text(self) -> str:
        """In canonical form."""
        return self.document.text


Typed = ReferenceTyped | PhoneTyped | DocumentTyped


def readings(policy: CompiledPolicy, text: str) -> tuple[Typed, ...]:
    """All that a text can mean, the likeliest first; empty: nothing.

    Six digits may be a reference and a document, nine a phone and a document: whoever means the
    document can write its series before it.
    """
    text = text.strip()[:_CHARACTERS_MAX]
    found: list[Typed] = []
    number = reference.decode(text)
    if number is not None:
        found.append(ReferenceTyped(reference.encode(number), number))
    phone = _phone(policy, text)
    if phone is not None:
        found.append(PhoneTyped(phone))
    document = policy.grammar.parse_document(text)
    if document is not None:
        found.append(DocumentTyped(document))
    return tuple(found)


def example_of(policy: CompiledPolicy) -> str:
    """A document as it should be typed; where the policy knows none, a whole SMS."""
    kinds = policy.policy.content.documents
    return kinds[0].example if kinds else policy.grammar.example


def _phone(policy: CompiledPolicy, text: str) -> str | None:
    """A phone number with its country code; None: it is none."""
    requests = policy.policy.content.requests
    country, national = requests.country_code, requests.national_digits
    digits = text.translate(_AROUND_DIGITS)
    abroad = digits.startswith(("+", "00"))
    digits = digits.removeprefix("+").removeprefix("00") if abroad else digits
    if not (digits.isascii() and digits.isdigit()):
        return None
    if abroad:
        return digits if _PHONE_DIGITS_MIN <= len(digits) <= _PHONE_DIGITS_MAX else None
    if digits.startswith(country) and len(digits) == len(country) + national:
        return digits
    own = digits.removeprefix("0")
    return country + own if len(own) == national else None
