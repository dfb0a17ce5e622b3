"""The desk's words: three languages, no key that nobody says, none said that is not there."""

import re
import string
import tomllib
from pathlib import Path

import pytest

import smsd.desk
from smsd.desk.web.words import LANGUAGES, load_words

HOME = Path(smsd.desk.__file__).parent
KEYS = {
    f"{file.stem}.{key}": words
    for file in sorted(HOME.glob("words/*.toml"))
    for key, words in tomllib.loads(file.read_text(encoding="utf-8")).items()
}
# What is said as a whole, and what is put together from a beginning and something of the data.
SAID = re.compile(r"""["']([a-z_]+\.[a-z0-9_]+)["']""")
SAID_IN_PAGE = re.compile(r"""\bt\(["']([a-z_]+\.[a-z0-9_]+)["']""")
BEGUN = re.compile(r"""["']([a-z_]+\.[a-z0-9_]*_)["']""")
BEGUN_IN_CODE = re.compile(r"""f["']([a-z_]+\.[a-z0-9_]*_)\{""")
FILES = (".html", ".js", ".css", ".svg")
ROOMS = {key.partition(".")[0] for key in KEYS}


def sources() -> dict[str, str]:
    """All templates and modules of the desk."""
    files = [*HOME.glob("templates/*.html"), *HOME.rglob("*.py"), *HOME.glob("static/*.js")]
    return {str(file.relative_to(HOME)): file.read_text(encoding="utf-8") for file in files}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_has_three_languages_with_the_same_placeholders(key: str) -> None:
    """A placeholder that one language lacks is a number that its readers do not get."""
    words = KEYS[key]
    assert set(words) == set(LANGUAGES)
    names = {
        language: sorted(name for _, name, _, _ in string.Formatter().parse(told) if name)
        for language, told in words.items()
    }
    assert names["az"] == names["en"] == names["ru"]
    assert all(told.strip() == told and told for told in words.values())


def test_what_is_said_is_there() -> None:
    """Every key that a template says, or a module names."""
    for file, text in sources().items():
        named = SAID_IN_PAGE.findall(text) if file.endswith(".html") else SAID.findall(text)
        for key in named:
            if key.partition(".")[0] in ROOMS and not key.endswith(FILES):
                begins = key.endswith("_") and any(known.startswith(key) for known in KEYS)
                assert key in KEYS or begins, f"{file}: {key}"


def test_what_is_there_is_said() -> None:
    """No key is left over."""
    text = "\n".join(sources().values())
    said = set(SAID.findall(text))
    begun = {*BEGUN.findall(text), *BEGUN_IN_CODE.findall(text)}
    left = [key for key in KEYS if key not in said and not key.startswith(tuple(begun))]
    assert not left


def test_words_are_said_with_their_placeholders_filled() -> None:
    """And a key that is not there is a mistake of ours, loudly."""
    words = load_words()
    assert words.of("en")("frame.signed_in_as", name="ayten") == "Signed in as ayten"
    assert words.of("az")("frame.sign_in") == "Daxil ol"
    with pytest.raises(KeyError):
        words.of("en")("frame.nowhere")
