"""What a rule concludes, as a closure that fills in the decision."""

from collections.abc import Callable

from rules.conditions import Scope
from rules.decide import Decision, Facts, HeldPermit, Quota, Verdict
from rules.documents import Document
from rules.permit_conditions import free_slot, held
from rules.policy import Rule

__all__ = ["US_PER_MINUTE", "Conclusion", "conclusion"]

US_PER_MINUTE = 60_000_000

# A NamedTuple's own constructor only names what it passes to this one, and takes three times as
# long; with its fields in order, on the way of every SMS. Tests hold each place to its type.
_new = tuple.__new__

Conclusion = Callable[[Document, Facts, int, int], Decision]
"""(document, facts, at_us, day) → the decision, once the rule applies."""


def conclusion(rule: Rule, scope: Scope, digest: str) -> Conclusion:
    """The conclusion of a rule for one code in one version of the policy."""
    if rule.verdict == "grant":
        return _grant(rule, scope, digest)
    if rule.verdict == "already_granted":
        return _already_granted(rule, scope, digest)
    return _refuse(rule, scope, digest)


def _grant(rule: Rule, scope: Scope, digest: str) -> Conclusion:
    assert rule.window is not None, "rules.checks"
    name, source, code, reply = rule.id, rule.source, scope.code, rule.reply
    granted = Verdict.GRANT  # an Enum's attribute is slower than a closure's
    window_us = scope.parameter(rule.window) * US_PER_MINUTE
    delay_us = scope.parameter(rule.starts_after) * US_PER_MINUTE if rule.starts_after else 0
    with_reply = rule.window_from == "reply"
    limits = [(key, tuple(quota.codes)) for key, quota in scope.quotas.items()]
    quota_name, codes = next((limit for limit in limits if code in limit[1]), ("", ()))

    # Where the day is known already, so is the place of a person without permits.
    first = Quota(quota_name, scope.day, 0) if quota_name and scope.day is not None else None

    def grant(document: Document, facts: Facts, at_us: int, day: int) -> Decision:
        quota = first
        if quota_name and (facts.permits or quota is None):
            quota = _new(Quota, (quota_name, day, free_slot(facts.permits, codes, day)))
        serial = facts.serial
        return _new(
            Decision,
            (
                granted,
                name,
                source,
                digest,
                code,
                document,
                at_us,
                day,
                at_us + delay_us,
                at_us + delay_us + window_us,
                serial,
                serial,
                reply,
                None,
                quota,
                None,
                with_reply,
            ),
        )

    return grant


def _already_granted(rule: Rule, scope: Scope, digest: str) -> Conclusion:
    name, source, code, reply = rule.id, rule.source, scope.code, rule.reply
    already = Verdict.ALREADY_GRANTED

    def already_granted(document: Document, facts: Facts, at_us: int, day: int) -> Decision:
        permit = held(facts.permits, (code,), at_us)
        assert permit is not None, "rules.checks: the rule asks holds_permit"
        return _new(
            Decision,
            (
                already,
                name,
                source,
                digest,
                code,
                document,
                at_us,
                day,
                permit.valid_from_us,
                permit.valid_until_us,
                facts.serial,
                permit.serial,
                reply,
                None,
                None,
                None,
                False,
            ),
        )

    return already_granted


def _refuse(rule: Rule, scope: Scope, digest: str) -> Conclusion:
    name, source, code, reply = rule.id, rule.source, scope.code, rule.reply
    refused = Verdict.REFUSE
    codes: tuple[str, ...] = ()
    if rule.when.quota_spent is not None:
        codes = tuple(scope.quotas[rule.when.quota_spent].codes)
    ends_day = _end_of(rule, code)

    def refuse(document: Document, facts: Facts, at_us: int, day: int) -> Decision:
        earlier: HeldPermit | None = None
        for permit in facts.permits if codes else ():
            if permit.day == day and permit.code in codes:
                earlier = permit
        return _new(
            Decision,
            (
                refused,
                name,
                source,
                digest,
                code,
                document,
                at_us,
                day,
                None,
                None,
                facts.serial,
                None,
                reply,
                earlier,
                None,
                None if ends_day is None else ends_day(facts, day),
                False,
            ),
        )

    return refuse


def _end_of(rule: Rule, code: str) -> Callable[[Facts, int], int | None] | None:
    """The first day after the block or quarantine that a rule refuses for."""
    how = rule.when.blocked
    if how is not None:
        meant = "" if how == "wholly" else code

        def of_block(facts: Facts, day: int) -> int | None:
            days = [b.until_day for b in facts.blocks if b.code == meant and day < b.until_day]
            return max(days, default=None)

        return of_block
    if rule.when.quarantined:
        # 0 stands for "in none", and None for unknown, which unknown = "apply" may lead to.
        return lambda facts, day: facts.quarantine_until_day or None
    return None
