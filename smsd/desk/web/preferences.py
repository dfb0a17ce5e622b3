"""How a visitor likes his pages: the language and the colours, asked for once and then kept."""

from collections.abc import Mapping
from typing import NamedTuple

from smsd.desk.web.headers import LANGUAGE, THEME, carried, cookie
from smsd.desk.web.words import LANGUAGES

__all__ = ["THEMES", "Preferences", "preferences"]

THEMES = ("auto", "light", "dark")
_KEPT_S = 31_536_000


class Preferences(NamedTuple):
    """language: a code of `LANGUAGES`. theme: one of `THEMES`. cookies: lines that keep them."""

    language: str
    theme: str
    cookies: tuple[str, ...] = ()


def preferences(
    query: Mapping[str, str], cookies: Mapping[str, str], accept_language: str
) -> Preferences:
    """What the address asks for, else what was asked for before, else what the browser speaks."""
    language = query.get("lang", "")
    theme = query.get("theme", "")
    kept = []
    if language in LANGUAGES:
        kept.append(cookie(LANGUAGE, language, _KEPT_S))
    else:
        language = cookies.get(carried(LANGUAGE), "")
    if theme in THEMES:
        kept.append(cookie(THEME, theme, _KEPT_S))
    else:
        theme = cookies.get(carried(THEME), "")
    return Preferences(
        language if language in LANGUAGES else _spoken(accept_language),
        theme if theme in THEMES else "auto",
        tuple(kept),
    )


def _spoken(accept_language: str) -> str:
    """The first of our languages in an Accept-Language header, which browsers send in order."""
    for told in accept_language.split(","):
        language = told.partition(";")[0].strip().lower().partition("-")[0]
        if language in LANGUAGES:
            return language
    return "en"
