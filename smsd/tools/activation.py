"""`smsd policy activate, rollback, history, shadow`: which law is in force."""

import os
import signal
import time
from pathlib import Path

import click

import rules
from rules import Policy, PolicyError
from rules import reference as references
from rules.analysis.soundness import sound
from smsd.config import Config
from smsd.tools.law import law_in_force
from smsd.tools.moments import now_us, told
from smsd.tools.output import ToolRefused, print_json
from smsd.tools.policy import read
from storage import audit, policies
from storage.policies import Activation
from storage.sqlite import owner_pid
from storage.store import StoreError

__all__ = ["activate_policy", "roll_back", "set_shadow", "show_history", "show_shadow"]

_WAIT_S = 60.0
_POLL_S = 0.05
_EXAMPLES_MAX = 20


def activate_policy(config: Config, file: Path, who: str, reason: str, as_json: bool) -> None:
    """Check a file, store it, and let the daemon decide by it."""
    policy = _sound(read(file))
    _put_in_force(config, policy, who, reason, "activate", as_json)


def roll_back(config: Config, who: str, reason: str, as_json: bool) -> None:
    """Put the policy before the one in force in force again."""
    try:
        before = policies.before(config.store.url)
        if before is None:
            raise ToolRefused("No other policy was ever in force here.")
        source = policies.policy_source(config.store.url, before.digest)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    policy = rules.parse_policy(source, f"policy {before.digest[:12]}")
    _put_in_force(config, policy, who, reason, "rollback", as_json)


def set_shadow(config: Config, file: Path | None, who: str, reason: str, as_json: bool) -> None:
    """Put a candidate into the shadow of the policy in force, or end it (no file)."""
    if file is not None:
        policy = _sound(read(file))
        zone, live = policy.content.policy.zone, law_in_force(config).zone
        if zone != live:
            raise ToolRefused(
                f"{file}: its days are those of {zone}, and those of the policy in force of {live};"
                " a candidate must share them, or it would count other permits"
            )
        _put_in_force(config, policy, who, reason, "shadow", as_json)
        return
    candidate = _shadow(config)
    source = policies.policy_source(config.store.url, candidate.digest)
    policy = rules.parse_policy(source, f"policy {candidate.digest[:12]}")
    _put_in_force(config, policy, who, reason, "shadow_off", as_json)


def _sound(policy: Policy) -> Policy:
    try:
        sound(policy)
    except PolicyError as fault:
        raise ToolRefused(f"{fault}\nThe policy in force stays.") from fault
    return policy


def _put_in_force(
    config: Config, policy: Policy, who: str, reason: str, action: str, as_json: bool
) -> None:
    url = config.store.url
    try:
        line = policies.activate(url, policy.source, policy.digest, now_us(), who, reason, action)
        pid = owner_pid(url)
        if pid is not None:
            os.kill(pid, signal.SIGHUP)
            _wait_for_daemon(url, line)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    taken = "the daemon decides by it" if pid else "no daemon runs; the next one will use it"
    if as_json:
        print_json({"action": action, "digest": policy.digest, "daemon": pid is not None})
    else:
        click.echo(f"{action}: {policy.content.policy.id}, digest {policy.digest[:12]}: {taken}.")


def _wait_for_daemon(url: str, line: int) -> None:
    """Until the daemon has said in the audit what became of it."""
    deadline = time.monotonic() + _WAIT_S
    while time.monotonic() < deadline:
        for said in audit.since(url, line):
            if said.action == "policy_in_force":
                return
            if said.action == "policy_kept":
                raise ToolRefused(f"The daemon kept the policy in force:\n{said.reason}")
        time.sleep(_POLL_S)
    raise ToolRefused(
        f"The daemon has not answered for {_WAIT_S:.0f} s; see its log. The activation is stored"
        " and will be taken at its next start."
    )


def show_history(config: Config, as_json: bool) -> None:
    """Which policy was put in force when, by whom and why."""
    try:
        rows = policies.history(config.store.url)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    for row in rows:
        click.echo(
            f"{told(row.at_us, 'UTC')} UTC  {row.action:<10}  {row.digest[:12]}  {row.who}:"
            f" {row.reason}"
        )
    if not rows:
        click.echo("No policy was put in force here yet.")


def show_shadow(config: Config, as_json: bool) -> None:
    """Where the candidate disagreed so far."""
    candidate = _shadow(config)
    counts, examples = policies.shadow_differences(
        config.store.url, candidate.digest, _EXAMPLES_MAX
    )
    if as_json:
        print_json(
            {
                "candidate": candidate._asdict(),
                "disagreements": [
                    dict(
                        zip(
                            ("code", "verdict", "rule", "candidate_verdict", "candidate_rule",
                             "count"),
                            row, strict=True,
                        )
                    )
                    for row in counts
                ],
                "examples": [
                    {**row._asdict(), "reference": references.encode(row.serial)}
                    for row in examples
                ],
            }
        )  # fmt: skip
        return
    click.echo(
        f"Candidate {candidate.digest[:12]}, in the shadow since"
        f" {told(candidate.at_us, 'UTC')} UTC, by {candidate.who}."
    )
    for code, verdict, rule, other, other_rule, count in counts:
        click.echo(f"{count:>9}  code {code}: {verdict} ({rule}) → {other} ({other_rule})")
    for row in examples:
        click.echo(
            f"  {references.encode(row.serial)}  {told(row.at_us, 'UTC')} UTC  code {row.code}:"
            f" {row.rule} → {row.candidate_rule}"
        )
    if not counts:
        click.echo("It agreed with every decision so far.")


def _shadow(config: Config) -> Activation:
    try:
        candidate = policies.shadow(config.store.url)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if candidate is None:
        raise ToolRefused(
            "No candidate is in the shadow; put one there with: smsd policy shadow FILE"
        )
    return candidate
