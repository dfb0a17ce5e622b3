"""The policies that are shipped: each loads, keeps to its sources, and none is wired into code."""

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import rules
from rules import CompiledPolicy, Document, Facts, Verdict, decide
from rules.instants import instant_us
from rules.sms_length import is_gsm

ROOT = Path(rules.__file__).parents[1]
SHIPPED = sorted((ROOT / "rules" / "policies").glob("*.toml"))
HISTORY = ROOT / "rules" / "policies" / "az-8103-history.toml"
CYPRUS = ROOT / "rules" / "policies" / "cy-8998.toml"
GREECE = ROOT / "rules" / "policies" / "gr-13033.toml"
BAKU = ZoneInfo("Asia/Baku")

# The domain sheet's reference timeline, one row for each change: the instant, and what a person
# in Baku who holds nothing gets from then on, in minutes, with codes 1, 2 and 3 (0: no permit).
TIMELINE = [
    ("2020-04-05T00:00", (120, 120, 120)),
    ("2020-04-27T00:00", (180, 180, 180)),
    ("2020-05-04T00:00", (180, 180, 180)),  # only five areas, and Baku is one
    ("2020-05-18T00:00", (0, 0, 0)),
    ("2020-06-21T00:00", (120, 120, 0)),
    ("2020-06-29T00:00", (120, 120, 0)),  # once a day across both codes
    ("2020-07-03T00:00", (120, 120, 0)),  # reply names the document; quarantine
    ("2020-07-20T00:00", (180, 180, 0)),
    ("2020-12-14T00:00", (180, 180, 0)),
    ("2021-01-18T00:00", (0, 0, 0)),
]
# What the sheet leaves open or out, and the file takes from the press, openly.
BEYOND_THE_SHEET = ["2020-07-05T06:00", "2020-07-20T06:00", "2020-08-05T06:00"]

# Where permits were needed: the sheet's five, its eight by the press's names, and what the press
# tells of July, August and winter.
FIVE = {"baku", "sumgait", "ganja", "lankaran", "absheron"}
EIGHT = FIVE | {"yevlakh", "masalli", "jalilabad"}
DISTRICTS = {"barda", "khachmaz", "sheki"}
VILLAGES = {"barda-villages", "khachmaz-villages", "sheki-villages"}
JULY = EIGHT | {"goranboy", "goygol", "mingachevir", "samukh", "siyazan"} | DISTRICTS | VILLAGES
WINTER = (
    EIGHT | DISTRICTS | {"mingachevir", "shirvan", "zagatala", "guba", "bilasuvar", "ismayilli"}
)
AREAS = [
    ("2020-05-04T00:00", "2020-05-17T23:59", FIVE),
    ("2020-06-21T00:00", "2020-07-05T05:59", EIGHT),
    ("2020-07-05T06:00", "2020-07-20T05:59", JULY),
    ("2020-07-20T06:00", "2020-08-05T05:59", JULY - {"lankaran", "samukh"}),
    ("2020-12-14T00:00", "2021-01-17T23:59", WINTER),
]


def at_us(written: str) -> int:
    return instant_us(datetime.fromisoformat(written), BAKU)


def minutes(policy: CompiledPolicy, code: str, at: int, facts: Facts) -> int:
    """How long a permit is granted for; 0: it is not."""
    decision = decide(policy, code, Document("AZE", "1111111"), facts, at)
    if decision.verdict is not Verdict.GRANT:
        return 0
    assert decision.valid_until_us is not None
    assert decision.valid_from_us == at
    return (decision.valid_until_us - at) // 60_000_000


@pytest.fixture(scope="module")
def history() -> CompiledPolicy:
    return rules.load_policy(HISTORY)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_each_loads_and_passes_its_own_tests(file: Path) -> None:
    """Loading runs the tests of the file; a policy that fails one cannot be had."""
    policy = rules.load_policy(file)
    assert policy.id == file.stem
    assert rules.failures(policy) == []
    assert len(policy.policy.content.tests) >= 15


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_each_names_its_sources(file: Path) -> None:
    """seed, press or ours begins every source, so that nobody takes our choice for the law."""
    sources = re.findall(r'source = "([^"]*)"', file.read_text(encoding="utf-8"))
    assert len(sources) > 10
    assert [source for source in sources if not re.match("(seed|press|ours)\\b", source)] == []


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_each_rule_decides_in_a_test_of_its_file(file: Path) -> None:
    """A rule that no test of the file leads to could say anything."""
    content = rules.load_policy(file).policy.content
    tested = {case.expect.rule for case in content.tests}
    assert {rule.id for rule in content.rules} - tested == set()


def test_the_four_services_are_shipped() -> None:
    """The default, the timeline, and two of other countries, which the engine knows nothing of."""
    assert [file.stem for file in SHIPPED] == ["8103", "az-8103-history", "cy-8998", "gr-13033"]


def test_history_changes_exactly_on_the_instants_of_the_sheet(history: CompiledPolicy) -> None:
    """No date of the timeline is missing, and none is there that this test does not account for."""
    expected = [written for written, _ in TIMELINE] + BEYOND_THE_SHEET
    assert list(history.boundaries_us) == sorted(map(at_us, expected))


def test_history_tests_each_boundary_on_both_sides(history: CompiledPolicy) -> None:
    """The second before, the first second and the day after each boundary stand in the file."""
    tested = {instant_us(case.at, BAKU) for case in history.policy.content.tests}
    second, day = 1_000_000, 86_400_000_000
    for boundary in history.boundaries_us:
        told = history.calendar.date(boundary)
        assert boundary - second in tested, told
        assert boundary in tested, told
        assert any(boundary + day <= at < boundary + 2 * day for at in tested), told


