"""The decision table says what the compiled policy decides, all of it, and prints safely."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise, product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import rules
from rules import CompiledPolicy, Document, Facts, HeldPermit, compile_policy, parse_policy
from rules.compile import draft
from rules.instants import local_datetime
from rules.telling.table import Table, as_data, decision_table
from rules.telling.table_html import table_html
from rules.telling.table_text import COLUMNS_MAX, table_text
from rules.telling.words import words_for

FOLDER = Path(rules.__file__).parent / "policies"
FILES = sorted(FOLDER.glob("*.toml"))
POLICIES = {path.stem: rules.load_policy(path) for path in FILES}
TEXT = (FOLDER / "8103.toml").read_text(encoding="utf-8")
LANGUAGES = ("en", "az", "az-ascii", "ru", "el", "tr")
EVERY = list(product(POLICIES, LANGUAGES))

START_US = (
    datetime(2020, 4, 5, tzinfo=ZoneInfo("Asia/Baku")) - datetime(1970, 1, 1, tzinfo=UTC)
) // (timedelta(microseconds=1))


def changed(*edits: tuple[str, str]) -> CompiledPolicy:
    """8103 with other words in it; its own tests no longer count."""
    text = TEXT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return compile_policy(parse_policy(text, "changed.toml"), trial=False)


def in_force(policy: CompiledPolicy) -> Table:
    return decision_table(policy, "en", START_US)


class Page(HTMLParser):
    """What a browser would see; fails on a tag that is closed out of turn."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.captioned = 0
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.captioned += tag == "caption"
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_every_version_names_every_rule(name: str, language: str) -> None:
    """As one that can decide, or as one that cannot and why; none twice."""
    policy = POLICIES[name]
    ids = sorted(rule.id for rule in policy.policy.content.rules)
    table = decision_table(policy, language, None)
    assert len(table.versions) == len(policy.versions)
    for version in table.versions:
        idle = [name for row in version.idle for name in row.rules]
        assert sorted([row.id for row in version.rules] + idle) == ids
        assert all(row.why for row in version.idle)


@pytest.mark.parametrize("name", POLICIES)
def test_it_has_the_rules_that_compilation_left(name: str) -> None:
    """For each code and version as many as there are closures, in the order of the file."""
    policy = POLICIES[name]
    for version, told in zip(
        policy.versions, decision_table(policy, "en", None).versions, strict=True
    ):
        assert (told.from_us, told.until_us) == (version.from_us, version.until_us)
        assert told.in_force == version.in_force
        assert [row.number for row in told.rules] == sorted(row.number for row in told.rules)
        for code, compiled in version.rules.items():
            assert sum(code in row.codes for row in told.rules) == len(compiled)


@pytest.mark.parametrize("name", POLICIES)
def test_whatever_decides_stands_in_the_table(name: str) -> None:
    """The rule, its verdict, reply and source are those of the decision."""
    policy = POLICIES[name]
    document = Document("AZE", "1111111")
    for version in decision_table(policy, "en", None).versions:
        at_us = (version.until_us or 1) - 1 if version.from_us is None else version.from_us
        day = policy.calendar.day(at_us)
        rows = {row.id: row for row in version.rules}
        for code, registered, born, spent in product(
            policy.grammar.codes, (None, True, False), (None, date(1930, 1, 1)), (True, False)
        ):
            held = HeldPermit(1, code, at_us - 2, at_us - 1, day)
            facts = Facts(9, registered, born, (held,) * spent)
            decision = rules.decide(policy, code, document, facts, at_us)
            row = rows[decision.rule]
            assert code in row.codes
            assert (row.verdict, row.reply_id, row.source) == (
                decision.verdict,
                decision.reply,
                decision.source,
            )


def test_what_compilation_folded_away_shows() -> None:
    """The daily limit is of code 2 alone, and the rule for the time before has no say after it."""
    table = decision_table(POLICIES["8103"], "en", None)
    before, since = table.versions
    once = next(row for row in since.rules if row.id == "once-a-day")
    assert (once.codes, once.all_codes) == (("2",), False)
    assert once.conditions == ("the person has used up the day's limit of 1 permit with code 2",)
    assert [row.id for row in before.rules] == ["not-in-force"]
    assert before.rules[0].conditions == ()
    assert before.idle[0].why.endswith("a rule before it always decides: not-in-force")
    assert [(row.rules, row.why) for row in since.idle] == [
        (
            ("not-in-force",),
            "cannot apply here, because it needs this: the policy is not in force",
        )
    ]


