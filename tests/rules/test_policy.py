"""Wrong policy files: each fault is told with file, line, key and what is allowed."""

import re
from pathlib import Path

import pytest

import rules
from rules import PolicyError, compile_policy, load, parse_policy, policy
from rules.replies import PLACEHOLDERS

TEXT = (Path(rules.__file__).parent / "policies" / "8103.toml").read_text(encoding="utf-8")

# (text to replace, what with, key, message); the fault is on the last line of what replaces it.
WRONG = {
    "unknown key": (
        'default_language = "az"',
        'default_lang = "az"\ndefault_language = "az"\ntitel = "x"',
        "policy.titel",
        "is not a key that is known here; known are id, title, zone, short_number, "
        "default_language, leap_day_birthday, refusals_expire. Did you mean title?",
    ),
    "missing key": (
        'verdict = "grant"\nwindow',
        "window",
        "rules[6].verdict",
        "is missing; add it: what it decides",
    ),
    "wrong type": (
        "national_digits = 9",
        'national_digits = "9"',
        "requests.national_digits",
        'must be a whole number, without quotation marks; here stands "9"',
    ),
    "wrong word": (
        'verdict = "grant"\nwindow',
        'verdict = "allow"\nwindow',
        "rules[6].verdict",
        'must be one of "grant", "refuse" or "already_granted", not "allow"',
    ),
    "out of range": (
        "documents_max = 8",
        "documents_max = 0",
        "requests.documents_max",
        "must be at least 1, not 0",
    ),
    "not a zone": (
        'zone = "Asia/Baku"',
        'zone = "Asia/Bakuu"',
        "policy.zone",
        '"Asia/Bakuu" is not a time zone; write it like "Asia/Baku"',
    ),
    "date without time": (
        "[[in_force]]\nfrom = 2020-04-05T00:00:00",
        "[[in_force]]\nfrom = 2020-04-05",
        "in_force[1].from",
        "needs a time of day; write 2020-04-05T00:00:00 for the start of the day",
    ),
    "letters of a name": (
        'id = "granted"',
        'id = "Granted!"',
        "rules[6].id",
        '"Granted!" is not allowed; allowed are small letters a-z, digits and hyphens',
    ),
    "ends before it begins": (
        "[[in_force]]\nfrom = 2020-04-05T00:00:00",
        "[[in_force]]\nfrom = 2020-04-05T00:00:00\nuntil = 2020-04-05T00:00:00",
        "in_force[1].until",
        "must be later than from",
    ),
    "values out of order": (
        '  { from = 2020-04-05T00:00:00, value = 65, source = "seed: 65+, so from the 65th',
        '  { from = 2020-04-06T00:00:00, value = 64, source = "seed" },\n'
        '  { from = 2020-04-05T00:00:00, value = 65, source = "seed: 65+, so from the 65th',
        "parameters.senior_age.values[2].from",
        "must be later than the date of the value above",
    ),
    "unknown default language": (
        'default_language = "az"',
        'default_language = "tr"',
        "policy.default_language",
        "must be one of the languages: az, az-ascii, en, ru",
    ),
    "language without a text": (
        'ru = "Код {code}, {day}:"',
        "",
        "household.opening",
        'has no text in language "ru"',
    ),
    "unknown parameter": (
        'window = "window"',
        'window = "windows"',
        "rules[6].window",
        'there is no parameter "windows"; there are window, senior_age, code_2_per_day, '
        "refusal_life",
    ),
    "parameter in another unit": (
        'window = "window"',
        'window = "senior_age"',
        "rules[6].window",
        'needs a parameter in minutes; "senior_age" is in years',
    ),
    "unknown quota": (
        'quota_spent = "code-2"',
        'quota_spent = "code-3"',
        "rules[5].when.quota_spent",
        'there is no quota "code-3"; there are code-2',
    ),
    "unknown code": (
        'codes = ["2"]',
        'codes = ["4"]',
        "quotas.code-2.codes",
        'there is no code "4"; there are 1, 2, 3',
    ),
    "rule id taken": (
        'id = "granted"',
        'id = "senior"',
        "rules[6].id",
        '"senior" is taken by an entry above',
    ),
    "unknown left open": (
        'when = { registered = false }\nunknown = "skip"',
        "when = { registered = false }",
        "rules[3]",
        'must say unknown = "skip" or unknown = "apply": registered may be unknown, and then '
        "the rule is passed over, or applies",
    ),
    "unknown without need": (
        "when = { in_force = false }",
        'when = { in_force = false }\nunknown = "skip"',
        "rules[1].unknown",
        "has no meaning here: the rule asks for nothing that may be unknown",
    ),
    "grant without window": (
        'window = "window"',
        "",
        "rules[6]",
        "grants, so it needs window: the parameter that says how long",
    ),
    "refusal with window": (
        'verdict = "refuse"\nreply = "senior"',
        'verdict = "refuse"\nreply = "senior"\nwindow = "window"',
        "rules[4].window",
        "has no meaning for verdict refuse",
    ),
    "already granted without a permit": (
        'when = { holds_permit = "same_code" }',
        'when = { code = "2" }',
        "rules[2]",
        'needs when.holds_permit = "same_code": it answers with the permit held',
    ),
    "unknown placeholder": (
        'ru = "Код {code}, {day}:"',
        'ru = "Код {code}, {date}:"',
        "household.opening.ru",
        "{date} has no value in the first line to a household; allowed are code, codes, day, "
        "documents_max, example, short_number",
    ),
    "placeholder of another occasion": (
        'ru = "СМС-разрешения сейчас не действуют ({document}, код {code})"',
        'ru = "СМС-разрешения сейчас не действуют ({document}, {until})"',
        "replies.not-in-force.text.ru",
        "{until} has no value in a refusal; allowed are code, codes, day, document, "
        "documents_max, example, reference, short_number",
    ),
    "stray brace": (
        'ru = "Код {code}, {day}:"',
        'ru = "Код {code, {day}:"',
        "household.opening.ru",
        "has a brace that belongs to no placeholder; a placeholder looks like {document}",
    ),
    "reply of nobody": (
        "[household]",
        '[replies.spare]\nsegments_max = 1\ntext = { az = "a", az-ascii = "a", en = "a", ru = "a" }'
        "\n[household]",
        "replies.spare",
        "is used by no rule and no unrecognised SMS; remove it",
    ),
    "no last rule": (
        'id = "granted"\n',
        'id = "granted"\nwhen = { code = ["1", "2"] }\n',
        "rules",
        "a request with code 3 from 2020-04-05 00:00 may meet no rule that applies; let the "
        "last rule stand without when, except, from and until",
    ),
    "parameter too young": (
        "  { from = 2020-04-05T00:00:00, value = 65",
        "  { from = 2020-05-05T00:00:00, value = 65",
        "rules[4]",
        'needs parameter "senior_age", which has no value from 2020-04-05 00:00',
    ),
    "overflow": (
        'ru = "В одной СМС не более {documents_max} документов. Пришлите по частям"',
        'ru = "В одной СМС не более {documents_max} документов. Пришлите {example} по частям 123"',
        "replies.too-many.text.ru",
        "takes 2 SMS segments (70 to 67 letters each) with its longest values, 71 letters, and "
        'segments_max is 1: "В одной СМС не более 8 документов. Пришлите 1 AZE 1234567 по '
        'частям 123"',
    ),
    "contradicting grammar": (
        "documents_max = 8  # ours; press: a family of five with one mobile number\n"
        'example_code = "2"',
        'documents_max = 8\nexample_code = "9"',
        "requests.example_code",
        'there is no code "9"; there are 1, 2, 3',
    ),
    "failing test": (
        'expect = { reason = "no_code" }',
        'expect = { reason = "ambiguous" }',
        "tests[24].expect.reason",
        '"a document without a code": expected ambiguous; it is no_code',
    ),
}