@pytest.mark.parametrize(("since", "expected"), TIMELINE)
def test_history_grants_what_the_sheet_says(
    history: CompiledPolicy, since: str, expected: tuple[int, int, int]
) -> None:
    """From its first second until the second before the next row, as the sheet has it."""
    later = [written for written, _ in TIMELINE if written > since]
    first = at_us(since)
    last = at_us(later[0]) - 1_000_000 if later else first + 365 * 86_400_000_000
    if since == "2020-07-20T00:00":
        last = at_us("2020-08-05T06:00") - 1_000_000  # the sheet has no end for the summer
    fresh = Facts(1_000_000, registered=True, birth_date=date(1980, 6, 1), region="baku")
    for at in (first, (first + last) // 2, last):
        got = tuple(minutes(history, code, at, fresh) for code in "123")
        assert got == expected, history.calendar.date(at)


@pytest.mark.parametrize(("first", "last", "areas"), AREAS)
def test_history_asks_for_permits_only_in_its_areas(
    history: CompiledPolicy, first: str, last: str, areas: set[str]
) -> None:
    """Each region of the file, and one that it does not know, from the first minute to the last."""
    everywhere = {*history.policy.content.regions, "a village somewhere"}
    assert areas < everywhere
    for at in (at_us(first), at_us(last)):
        needed = {
            region
            for region in everywhere
            if minutes(history, "1", at, Facts(1_000_000, region=region))
        }
        assert needed == areas


def test_history_pauses_between_its_regimes(history: CompiledPolicy) -> None:
    """Nothing is granted on any day on which no permit was needed."""
    pauses = [
        ("2020-05-18", "2020-06-20"),
        ("2020-08-06", "2020-12-13"),
        ("2021-01-18", "2021-03-01"),
    ]
    for start, end in pauses:
        day = date.fromisoformat(start)
        while day <= date.fromisoformat(end):
            noon = at_us(f"{day}T12:00")
            assert [minutes(history, code, noon, Facts(1_000_000)) for code in "123"] == [0, 0, 0]
            day += timedelta(days=1)


def test_history_is_long_enough_to_measure(history: CompiledPolicy) -> None:
    """The benchmark asks for a policy of at least 20 rules."""
    assert len(history.policy.content.rules) >= 20


def test_cyprus_gives_four_replies() -> None:
    """approved, wrong form, daily maximum, outside hours, as its service announced."""
    content = rules.load_policy(CYPRUS).policy.content
    assert set(content.replies) == {"approved", "wrong-form", "daily-maximum", "outside-hours"}
    assert list(content.codes) == list("12345678")
    assert content.requests.form == "number_postcode"


def test_greece_asks_no_register_and_knows_no_limit() -> None:
    """Six codes, a name and an address, and every request in force is granted."""
    policy = rules.load_policy(GREECE)
    content = policy.policy.content
    assert list(content.codes) == list("123456")
    assert content.requests.form == "name_address"
    assert not content.quotas
    assert not content.documents
    assert policy.facts_asked <= {"in_force"}


@pytest.mark.parametrize("file", [CYPRUS, GREECE], ids=lambda file: file.stem)
def test_greek_is_typed_in_letters_of_the_gsm_alphabet(file: Path) -> None:
    """One Greek A among the Latin ones would halve what fits, and nobody would see it."""
    content = rules.load_policy(file).policy.content
    for key, reply in content.replies.items():
        assert is_gsm(reply.text["el"].replace("{", "").replace("}", "")), key
    assert is_gsm(content.requests.example_ending or "")


# Words that belong to one service: its numbers, documents, places and numbering plan.
OF_ONE_SERVICE = re.compile(
    r"8103|13033|8998|\b(?:AZE|MYI|DYI|MOM)\b|AZE[0-9]|Baku|Azer|Nicosia|Athens|Cyprus|Greece|"
    r"\b(?:994|357)[0-9]*\b"
)
EXAMPLES = re.compile(r"(?:e\.g\.|for example|like) \S+|--[^\n]*", re.IGNORECASE)
"""An example in a message to people, and a comment in SQL, decide nothing."""
# Where a default may stand: config.toml overrides it; the demo shows the default service.
DEFAULTS = ("smsd/config", "smsd/demo/")


def constants(path: Path) -> Iterator[tuple[int, str]]:
    """Every string of a module that is no docstring: (line, text)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in alone:
            if isinstance(node.value, str):
                yield node.lineno, node.value
            elif isinstance(node.value, bytes):
                yield node.lineno, node.value.decode("latin-1")


def wired(path: Path) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{line}: {text!r}"
        for line, text in constants(path)
        if OF_ONE_SERVICE.search(EXAMPLES.sub("", text))
    ]


def test_no_service_is_wired_into_code() -> None:
    """Numbers, documents and places of a service stand in its policy, not in a module."""
    modules = [
        path for room in ("smsd", "rules", "storage") for path in (ROOT / room).rglob("*.py")
    ]
    assert len(modules) > 50
    found = [
        place
        for path in sorted(modules)
        if not str(path.relative_to(ROOT)).startswith(DEFAULTS)
        for place in wired(path)
    ]
    assert found == []


def test_the_search_for_wired_words_finds_them() -> None:
    """In the modules that are excepted it finds the defaults, so it would find others."""
    assert any("8103" in place for place in wired(ROOT / "smsd" / "config.py"))