def test_a_rule_for_some_codes_names_them_and_drops_what_is_always_so() -> None:
    """The code in a condition becomes the column; the rest of the condition stays."""
    policy = changed(
        ("when = { registered = false }", 'when = { registered = false, code = ["1", "3"] }')
    )
    row = next(row for row in in_force(policy).versions[0].rules if row.id == "not-registered")
    assert row.codes == ("1", "3")
    assert row.conditions == ("the document is not in the register",)


def test_an_exception_shows_where_it_matters() -> None:
    """Not where it can never hold: the exception of code 1 says nothing of a rule for code 2."""
    rule = "when = { registered = false }"
    excepted = 'except = { code = "1", age = { below = "senior_age" } }'
    both = in_force(changed((rule, f"{rule}\n{excepted}")))
    row = next(row for row in both.versions[0].rules if row.id == "not-registered")
    assert row.exception == ("except when the request has code 1 and the person is younger than 65")
    assert row.unknown == (
        "if unknown (whether the document is in the register, the age): this rule is passed over"
    )
    other = in_force(changed((rule, f'when = {{ registered = false, code = "2" }}\n{excepted}')))
    row = next(row for row in other.versions[0].rules if row.id == "not-registered")
    assert (row.codes, row.exception) == (("2",), "")


def test_a_rule_whose_exception_always_holds_says_so() -> None:
    """It decides nothing, and the reason is its exception."""
    policy = changed(
        ('when = { registered = false }\nunknown = "skip"', "except = { in_force = true }")
    )
    idle = {row.rules: row.why for row in in_force(policy).versions[0].idle}
    assert idle["not-registered",] == "cannot apply here: what it excepts is always so"


def test_a_rule_outside_its_dates_says_so() -> None:
    """With the dates between which it exists."""
    policy = changed(
        (
            "when = { registered = false }",
            "until = 2020-05-18T00:00:00\nwhen = { registered = false }",
        )
    )
    first, last = decision_table(policy, "en", None).versions[1:]
    assert "not-registered" in [row.id for row in first.rules]
    assert (
        ("not-registered",),
        "this rule exists only until 18 May 2020, 00:00",
    ) in [(row.rules, row.why) for row in last.idle]


def test_a_draft_shows_the_rules_that_are_left() -> None:
    """A rule whose number has no value yet is a fault, and decides nothing in the table."""
    begins = "from = 2020-04-05T00:00:00, value = 65"
    assert begins in TEXT
    text = TEXT.replace(begins, "from = 2021-01-01T00:00:00, value = 65")
    policy, problems = draft(parse_policy(text, "draft.toml"))
    assert problems
    idle = {row.rules: row.why for row in in_force(policy).versions[0].idle}
    assert idle["senior",] == (
        "cannot apply here, because it needs this: the person is (no value yet) or older"
    )


def test_the_window_follows_the_policy() -> None:
    """Other numbers, a delay, or the reply as its beginning: the verdict tells it."""
    grant = 'window = "window"'

    def verdict(*edits: tuple[str, str]) -> str:
        return in_force(changed(*edits)).versions[0].rules[-1].verdict_words

    assert verdict() == "granted for 2 hours, from the decision on"
    shorter = ('value = 120, source = "seed', 'value = 90, source = "seed')
    assert verdict(shorter) == "granted for 1 hour 30 minutes, from the decision on"
    delay = (grant, f'{grant}\nstarts_after = "junk_refill"')
    assert verdict(delay) == "granted for 2 hours, starting 30 minutes after the decision"


def test_a_window_from_the_reply_says_so() -> None:
    """The published wording of spring counted from the SMS that a person receives."""
    spring = decision_table(POLICIES["az-8103-history"], "en", START_US).versions[0]
    words = "granted for 2 hours, from the moment the reply is sent"
    assert spring.rules[-1].verdict_words == words