def _problems(text: str) -> tuple[rules.Problem, ...]:
    with pytest.raises(PolicyError) as caught:
        compile_policy(parse_policy(text, "wrong.toml"))
    return caught.value.problems


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_file_says_where_and_what(fault: str) -> None:
    """File, line, key and the whole message, which officers read and act on."""
    old, new, key, message = WRONG[fault]
    assert TEXT.count(old) == 1
    text = TEXT.replace(old, new)
    found = {problem.key: problem for problem in _problems(text)}
    assert found[key].message == message
    assert found[key].file == "wrong.toml"
    line = found[key].line
    assert line is not None
    name = key.rpartition(".")[2]
    line_text = text.splitlines()[line - 1]
    if name.isidentifier() and name in new:
        assert name in line_text  # the very key, not just its table


def test_a_household_too_large_for_its_segments_is_told_for_each_language() -> None:
    """Tried with the longest line for every person, and letters that make all of it UCS-2."""
    problems = _problems(TEXT.replace("documents_max = 8 ", "documents_max = 12 "))
    told = {problem.key: problem.message.partition(" with")[0] for problem in problems}
    assert told == {
        "household.opening.az": "takes 7 SMS segments (70 to 67 letters each)",
        "household.opening.az-ascii": "takes 3 SMS segments (160 to 153 letters each)",
        "household.opening.en": "takes 3 SMS segments (160 to 153 letters each)",
        "household.opening.ru": "takes 7 SMS segments (70 to 67 letters each)",
    }


