"""The decision table of a compiled policy, in the words of one language, to print and to hang up.

It is made from what compilation left, so it cannot say otherwise than the policy decides: a rule
that cannot apply to a code in a version does not stand in that version's table, but beneath it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from rules.compile import CompiledPolicy, Version
from rules.flood import Bucket
from rules.instants import instant_us, local_datetime
from rules.policy import Parameter
from rules.telling.statements import Standing, StatedRule, Statement, stated_rules, stated_verdict
from rules.telling.table_rows import (
    CodeRow,
    CommandRow,
    DatedRow,
    DocumentRow,
    FloodRow,
    IdleRow,
    LanguageRow,
    LateRow,
    ParameterRow,
    QuotaRow,
    ReasonRow,
    RegionRow,
    RuleRow,
    Table,
    VersionTable,
    as_data,
)
from rules.telling.words import Words, tag_of, words_for

__all__ = ["Table", "as_data", "decision_table"]

_DECIDING = (Standing.ASKED, Standing.ALWAYS)
_US_PER_MINUTE = 60_000_000


def decision_table(policy: CompiledPolicy, language: str, at_us: int | None) -> Table:
    """The table in a language, of the version at an instant or, for None, of all versions."""
    return _Teller(policy, language).table(at_us)


class _Teller:
    """A policy and the words it is told in."""

    def __init__(self, policy: CompiledPolicy, language: str) -> None:
        self.policy = policy
        self.content = policy.policy.content
        self.zone = ZoneInfo(policy.zone)
        self.words: Words = words_for(language)
        self.reply_language = policy.language_of(language)

    def table(self, at_us: int | None) -> Table:
        policy, content, words = self.policy, self.content, self.words
        versions = policy.versions if at_us is None else (policy.version_at(at_us),)
        return Table(
            policy=policy.id,
            title=policy.title,
            short_number=policy.short_number,
            zone=policy.zone,
            digest=policy.digest,
            language=words.language,
            tag=words.tag,
            reply_language=self.reply_language,
            reply_tag=tag_of(self.reply_language),
            in_force=tuple(
                DatedRow(self.interval(x.start, x.until), "", x.source) for x in content.in_force
            ),
            codes=tuple(
                CodeRow(code, words.title(x.title), x.urgent, x.source)
                for code, x in content.codes.items()
            ),
            versions=tuple(map(self.version, versions)),
            late=self.late(),
            parameters=tuple(
                ParameterRow(name, x.title, tuple(self.values(x)))
                for name, x in content.parameters.items()
            ),
            documents=tuple(
                DocumentRow(x.kind, x.title, x.example, x.source) for x in content.documents
            ),
            regions=tuple(
                RegionRow(name, words.title(x.title), x.source)
                for name, x in content.regions.items()
            ),
            commands=tuple(self.commands()),
            unrecognised=tuple(
                ReasonRow(reason, words(f"reasons.{reason}"), self.reply(key))
                for reason, key in content.unrecognised.model_dump().items()
                if key is not None
            ),
            languages=tuple(LanguageRow(x.name, tuple(x.tags)) for x in content.languages),
        )

    def interval(self, start: datetime | None, until: datetime | None) -> str:
        """An interval as the file writes it."""
        us = [None if at is None else instant_us(at, self.zone) for at in (start, until)]
        return self.interval_us(*us)

    def interval_us(self, from_us: int | None, until_us: int | None) -> str:
        start, until = (
            None if at_us is None else local_datetime(at_us, self.zone)
            for at_us in (from_us, until_us)
        )
        return self.words.interval(start, until)

    def reply(self, key: str) -> str:
        return self.content.replies[key].text[self.reply_language]

    def values(self, parameter: Parameter) -> Iterator[DatedRow]:
        ends = [dated.start for dated in parameter.values[1:]]
        for dated, until in zip(parameter.values, [*ends, None], strict=True):
            # A time of day is a time in the file; a version has it in seconds, as words take it.
            number = dated.value
            if not isinstance(number, int):
                number = (number.hour * 60 + number.minute) * 60 + number.second
            value = self.words.amount(number, parameter.unit)
            yield DatedRow(self.interval(dated.start, until), value, dated.source)

    def version(self, version: Version) -> VersionTable:
        codes = self.policy.grammar.codes
        stated = {code: stated_rules(self.policy, version, code) for code in codes}
        rows: list[RuleRow] = []
        idle: dict[str, list[str]] = {}
        quotas: dict[str, None] = {}
        for index, rule in enumerate(self.content.rules):
            by_code = {code: stated[code][index] for code in codes}
            deciding = {c: x for c, x in by_code.items() if x.standing in _DECIDING}
            if not deciding:
                idle.setdefault(self.why(list(by_code.values())), []).append(rule.id)
                continue
            rows.append(self.rule(deciding, version))
            asked = [given.quota_spent for given in (rule.when, rule.exceptions) if given]
            quotas |= dict.fromkeys(name for name in asked if name is not None)
        return VersionTable(
            from_us=version.from_us,
            until_us=version.until_us,
            interval=self.interval_us(version.from_us, version.until_us),
            in_force=version.in_force,
            rules=tuple(rows),
            idle=tuple(IdleRow(tuple(names), why) for why, names in idle.items()),
            quotas=tuple(self.quota(name, version) for name in quotas),
            flood=self.flood(version.flood),
        )

    def rule(self, deciding: dict[str, StatedRule], version: Version) -> RuleRow:
        """A rule for the codes for which it can decide; what is always so for them is left out."""
        words = self.words
        each = list(deciding.values())
        rule = each[0].rule
        exception = ""
        if not all(_never(stated.exceptions) for stated in each):
            conditions = self.open_conditions([stated.exceptions for stated in each])
            exception = words("exception.rule", conditions=words.both(conditions))
        return RuleRow(
            number=each[0].number,
            id=rule.id,
            codes=tuple(deciding),
            all_codes=len(deciding) == len(self.policy.grammar.codes),
            conditions=self.open_conditions([stated.when for stated in each]),
            exception=exception,
            unknown=words.unknown(rule) or "",
            verdict=rule.verdict,
            verdict_words=words.verdict(stated_verdict(rule, version.parameters)),
            reply_id=rule.reply,
            reply=self.reply(rule.reply),
            source=rule.source,
        )

    def open_conditions(self, by_code: list[tuple[Statement, ...]]) -> tuple[str, ...]:
        return tuple(
            self.words.condition(same[0])
            for same in zip(*by_code, strict=True)
            if not all(statement.holds is True for statement in same)
        )

    def why(self, stated: Sequence[StatedRule]) -> str:
        """Why a rule decides nothing for any code."""
        words = self.words
        standings = {x.standing for x in stated}
        if Standing.DATES in standings:
            rule = stated[0].rule
            return words("standing.dates", interval=self.interval(rule.start, rule.until))
        if Standing.BEHIND in standings:
            before = dict.fromkeys(x.behind for x in stated if x.behind is not None)
            return words("standing.behind", rules=words.both(before))
        if Standing.NEVER in standings:
            needed = dict.fromkeys(
                words.condition(statement)
                for x in stated
                for statement in x.when
                if statement.holds in (False, None)
            )
            return words("standing.never", conditions=words.both(needed or [words("no_value")]))
        return words("standing.excepted")

    def quota(self, name: str, version: Version) -> QuotaRow:
        quota, words = self.content.quotas[name], self.words
        limit = version.parameters.get(quota.limit)
        amount = words("no_value") if limit is None else words.count(limit, "permits")
        codes = words.codes(tuple(quota.codes))
        return QuotaRow(name, words("quota.day", amount=amount, codes=codes), quota.source)

    def flood(self, bucket: Bucket | None) -> FloodRow | None:
        flood, words = self.content.flood, self.words
        if flood is None or bucket is None:
            return None
        limit = words(
            "flood.limit",
            junk=words.count(bucket.junk_max, "messages"),
            refill=words.length(bucket.refill_us // _US_PER_MINUTE, "measures"),
        )
        return FloodRow(limit, self.reply(flood.reply), flood.source)

    def late(self) -> LateRow:
        late, words = self.content.late, self.words
        if late is None:
            return LateRow("nothing", words("late.nothing"), "", "")
        reply = "" if late.reply is None else self.reply(late.reply)
        return LateRow(late.action, words(f"late.{late.action}"), reply, late.source)

    def commands(self) -> Iterator[CommandRow]:
        for name in type(self.content.commands).model_fields:
            command = getattr(self.content.commands, name)
            if command is None:
                continue
            told = command.model_dump(exclude={"words", "source"})
            endings = tuple(
                (self.words(f"endings.{name}.{outcome}"), self.reply(key))
                for outcome, key in told.items()
            )
            spoken = [tag for x in self.content.languages for tag in x.tags]
            texted = tuple(getattr(command, "words", spoken))
            yield CommandRow(name, self.words(f"commands.{name}"), texted, endings, command.source)


def _never(exceptions: Sequence[Statement]) -> bool:
    """Whether what a rule excepts is never so; without any condition there is nothing to say."""
    return not exceptions or any(statement.holds is False for statement in exceptions)
