"""`smsd outbox list, retry, drop`: what waits, what will never leave, and what to do about it."""

import os
import signal
from collections.abc import Mapping, Sequence

import click

from smsd.config import Config
from smsd.smpp.statuses import status_number, status_words
from smsd.tools.law import law_in_force
from smsd.tools.moments import now_us, since_us, told
from smsd.tools.output import ToolRefused, print_json
from storage import ReplyState, audit, dead_letters
from storage.dead_letters import Letter, Listed
from storage.sqlite import owner_pid
from storage.store import StoreError

__all__ = ["drop_replies", "list_outbox", "retry_chosen", "retry_replies"]

_DIGITS_SHOWN = 3
_WORDS = {
    ReplyState.UNSENT: "waits",
    ReplyState.REFUSED: "refused",
    ReplyState.EXPIRED: "expired",
    ReplyState.DROPPED: "dropped",
    ReplyState.UNKNOWN: "unknown",
}
_REASONS = {
    ReplyState.EXPIRED: "what it tells of had ended before it could leave",
    ReplyState.UNKNOWN: "the SMSC never said whether it took it",
}


def list_outbox(
    config: Config,
    smsc: str | None,
    since: str,
    limit: int,
    reveal: tuple[str, str] | None,
    as_json: bool,
) -> None:
    """What waits and what will never leave; reveal: who wants whole phone numbers, and why."""
    url, zone = config.store.url, law_in_force(config).zone
    try:
        waiting, dead = dead_letters.list_letters(url, smsc or "", since_us(since, zone), limit)
        if reveal is not None:
            who, reason = reveal
            shown = f"phones of {len(waiting.letters) + len(dead.letters)} replies"
            audit.note(url, now_us(), who, "outbox_reveal", shown, reason)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json(
            {
                name: {
                    "total": listed.total,
                    "replies": [_data(letter, reveal is not None) for letter in listed.letters],
                }
                for name, listed in (("waiting", waiting), ("dead", dead))
            }
        )
        return
    _print(waiting, "waiting, oldest first", zone, reveal is not None)
    _print(dead, "never left, newest first", zone, reveal is not None)


def _print(listed: Listed, title: str, zone: str, revealed: bool) -> None:
    more = listed.total - len(listed.letters)
    click.echo(f"{listed.total:,} {title}" + (f"; {more:,} of them not shown" if more else ""))
    for letter in listed.letters:
        urgent = ", urgent" if letter.urgent else ""
        click.echo(
            f"{letter.id:>9}  {letter.smsc}  {told(letter.received_at_us, zone)}"
            f"  {_phone(letter, revealed)}  {_WORDS[letter.state]}{urgent}: {_reason(letter, zone)}"
        )


def _reason(letter: Letter, zone: str) -> str:
    if letter.state is ReplyState.UNSENT:
        again = "; sent before, perhaps in vain" if letter.resent else ""
        return f"until {told(letter.not_after_us, zone)}{again}"
    return _REASONS.get(letter.state) or status_words(letter.status)


def _phone(letter: Letter, revealed: bool) -> str:
    return letter.phone if revealed else f"…{letter.phone[-_DIGITS_SHOWN:]}"


def _data(letter: Letter, revealed: bool) -> dict[str, object]:
    waits = letter.state is ReplyState.UNSENT
    return {
        **letter._asdict(),
        "phone": _phone(letter, revealed),
        "state": _WORDS[letter.state],
        "reason": None if waits else _reason(letter, "UTC"),
    }


def retry_replies(config: Config, ids: Sequence[int], who: str, reason: str, as_json: bool) -> None:
    """Put replies back into their outboxes, and tell the daemon."""
    smscs = {smsc.name for smsc in config.smsc}
    try:
        done = dead_letters.retry(config.store.url, ids, smscs, who, reason, now_us())
        pid = _tell_daemon(config.store.url) if None in done.values() else None
    except StoreError as fault:
        raise ToolRefused(f"{fault}\nWhat was put back before this stays so.") from fault
    follows = "the daemon sends it" if pid else "no daemon runs; the next one sends it"
    _report(done, f"waits again; {follows}", as_json)


def retry_chosen(
    config: Config, smsc: str | None, status: str | None, who: str, reason: str, as_json: bool
) -> None:
    """The same for all that one SMSC refused, or all that were refused with a status."""
    try:
        number = status_number(status) if status is not None else 0
        ids = dead_letters.retriable(config.store.url, smsc or "", number, now_us())
    except (ValueError, StoreError) as fault:
        raise ToolRefused(str(fault)) from fault
    if not ids:
        raise ToolRefused(
            "There is no such reply that could still leave; smsd outbox list tells what there is."
        )
    retry_replies(config, ids, who, reason, as_json)


def drop_replies(config: Config, ids: Sequence[int], who: str, reason: str, as_json: bool) -> None:
    """Settle that replies shall never leave."""
    url = config.store.url
    try:
        done = dead_letters.drop(url, ids, owner_pid(url) is not None, who, reason, now_us())
    except StoreError as fault:
        raise ToolRefused(f"{fault}\nWhat was dropped before this stays so.") from fault
    _report(done, "is dropped", as_json)


def _tell_daemon(url: str) -> int | None:
    """Have the daemon look at its outboxes on disk; its process, None where none runs."""
    pid = owner_pid(url)
    if pid is not None:
        try:
            os.kill(pid, signal.SIGUSR1)
        except ProcessLookupError:
            return None
    return pid


def _report(done: Mapping[int, str | None], success: str, as_json: bool) -> None:
    refused = {number: why for number, why in done.items() if why}
    if as_json:
        print_json({"done": [number for number in done if number not in refused],
                    "refused": refused})  # fmt: skip
    else:
        for number in done:
            if number not in refused:
                click.echo(f"Reply {number} {success}.")
    if refused:
        raise ToolRefused("\n".join(f"Reply {number} {why}." for number, why in refused.items()))
