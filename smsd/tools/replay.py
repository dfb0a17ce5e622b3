"""`smsd policy replay`: recorded traffic under another policy, and under the one that decided."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click

import rules
from rules import CompiledPolicy, PolicyError, reference
from rules.analysis.findings import reference_of, replay_data
from rules.analysis.recorded import RecordedMessage, reproduces
from rules.analysis.replay import Mode, replay
from rules.analysis.replay_tally import Tally
from smsd.config import Config
from smsd.tools.law import law_in_force
from smsd.tools.moments import since_us, told
from smsd.tools.output import ToolRefused, print_json, progress_bar
from smsd.tools.policy import compiled
from storage import policies
from storage.recorded import PAGE_MESSAGES, Recording, recording
from storage.store import StoreError

__all__ = ["DIFFERING_MAX", "replay_traffic", "verify_traffic"]

DIFFERING_MAX = 100
"""Decisions named that are not reproduced; all are counted."""

_MEANING: dict[Mode, str] = {
    "recorded": "each request is decided on the facts recorded for it. What this policy would have"
    " granted or refused before it is not followed.",
    "cascading": "each request is decided on the permits that this policy would have given before"
    " it. Register, blocks and counts of phones are as recorded; what was not recorded is unknown.",
}


class Differing(NamedTuple):
    """A decision that is not reproduced. fields: those that came out otherwise."""

    reference: str
    at: str
    code: str
    fields: list[str]


def replay_traffic(config: Config, file: Path, since: str, mode: Mode, as_json: bool) -> None:
    """Tell every outcome that a policy changes; raises ToolRefused."""
    policy = compiled(file, trial=False)
    tally = Tally()
    try:
        taken = recording(config.store.url, since_us(since, policy.zone))
        for change in replay(tally.watch(_shown(taken)), policy, mode):
            tally.add(change)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json(_as_json(tally, taken, policy, mode))
    else:
        _print(tally, taken, policy, mode)


def _print(tally: Tally, taken: Recording, policy: CompiledPolicy, mode: Mode) -> None:
    changed = {0: "no outcome changes", 1: "1 outcome changes"}
    click.echo(f"Mode {mode}: {_MEANING[mode]}")
    click.echo(
        f"{tally.messages} SMS with {tally.decisions} decisions since"
        f" {told(taken.since_us, policy.zone)}, under policy {policy.id} ({policy.digest[:12]}):"
        f" {changed.get(tally.changes, f'{tally.changes} outcomes change')}."
    )
    for kind in tally.kinds():
        click.echo(f"\n{kind.count:>9}  {kind.old} → {kind.new}")
        for change in kind.examples:
            code = f"  code {change.code}" if change.code else ""
            at = told(change.at_us, policy.zone)
            click.echo(f"{'':11}{reference_of(change) or '-':6}  {at}{code}")


def _as_json(
    tally: Tally, taken: Recording, policy: CompiledPolicy, mode: Mode
) -> dict[str, object]:
    return {
        "mode": mode,
        "meaning": _MEANING[mode],
        "policy": policy.id,
        "digest": policy.digest,
        "since": told(taken.since_us, policy.zone),
        "zone": policy.zone,
        **replay_data(tally, policy.zone),
    }


def verify_traffic(config: Config, since: str, as_json: bool) -> None:
    """Make every decision again from its facts and its own policy.

    Raises ToolRefused where one comes out otherwise.
    """
    zone = law_in_force(config).zone
    law_of = _recorded_policies(config)
    count = wrong = 0
    differing: list[Differing] = []
    try:
        taken = recording(config.store.url, since_us(since, zone))
        for message in _shown(taken):
            for decision in message.decisions:
                count += 1
                fields = reproduces(decision, message, law_of(decision.digest))
                wrong += bool(fields)
                if fields and wrong <= DIFFERING_MAX:
                    number, at = reference.encode(decision.serial), message.received_at_us
                    differing.append(Differing(number, told(at, zone), decision.code, fields))
    except (StoreError, PolicyError) as fault:
        raise ToolRefused(str(fault)) from fault
    since_told = told(taken.since_us, zone)
    if as_json:
        print_json(
            {
                "since": since_told,
                "zone": zone,
                "decisions": count,
                "reproduced": count - wrong,
                "differing": [row._asdict() for row in differing],
            }
        )
    else:
        click.echo(
            f"{count - wrong} of {count} decisions since {since_told} were reproduced from their"
            " recorded facts and their own policy."
        )
        for row in differing:
            click.echo(f"  {row.reference}  {row.at}  code {row.code}: {', '.join(row.fields)}")
    if wrong:
        raise ToolRefused("" if as_json else f"{wrong} not reproduced.")


def _recorded_policies(config: Config) -> Callable[[str], CompiledPolicy]:
    """The policies that decided, by digest."""

    @cache
    def law_of(digest: str) -> CompiledPolicy:
        source = policies.policy_source(config.store.url, digest)
        # Its tests are of its own time; what counts here is what it decides.
        policy = rules.parse_policy(source, f"policy {digest[:12]}")
        return rules.compile_policy(policy, trial=False)

    return law_of


def _shown(taken: Recording) -> Iterator[RecordedMessage]:
    """The messages, with a bar on a terminal."""
    with progress_bar() as progress:
        task = progress.add_task("deciding again", total=None)
        for count, message in enumerate(taken.messages()):
            if count == 0:
                first = message.id
                progress.update(task, total=taken.last_id - first + 1)
            if count % PAGE_MESSAGES == 0:
                progress.update(task, completed=message.id - first)
            yield message