def test_a_version_is_headed_by_its_interval() -> None:
    """Before, between and after the dates."""
    versions = decision_table(POLICIES["az-8103-history"], "en", None).versions
    assert versions[0].interval == "until 5 April 2020, 00:00"
    assert versions[1].interval == "from 5 April 2020, 00:00 until 27 April 2020, 00:00"
    assert versions[-1].interval == "from 18 January 2021, 00:00"


def test_a_rule_without_window_tells_none() -> None:
    """Refusals and repeats have no length of their own."""
    words = {row.verdict: row.verdict_words for row in in_force(POLICIES["8103"]).versions[0].rules}
    assert words["refuse"] == "refused"
    assert words["already_granted"] == "already granted: the same permit, with the same end"


def test_an_instant_chooses_its_version() -> None:
    """The last microsecond before the law, and its first."""
    policy = POLICIES["8103"]
    assert [v.in_force for v in decision_table(policy, "en", START_US - 1).versions] == [False]
    assert [v.in_force for v in decision_table(policy, "en", START_US).versions] == [True]


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_every_date_stands_in_it(name: str, language: str) -> None:
    """Each instant at which anything changes, in text and on the page, in the policy's zone."""
    policy = POLICIES[name]
    table = decision_table(policy, language, None)
    zone = ZoneInfo(policy.zone)
    text = re.sub(r"\s+", " ", table_text(table))
    page = " ".join(Page(table_html(table)).texts)
    for at_us in policy.boundaries_us:
        instant = words_for(language).instant(local_datetime(at_us, zone))
        assert instant in page
        assert instant in text


def test_every_dated_value_stands_in_it() -> None:
    """With its interval, which ends where the next begins, and its own source."""
    policy = POLICIES["az-8103-history"]
    rows = {row.id: row for row in decision_table(policy, "en", None).parameters}
    for name, parameter in policy.policy.content.parameters.items():
        values = rows[name].values
        assert [row.source for row in values] == [dated.source for dated in parameter.values]
        assert all(row.value and row.interval for row in values)
        for row, after in pairwise(values):
            begins = re.sub(" until .*", "", after.interval).removeprefix("from ")
            assert row.interval.endswith(f"until {begins}")


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_text_fits_a_terminal(name: str, language: str) -> None:
    """No line is wider than promised, and none ends in spaces."""
    lines = table_text(decision_table(POLICIES[name], language, None)).splitlines()
    assert max(map(len, lines)) <= COLUMNS_MAX
    assert all(line == line.rstrip() for line in lines)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_text_and_page_tell_everything(name: str, language: str) -> None:
    """Rules, sources, replies, parameters, codes and documents reach the reader."""
    table = decision_table(POLICIES[name], language, None)
    wanted = [table.title, table.short_number, table.zone]
    for version in table.versions:
        for row in version.rules:
            wanted += [row.id, row.verdict_words, row.source, row.reply, *row.conditions]
            wanted += [row.exception, row.unknown]
        wanted += [idle.why for idle in version.idle]
        wanted += [name for idle in version.idle for name in idle.rules]
        wanted += [quota.words for quota in version.quotas]
        wanted += [version.flood.words, version.flood.reply] if version.flood else []
    wanted += [table.late.words, table.late.reply, table.late.source]
    wanted += [words_for(language)("urgent")] * any(code.urgent for code in table.codes)
    wanted += [code.title for code in table.codes] + [row.title for row in table.parameters]
    wanted += [row.holder for row in table.documents] + [row.title for row in table.regions]
    wanted += [row.title for row in table.unrecognised]
    wanted += [reply for row in table.commands for _, reply in row.endings]
    assert len(wanted) > 30
    text, page = (_letters(table_text(table)), _letters("".join(Page(table_html(table)).texts)))
    for words in wanted:
        assert _letters(words) in page, words
        # Cells beside each other are cut into lines there: look for each word.
        assert all(_letters(word) in text for word in words.split()), words


