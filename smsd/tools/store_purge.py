"""`smsd store purge`: deleting what is old while the daemon runs."""

import time
from datetime import date

import click

from rules import CompiledPolicy
from smsd.config import Config
from smsd.tools.law import law_in_force
from smsd.tools.moments import now_us
from smsd.tools.output import ToolRefused, print_json, progress_bar
from storage.beside import give_way
from storage.purge import Purged, count_before, purge
from storage.store import StoreError

__all__ = ["purge_store"]


def purge_store(
    config: Config, before: date, who: str, reason: str, yes: bool, as_json: bool
) -> None:
    """Delete what was received before a civil day of the policy in force."""
    policy = law_in_force(config)
    before_us = _start_us(policy, before)
    try:
        old = count_before(config.store.url, before_us)
        if not yes and (old.messages or old.parts or old.names):
            _ask(f"received before {before} ({policy.zone})", old.messages)
        done = _purge(config.store.url, before_us, before, who, reason, old.messages)
    except StoreError as fault:
        raise ToolRefused(
            f"{fault}\nWhat was deleted so far stays deleted; the same command goes on."
        ) from fault
    if as_json:
        print_json({"before": before.isoformat(), "zone": policy.zone, **done._asdict()})
        return
    click.echo(
        f"Deleted: {done.messages:,} messages, {done.decisions:,} decisions, {done.replies:,}"
        f" replies, {done.shadow_differences:,} shadow differences, {done.parts:,} stray parts."
    )
    if done.names:
        click.echo(f"Erased: whom {done.names:,} lines of the audit are about; the lines stay.")
    if done.kept:
        click.echo(
            f"{done.kept:,} messages stay: a reply has not left, a permit is valid, or it is the"
            " newest."
        )


def _start_us(policy: CompiledPolicy, before: date) -> int:
    calendar = policy.calendar
    if before > calendar.date(now_us()):
        raise ToolRefused(
            "--before must not lie after today: what is received today is still counted."
        )
    try:
        return calendar.day_start_us(before.toordinal())
    except (OverflowError, ValueError) as fault:
        raise ToolRefused(f"--before {before}: no SMS is as old as that.") from fault


def _ask(which: str, messages: int) -> None:
    question = f"Delete {messages:,} messages {which}, with their decisions and replies?"
    try:
        agreed = click.confirm(question, err=True)
    except click.Abort:
        agreed = False
    if not agreed:
        raise ToolRefused("Nothing was deleted; --yes deletes without asking.")


def _purge(url: str, before_us: int, before: date, who: str, reason: str, messages: int) -> Purged:
    done = Purged()
    with progress_bar() as progress:
        task = progress.add_task("deleting messages", total=messages)
        started = time.monotonic()
        for done in purge(url, before_us, now_us(), who, reason, f"before {before}"):
            progress.update(task, completed=done.messages + done.kept)
            give_way(started)
            started = time.monotonic()
    return done
