"""Requests under the policy of 22 rules: a day's traffic to time, and every rule to compare."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from rules import Block, CompiledPolicy, Document, Facts, HeldPermit

SEED = 8103
CASES = 2_000
_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONDAY = date(2020, 7, 6)

# What a day of traffic is made of, in percent; domain sheet: 17 to 25 % of SMS are refused.
MIX = {
    "new": 70,
    "repeat": 8,
    "spent": 8,
    "senior": 5,
    "unregistered": 4,
    "night": 2,
    "blocked": 1,
    "closed_region": 1,
    "quarantined": 1,
}


class Case(NamedTuple):
    """One request: what decide() takes, the fields of its facts, and the same laid flat."""

    code: str
    document: Document
    at_us: int
    fields: tuple[Any, ...]
    flat: dict[str, Any]


def canonical_cases(policy: CompiledPolicy, count: int = CASES, seed: int = SEED) -> list[Case]:
    """The mix, as it would arrive in five days; the same for the same seed."""
    dice = random.Random(seed)
    kinds = [kind for kind, share in MIX.items() for _ in range(count * share // 100)]
    dice.shuffle(kinds)
    cases = [_canonical(policy, dice, kind, serial) for serial, kind in enumerate(kinds, 1)]
    return sorted(cases, key=lambda case: case.at_us)


def _canonical(policy: CompiledPolicy, dice: random.Random, kind: str, serial: int) -> Case:
    day = _MONDAY + timedelta(days=dice.randrange(5))
    hour = dice.choice((22, 23, 2)) if kind == "night" else dice.randrange(8, 17)
    at_us = _instant_us(policy, day, hour * 60 + dice.randrange(60))
    code = "2" if kind in ("spent", "senior", "night", "closed_region") else dice.choice("1222223")
    age = dice.randrange(66, 95) if kind == "senior" else dice.randrange(18, 64)
    permits: tuple[HeldPermit, ...] = ()
    if kind == "repeat":
        permits = (_permit(code, at_us, 60, day),)
    elif kind == "spent":
        permits = (_permit("2", at_us, -60, day),)
    facts = Facts(
        serial,
        kind != "unregistered",
        date(day.year - age, 1, 1),
        permits,
        (Block("", day.toordinal() + 30),) if kind == "blocked" else (),
        day.toordinal() + 5 if kind == "quarantined" else 0,
        "sheki" if kind == "closed_region" else dice.choice(("baku", "baku", "ganja")),
        dice.randrange(3),
        dice.randrange(3),
        "sms",
    )
    document = Document(dice.choice(("AZE", "AZE", "AA")), f"{dice.randrange(10**7):07}")
    return _case(policy, code, document, at_us, facts)


def every_rule(policy: CompiledPolicy) -> dict[str, Case]:
    """For each rule a request that it decides, by the rule's id, in the policy's order."""
    saturday, sunday, noon = _MONDAY + timedelta(days=5), _MONDAY + timedelta(days=6), 720
    noon_us, today = _instant_us(policy, _MONDAY, noon), _MONDAY.toordinal()
    before, resident = date(2020, 4, 4), Document("DYI", "1234567")
    usual = Facts(1, True, date(1980, 1, 1), (), (), 0, "baku", 0, 0, "sms")
    card = Document("AZE", "1234567")

    def case(
        code: str,
        document: Document = card,
        day: date = _MONDAY,
        minute: int = noon,
        **known: Any,
    ) -> Case:
        at_us = _instant_us(policy, day, minute)
        return _case(policy, code, document, at_us, usual._replace(**known))

    return {
        "not-in-force": case("1", day=before),
        "repeat": case("1", permits=(_permit("1", noon_us, 60, _MONDAY),)),
        "blocked": case("1", blocks=(Block("", today + 1),)),
        "blocked-from-code": case("3", blocks=(Block("3", today + 1),)),
        "not-registered": case("1", registered=False),
        "quarantined": case("1", quarantine_until_day=today + 1),
        "senior": case("3", birth_date=date(1955, 7, 6)),
        "minor": case("1", birth_date=date(2006, 7, 7)),
        "night": case("2", minute=1260),
        "funeral-evening": case("3", minute=1259),
        "sunday-morning": case("2", day=sunday, minute=360),
        "closed-region": case("3", region="sheki"),
        "mountain-doctor": case("1", day=saturday, region="lankaran"),
        "resident-funeral": case("3", Document("MYI", "1234567")),
        "resident-weekend": case("2", resident, saturday),
        "many-messages": case("1", messages_today=20),
        "many-documents": case("1", documents_today=10),
        "no-web": case("3", channel="web"),
        "food-once": case("2", permits=(_permit("2", noon_us, -60, _MONDAY),)),
        "three-a-day": case("1", permits=(_permit("3", noon_us, -60, _MONDAY),) * 3),
        "doctor": case("1"),
        "granted": case("2"),
    }


def strange_cases(policy: CompiledPolicy, count: int = CASES, seed: int = SEED) -> list[Case]:
    """Requests to which several rules apply at once, most of them at the edge of a bound."""
    dice = random.Random(seed)
    return [_strange(policy, dice, serial) for serial in range(1, count + 1)]


def _strange(policy: CompiledPolicy, dice: random.Random, serial: int) -> Case:
    def seldom(*values: Any, usual: Any) -> Any:
        return dice.choice(values) if dice.randrange(6) == 0 else usual

    first = seldom(date(2020, 4, 4), date(2020, 4, 5), usual=_MONDAY)
    day = first + timedelta(days=dice.choice((0, 1, 5, 6))) if first == _MONDAY else first
    minute = dice.choice((0, 359, 360, 719, 720, 1019, 1020, 1259, 1260, 1439))
    at_us, today = _instant_us(policy, day, minute), day.toordinal()
    held = [
        _permit(dice.choice("123"), at_us, dice.choice((-1, 0, 1)), day)
        for _ in range(seldom(1, 2, 3, 4, usual=0))
    ]
    born = date(day.year - dice.choice((13, 14, 40, 40, 40, 40, 64, 65)), day.month, day.day)
    facts = Facts(
        serial,
        seldom(False, usual=True),
        born + timedelta(days=dice.choice((-1, 0, 1))),
        tuple(held),
        seldom((Block("", today),), (Block("", today + 1),), (Block("3", today + 1),), usual=()),
        seldom(today, today + 1, usual=0),
        seldom("sheki", "lankaran", "ganja", usual="baku"),
        seldom(19, 20, 21, usual=0),
        seldom(9, 10, 11, usual=0),
        seldom("web", "call_centre", usual="sms"),
    )
    document = Document(seldom("AA", "MYI", "DYI", usual="AZE"), f"{dice.randrange(10**7):07}")
    return _case(policy, dice.choice("123"), document, at_us, facts)


def _instant_us(policy: CompiledPolicy, day: date, minute: int) -> int:
    """A minute of a civil day, in microseconds since the epoch."""
    zone = ZoneInfo(policy.zone)
    local = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone)
    return int(local.astimezone(UTC).timestamp()) * _SECOND_US


def _permit(code: str, at_us: int, minutes_left: int, day: date) -> HeldPermit:
    """Granted on that day; still good for so many minutes, or ended so many ago."""
    until_us = at_us + minutes_left * _MINUTE_US
    return HeldPermit(1, code, until_us - 120 * _MINUTE_US, until_us, day.toordinal(), 0)


def _case(policy: CompiledPolicy, code: str, document: Document, at_us: int, facts: Facts) -> Case:
    """The request, its facts as ours takes them, and what they come to for the others."""
    local = datetime.fromtimestamp(at_us // _SECOND_US, ZoneInfo(policy.zone))
    today, born = local.toordinal(), facts.birth_date
    assert born is not None
    flat = {
        "in_force": local.date() >= date(2020, 4, 5),
        "code": code,
        "kind": document.kind,
        "registered": facts.registered,
        "age": local.year - born.year - ((local.month, local.day) < (born.month, born.day)),
        "holds_same": any(p.code == code and p.valid_until_us > at_us for p in facts.permits),
        "food_today": sum(p.code == "2" and p.day == today for p in facts.permits),
        "permits_today": sum(p.day == today for p in facts.permits),
        "blocked_wholly": any(not b.code and b.until_day > today for b in facts.blocks),
        "blocked_from_code": any(b.code == code and b.until_day > today for b in facts.blocks),
        "quarantined": (facts.quarantine_until_day or 0) > today,
        "region": facts.region,
        "minute": local.hour * 60 + local.minute,
        "weekday": _WEEKDAYS[local.weekday()],
        "messages_today": facts.messages_today,
        "documents_today": facts.documents_today,
        "channel": facts.channel,
    }
    return Case(code, document, at_us, tuple(facts), flat)