def _letters(text: str) -> str:
    """Without spaces and line breaks, which wrapping moves."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_the_page_is_sound_and_can_be_heard(name: str, language: str) -> None:
    """Tags close in turn; headers have a scope, tables a name, page and parts a language."""
    table = decision_table(POLICIES[name], language, None)
    page = Page(table_html(table))
    assert page.named("html") == [{"lang": words_for(language).tag}]
    assert {attrs["scope"] for attrs in page.named("th")} == {"col", "row"}
    ids = {attrs["id"] for attrs in page.named("h2")}
    assert len(ids) == len(page.named("h2"))
    named = [
        attrs["aria-labelledby"] for attrs in page.named("table") if "aria-labelledby" in attrs
    ]
    assert set(named) <= ids
    assert len(named) + page.captioned == len(page.named("table"))
    replies = [attrs for attrs in page.named("td") if attrs.get("class") == "reply"]
    assert {attrs["lang"] for attrs in replies} == {table.reply_tag}
    assert table.reply_tag in {"az", "en", "ru", "el"}
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in page.tags}
    assert "http" not in re.sub("http-equiv", "", table_html(table))


HOSTILE = "</td><script>alert('1')</script> & \\u001b[2J[bold]x[/bold]"


def test_hostile_texts_stay_texts() -> None:
    """A file may hold marks of HTML, of the terminal and of rich: they are shown, not obeyed."""
    policy = changed(
        ('title = "SMS permits of 5 April 2020"', f'title = "{HOSTILE}"'),
        ('title = "how long a permit is valid"', f'title = "{HOSTILE}"'),
        ('source = "seed: in force from 5 April 2020"', f'source = "{HOSTILE}"'),
        ('en = "funeral of a close relative"', f'en = "{HOSTILE}"'),
        ('title = "temporary resident"', f'title = "{HOSTILE}"'),
    )
    table = decision_table(policy, "en", None)
    html = table_html(table)
    page = Page(html)
    assert page.named("script") == []
    assert "<script" not in html
    assert "".join(page.texts).count("<script>alert('1')</script> & ") == 6  # also the <title>
    text = table_text(table)
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text
    assert max(map(len, text.splitlines())) <= COLUMNS_MAX


def test_a_title_longer_than_a_line_wraps() -> None:
    """Also without any space to wrap at."""
    policy = changed(('title = "SMS permits of 5 April 2020"', f'title = "{"x" * 250}"'))
    text = table_text(decision_table(policy, "en", None))
    assert max(map(len, text.splitlines())) <= COLUMNS_MAX
    assert text.count("x") > 250


def test_json_has_all_of_it_under_names() -> None:
    """What ``--json`` prints is the table itself."""
    table = decision_table(POLICIES["8103"], "ru", None)
    data = json.loads(json.dumps(as_data(table), ensure_ascii=False))
    assert list(data) == list(Table._fields)
    assert data["digest"] == POLICIES["8103"].digest
    assert data["versions"][1]["from_us"] == START_US
    assert data["versions"][1]["rules"][-1]["id"] == "granted"
    assert data["versions"][1]["rules"][-1]["codes"] == ["1", "2", "3"]


def test_the_replies_of_a_policy_without_the_language_are_its_own() -> None:
    """Words in Greek, replies in the default language of 8103, and both are declared."""
    table = decision_table(POLICIES["8103"], "el", None)
    assert (table.language, table.tag) == ("el", "el")
    assert (table.reply_language, table.reply_tag) == ("az", "az")
    granted = table.versions[1].rules[-1]
    assert granted.reply == POLICIES["8103"].policy.content.replies["granted"].text["az"]


def test_a_limit_on_junk_that_changes_is_told_in_each_version() -> None:
    """Where it stays the same it is told once."""
    heading = words_for("en")("labels.flood")
    same = decision_table(POLICIES["8103"], "en", None)
    assert table_text(same).count(heading) == 1
    value = '{ value = 10, source = "ours; press: a schoolboy sent 90 SMS" },'
    later = '{ from = 2020-06-01T00:00:00, value = 99, source = "ours" },'
    table = decision_table(changed((value, f"{value}\n{later}")), "en", None)
    assert len(table.versions) == 3
    assert table_text(table).count(heading) == 3
    assert table.versions[2].flood is not None
    assert "99 SMS" in table.versions[2].flood.words
