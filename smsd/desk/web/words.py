"""The desk's words in its three languages: one file a room, the languages of a key side by side."""

import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files

__all__ = ["LANGUAGES", "Words", "load_words"]

LANGUAGES = {"az": "Azərbaycanca", "en": "English", "ru": "Русский"}
"""By their code, as those who speak them call them."""

Say = Callable[..., str]


class Words:
    """All words, by language and key. A key that is not there is a mistake of ours."""

    def __init__(self, by_key: Mapping[str, Mapping[str, str]]) -> None:
        self._by_language = {
            language: {key: told[language] for key, told in by_key.items()}
            for language in LANGUAGES
        }

    def of(self, language: str) -> Say:
        """What says a key in a language, its {placeholders} filled."""
        words = self._by_language[language]

        def say(key: str, **values: object) -> str:
            return words[key].format_map(values) if values else words[key]

        return say

    def knows(self, key: str) -> bool:
        """Whether there is such a key."""
        return key in self._by_language["en"]


def load_words() -> Words:
    """Read every file of words that comes with the desk."""
    by_key = {}
    for file in files("smsd.desk").joinpath("words").iterdir():
        room, _, ending = file.name.rpartition(".")
        if ending == "toml":
            told = tomllib.loads(file.read_text(encoding="utf-8"))
            by_key.update({f"{room}.{key}": words for key, words in told.items()})
    return Words(by_key)