def test_everything_wrong_is_told_at_once_in_order_of_lines() -> None:
    """Three slips of different kinds need one round of mending, not three."""
    text = (
        TEXT.replace('window = "window"', 'window = "windows"')
        .replace('default_language = "az"', 'default_language = "tr"')
        .replace('ru = "Код {code}, {day}:"', 'ru = "Код {code}, {when}:"')
    )
    problems = _problems(text)
    assert [problem.key for problem in problems] == [
        "policy.default_language",
        "rules[6].window",
        "household.opening.ru",
    ]
    assert str(PolicyError(problems)).count("\n") == 2
    assert str(problems[0]).startswith("wrong.toml:")


def test_shapes_are_told_at_once_too() -> None:
    """A missing key, an unknown one and a wrong type in one file."""
    text = (
        TEXT.replace('verdict = "grant"\nwindow', "window")
        .replace("national_digits = 9", "national_digits = true")
        .replace('title = "SMS permits of 5 April 2020"', 'Title = "x"')
    )
    keys = [problem.key for problem in _problems(text)]
    assert keys == ["policy.title", "policy.Title", "requests.national_digits", "rules[6].verdict"]


def test_what_is_not_toml_or_not_utf_8_is_told(tmp_path: Path) -> None:
    """The first broken line is named; nothing can be read beyond it."""
    with pytest.raises(PolicyError) as caught:
        parse_policy("[policy]\nid = = 1\n", "wrong.toml")
    assert caught.value.problems[0].line == 2
    path = tmp_path / "latin.toml"
    path.write_bytes(b"[policy]\ntitle = '\xe9'\n")
    with pytest.raises(PolicyError, match=r"latin\.toml:2: is not UTF-8 text"):
        load(path)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2020-03-29T03:30:00", "is missing or comes twice"),  # the clocks go from 03:00 to 04:00
        ("2020-10-25T03:30:00", "is missing or comes twice"),  # and back from 04:00 to 03:00
        ("2020-10-25T03:30:00+02:00", None),
        ("2020-03-29T04:00:00", None),
    ],
)
def test_a_time_that_the_clocks_skip_or_repeat_needs_an_offset(
    written: str, said: str | None
) -> None:
    """A law cannot begin at a time that does not exist, or at one of two."""
    text = TEXT.replace('zone = "Asia/Baku"', 'zone = "Asia/Nicosia"').replace(
        "[[in_force]]\nfrom = 2020-04-05T00:00:00", f"[[in_force]]\nfrom = {written}"
    )
    found = {problem.key: problem.message for problem in _problems(text)}
    assert ("in_force[1].from" in found) == (said is not None)
    assert said is None or said in found["in_force[1].from"]


def test_the_digest_is_of_the_bytes(tmp_path: Path) -> None:
    """One byte more, a comment even, is another policy; the same bytes are the same."""
    path = tmp_path / "8103.toml"
    path.write_bytes(TEXT.encode())
    same, other = load(path), parse_policy(TEXT + "#", "8103.toml")
    assert same.digest == parse_policy(TEXT, "elsewhere.toml").digest != other.digest
    assert (len(same.digest), same.source) == (64, TEXT)


def test_the_readme_names_every_key_of_the_file() -> None:
    """An officer finds each key of the file in rules/README.md."""
    readme = (Path(rules.__file__).parent / "README.md").read_text(encoding="utf-8")
    models = [kind for kind in vars(policy).values() if isinstance(kind, type)]
    tables = [kind for kind in models if issubclass(kind, policy.Table)]
    keys = {
        field.alias or name
        for table in tables
        if table is not policy.Table
        for name, field in table.model_fields.items()
    }
    assert len(keys) > 50
    assert [key for key in sorted(keys) if not re.search(rf"[`.\[{{ ]{key}\b", readme)] == []


def test_the_readme_names_every_placeholder() -> None:
    """And each placeholder of each occasion."""
    readme = (Path(rules.__file__).parent / "README.md").read_text(encoding="utf-8")
    names = frozenset().union(*PLACEHOLDERS.values())
    assert [name for name in sorted(names) if f"{{{name}}}" not in readme] == []
