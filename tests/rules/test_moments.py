"""Version, day and hour folded into the rules: what is decided stays the same."""

from datetime import UTC, date, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from rules import Block, CompiledPolicy, Document, Facts, HeldPermit, decide, load_policy

FOLDER = Path(rules.__file__).parent / "policies"
BROAD = Path(__file__).parents[2] / "benchmarks" / "policies" / "twenty-two.toml"
POLICIES = {path.stem: load_policy(path) for path in (*sorted(FOLDER.glob("*.toml")), BROAD)}
US = 1_000_000
START_S = int(datetime(2020, 3, 20, tzinfo=UTC).timestamp())
END_S = int(datetime(2021, 2, 1, tzinfo=UTC).timestamp())


def unfolded(
    policy: CompiledPolicy, code: str, document: Document, facts: Facts, at_us: int
) -> str:
    """The rule that the version's own table gives, without anything of the moment folded in."""
    day = policy.calendar.day(at_us)
    for applies, conclude in policy.version_at(at_us).rules[code]:
        if applies(document, facts, at_us, day):
            return conclude(document, facts, at_us, day).rule
    raise AssertionError("a gap")


instants = st.one_of(
    st.integers(START_S * US, END_S * US),
    st.builds(
        lambda policy, pick, shift: policy.boundaries_us[pick % len(policy.boundaries_us)] + shift,
        st.sampled_from(list(POLICIES.values())),
        st.integers(0, 20),
        st.sampled_from((-US, -1, 0, 1, US)),
    ),
    st.builds(
        lambda day, hour, shift: (START_S + day * 86_400 + hour * 3_600) * US + shift,
        st.integers(0, 300),
        st.sampled_from((2, 3, 4, 18, 19, 20, 21)),  # around the nights and midnights of all zones
        st.sampled_from((-1, 0, 1)),
    ),
)


@settings(max_examples=1500)
@given(
    name=st.sampled_from(sorted(POLICIES)),
    pick=st.integers(0, 7),
    at_us=instants,
    registered=st.sampled_from((True, True, False, None)),
    born=st.one_of(st.none(), st.dates(date(1950, 1, 1), date(2020, 1, 1))),
    near=st.integers(-2, 2),
    held=st.lists(st.tuples(st.integers(0, 7), st.integers(-30, 3)), max_size=3),
    blocked=st.booleans(),
    region=st.sampled_from((None, "baku", "elsewhere", "sheki")),
    sent=st.sampled_from((None, 0, 19, 20)),
    asked=st.sampled_from((None, 0, 9, 10)),
    quarantine=st.sampled_from((None, 0, 737_700)),
)
def test_the_folded_rules_decide_as_the_others(
    name: str,
    pick: int,
    at_us: int,
    registered: bool | None,
    born: date | None,
    near: int,
    held: list[tuple[int, int]],
    blocked: bool,
    region: str | None,
    sent: int | None,
    asked: int | None,
    quarantine: int | None,
) -> None:
    """At random instants, at the boundaries of all files, and at the turns of night and day."""
    policy = POLICIES[name]
    codes = policy.grammar.codes
    day = policy.calendar.day(at_us)
    if born is not None and near:
        today = date.fromordinal(day).replace(day=28)
        years = 65 if near > 0 else 14
        born = date.fromordinal(today.replace(year=today.year - years).toordinal() + near)
    permits = tuple(
        HeldPermit(
            serial,
            codes[code % len(codes)],
            at_us + hours * 3_600 * US,
            at_us + (hours + 2) * 3_600 * US,
            policy.calendar.day(at_us + hours * 3_600 * US),
        )
        for serial, (code, hours) in enumerate(held, 1)
    )
    blocks = (Block("", day + 1),) if blocked else ()
    facts = Facts(9, registered, born, permits, blocks, quarantine, region, sent, asked)
    code = codes[pick % len(codes)]
    document = Document("AZE", "1111111")
    assert decide(policy, code, document, facts, at_us).rule == unfolded(
        policy, code, document, facts, at_us
    )


@settings(max_examples=1500)
@given(
    code=st.sampled_from(("1", "2", "3")),
    at_us=st.integers(START_S * US, END_S * US),
    years=st.sampled_from((14, 65)),
    days=st.integers(-1, 1),
    region=st.sampled_from((None, "baku", "sheki", "lankaran")),
    sent=st.sampled_from((None, 0, 19, 20)),
    asked=st.sampled_from((None, 0, 9, 10)),
    quarantine=st.sampled_from((None, 0, 737_500, 737_800)),
    ordinary=st.sets(st.sampled_from(("age", "region", "sent", "asked", "quarantine"))),
)
def test_the_screen_lets_nobody_pass_whom_a_rule_would_stop(
    code: str,
    at_us: int,
    years: int,
    days: int,
    region: str | None,
    sent: int | None,
    asked: int | None,
    quarantine: int | None,
    ordinary: set[str],
) -> None:
    """People as most are, on both sides of every bound, mostly with one thing out of the usual."""
    policy = POLICIES["twenty-two"]
    today = date.fromordinal(policy.calendar.day(at_us))
    if (today.month, today.day) == (2, 29):
        today = today.replace(day=28)
    born = date.fromordinal(today.replace(year=today.year - years).toordinal() + days)
    facts = Facts(
        9,
        True,
        date(1990, 5, 5) if "age" in ordinary else born,
        (),
        (),
        0 if "quarantine" in ordinary else quarantine,
        "baku" if "region" in ordinary else region,
        0 if "sent" in ordinary else sent,
        0 if "asked" in ordinary else asked,
    )
    document = Document("AZE", "1111111")
    assert decide(policy, code, document, facts, at_us).rule == unfolded(
        policy, code, document, facts, at_us
    )


def test_there_is_a_screen_where_rules_can_be_screened() -> None:
    """Else the test above would be about nothing."""
    noon_s = int(datetime(2020, 7, 8, 9, tzinfo=UTC).timestamp())
    usual = POLICIES["twenty-two"].moment(noon_s).usual["2"]
    assert len(usual.rules) >= 6
    assert usual.passes is not None
    assert usual.passes(Facts(9, True, date(1990, 5, 5), (), (), 0, "baku", 0, 0))
