"""The shipped policy: it loads, its own tests run, and they notice what changes."""

import re
from pathlib import Path

import pytest

import rules
from rules import PolicyError, compile_policy, parse_policy

FILE = Path(rules.__file__).parent / "policies" / "8103.toml"
TEXT = FILE.read_text(encoding="utf-8")


def test_it_loads_and_passes_its_own_tests() -> None:
    """Loading runs the tests of the file; a policy that fails one cannot be had."""
    policy = rules.load_policy(FILE)
    assert (policy.id, policy.zone, policy.short_number) == ("8103", "Asia/Baku", "8103")
    assert policy.languages == ("az", "az-ascii", "en", "ru")
    assert len(policy.policy.content.tests) >= 25
    assert rules.failures(policy) == []


def test_the_domain_sheet_stands_in_it() -> None:
    """Codes, kinds of documents and the numbers of the law, as the sheet has them."""
    policy = rules.load_policy(FILE)
    before, since = policy.versions
    assert policy.grammar.codes == ("1", "2", "3")
    assert [kind.kind for kind in policy.grammar.kinds] == ["AZE", "AA", "MYI", "DYI", "MOM", "QM"]
    assert (before.in_force, since.in_force, since.until_us) == (False, True, None)
    law = {"window": 120, "senior_age": 65, "code_2_per_day": 1, "refusal_life": 120}
    assert {name: since.parameters[name] for name in law} == law


def test_every_rule_names_its_source() -> None:
    """seed, press or ours begins every source, so that nobody takes our choice for the law."""
    sources = re.findall(r'source = "([^"]*)"', TEXT)
    assert len(sources) > 20
    assert [source for source in sources if not re.match("seed|press|ours", source)] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[[in_force]]\nfrom = 2020-04-05T00:00:00", "[[in_force]]\nfrom = 2020-04-05T00:00:01"),
        ('value = 120, source = "seed', 'value = 119, source = "seed'),
        ('value = 120, source = "seed', 'value = 121, source = "seed'),
        ("value = 65", "value = 64"),
        ("value = 65", "value = 66"),
        ("value = 1, ", "value = 2, "),
        ('leap_day_birthday = "03-01"', 'leap_day_birthday = "02-28"'),
        ('codes = ["2"]', 'codes = ["1", "2"]'),
        ('codes = ["2"]', 'codes = ["1"]'),
        ("digits = [7, 8]", "digits = [7]"),
        ('holds_permit = "same_code" }', 'holds_permit = "same_code", code = "2" }'),
        ('holds_permit = "same_code" }', 'holds_permit = "same_code", code = "1" }'),
        ("when = { registered = false }", "when = { registered = true }"),
        (
            'when = { registered = false }\nunknown = "skip"',
            'when = { registered = false }\nunknown = "apply"',
        ),
        ('"senior_age" } }\nunknown = "skip"', '"senior_age" } }\nunknown = "apply"'),
        ('at_least = "senior_age"', 'below = "senior_age"'),
        ("{ quota_spent", '{ document_kind = "QM", quota_spent'),
    ],
)
def test_its_own_tests_notice_a_change_of_the_law(old: str, new: str) -> None:
    """Each number, date and condition, moved by one step, fails a test of the file."""
    assert TEXT.count(old) == 1, old
    with pytest.raises(PolicyError) as caught:
        compile_policy(parse_policy(TEXT.replace(old, new), "changed.toml"))
    assert all(problem.key.startswith("tests[") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[[in_force]]\nfrom = 2020-04-05T00:00:00", "[[in_force]]\nfrom = 2020-04-04T00:00:00"),
        ("when = { in_force = false }", 'when = { in_force = false, code = "2" }'),
    ],
)
def test_in_force_before_its_numbers_cannot_compile(old: str, new: str) -> None:
    """A rule that would decide on a day when its parameter has no value yet is a fault."""
    with pytest.raises(PolicyError, match=r"has no value (from|before)"):
        compile_policy(parse_policy(TEXT.replace(old, new), "changed.toml"))


@pytest.mark.parametrize(
    "rule", ["not-in-force", "repeat", "not-registered", "senior", "once-a-day"]
)
def test_its_own_tests_notice_a_rule_that_is_gone(rule: str) -> None:
    """Without any one rule, a test of the file fails (or its reply is no longer used)."""
    without = re.sub(rf'\[\[rules\]\]\nid = "{rule}"\n(?:.+\n)+', "", TEXT)
    assert without != TEXT
    without = without.replace('rule = "' + rule + '", ', "").replace(', reply = "' + rule + '"', "")
    with pytest.raises(PolicyError):
        compile_policy(parse_policy(without, "changed.toml"))
