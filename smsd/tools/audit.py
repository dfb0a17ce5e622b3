"""`smsd audit verify, list`."""

import click

from smsd.config import Config
from smsd.tools.law import law_in_force
from smsd.tools.moments import now_us, since_us, told
from smsd.tools.output import ToolRefused, print_json, progress_bar
from storage import audit
from storage.audit import AuditLine, Wanted
from storage.audit_proof import Flaw, Verdict, verify
from storage.store import StoreError

__all__ = ["list_audit", "verify_audit"]

_LETTERS_SHOWN = 3


def verify_audit(config: Config, noted: str | None, as_json: bool) -> None:
    """Walk the chain; noted: the hash of a line that must be in it."""
    try:
        with progress_bar() as progress:
            task = progress.add_task("walking the chain", total=None)

            def walked(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            verdict = verify(config.store.url, noted, walked)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json({"sound": verdict.sound, **verdict._asdict()})
    if not verdict.sound:
        raise ToolRefused(
            f"{_complaint(verdict)}\nKeep this file, and compare it with your backups and with the"
            " hashes in your logs."
        )
    if not as_json:
        click.echo(f"The audit is sound: {verdict.lines:,} lines, head {verdict.hash}.")


def _complaint(verdict: Verdict) -> str:
    """What is wrong, in words."""
    line = verdict.line
    if verdict.flaw is None:
        return (
            f"Its {verdict.lines:,} lines fit together, but none has that hash: the newest were cut"
            " off, or all was written anew."
        )
    words = {
        Flaw.ALTERED: f"Line {line} was altered.",
        Flaw.MISSING: f"Line {line} is missing.",
        Flaw.OUT_OF_ORDER: f"Line {line} is out of order: it stands at {verdict.stands_at}.",
    }
    return f"{words[verdict.flaw]} The {verdict.lines:,} before it are sound."


def list_audit(
    config: Config,
    by: str | None,
    action: str | None,
    since: str | None,
    limit: int,
    before: int | None,
    reveal: tuple[str, str] | None,
    as_json: bool,
) -> None:
    """The lines, newest first; reveal: who wants whole phones and documents, and why."""
    url, zone = config.store.url, law_in_force(config).zone
    wanted = Wanted(by, action, from_us=None if since is None else since_us(since, zone))
    try:
        lines = audit.lines(url, limit, wanted, before)
        if reveal is not None:
            who, reason = reveal
            audit.note(url, now_us(), who, "audit_reveal", f"{len(lines)} lines", reason)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    if as_json:
        print_json(
            [{**line._asdict(), "about": _about(line, reveal is not None)} for line in lines]
        )
        return
    for line in lines:
        about = _about(line, reveal is not None)
        what = " ".join(filter(None, (line.action, line.subject, f"({about})" if about else "")))
        why = f": {line.reason}" if line.reason else ""
        click.echo(f"{line.id:>8}  {told(line.at_us, zone)}  {line.who}  {what}{why}")
    if not lines:
        click.echo("No such line.")


def _about(line: AuditLine, revealed: bool) -> str:
    """A phone or document, or its end."""
    if line.about is None:
        return "erased"
    if revealed or not line.about:
        return line.about
    return f"…{line.about[-_LETTERS_SHOWN:]}"
