"""A small town that goes on texting after the conversation, so that the desk has something to show.

Invented like everything else here, and the same each time.
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta

__all__ = ["texts", "townspeople_csv"]

_SEED = 8103
_PEOPLE = 3_000
_YOUNGEST, _OLDEST = date(1946, 1, 1), date(2005, 1, 1)
_FIRST_NUMBER = 5_000_000  # beyond those of the conversation
_FIRST_PHONE = 994_500_500_000

# Out of a hundred SMS. What is no request follows the first weeks of 8103, when one in four was
# refused, most of them for their form.
_GOOD, _OTHER_FORM, _FUNERAL, _STRANGER, _NOTHING = 74, 8, 2, 4, 12
_NOTHINGS = ("2", "2 AZE", "2 AZE 12345", "salam", "icaze", "çıxmaq olar?", "2 AZE 12O4S67", "STOP")


def townspeople_csv() -> str:
    """Rows of the register, without a header: person, document, date of birth."""
    chance = random.Random(_SEED)  # noqa: S311 - a play, no secret
    span = (_OLDEST - _YOUNGEST).days
    return "".join(
        f"TOWN{number},{_document(number)},{_YOUNGEST + timedelta(days=chance.randrange(span))}\n"
        for number in range(_PEOPLE)
    )


def texts() -> Iterator[tuple[str, str]]:
    """Phone and SMS, one after the other, without end."""
    chance = random.Random(_SEED)  # noqa: S311 - a play, no secret
    kinds = ("good", "form", "funeral", "stranger", "nothing")
    weights = (_GOOD, _OTHER_FORM, _FUNERAL, _STRANGER, _NOTHING)
    while True:
        number = chance.randrange(_PEOPLE)
        (kind,) = chance.choices(kinds, weights)
        yield str(_FIRST_PHONE + number), _text(chance, kind, number)


def _document(number: int) -> str:
    return f"AZE{_FIRST_NUMBER + number}"


def _text(chance: random.Random, kind: str, number: int) -> str:
    code = chance.choice("1222")
    match kind:
        case "good":
            return f"{code} AZE {_FIRST_NUMBER + number}"
        case "form":
            return chance.choice(
                (f"{code}aze{_FIRST_NUMBER + number}", f"{code}\nAZE-{_FIRST_NUMBER + number}")
            )
        case "funeral":
            return f"3 {_document(number)}"
        case "stranger":
            return f"{code} AZE {_FIRST_NUMBER - 1 - number}"
        case _:
            return chance.choice(_NOTHINGS)
