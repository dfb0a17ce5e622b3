"""`smsd store backup, verify, stats`."""

from datetime import timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from smsd.config import Config
from smsd.tools.moments import now_us
from smsd.tools.output import ToolRefused, print_json, progress_bar
from storage import upkeep
from storage.store import StoreError

__all__ = ["back_up", "show_stats", "verify_store"]


def back_up(config: Config, file: Path, as_json: bool) -> None:
    """Copy the store into a new file."""
    try:
        with progress_bar() as progress:
            task = progress.add_task("copying pages", total=None)

            def copied(done: int, total: int) -> None:
                words = "checking the copy" if done == total else "copying pages"
                progress.update(task, description=words, completed=done, total=total)

            size = upkeep.back_up_store(config.store.url, file, copied)
    except StoreError as fault:
        raise ToolRefused(f"{fault}\nNothing was backed up.") from fault
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        click.echo(f"{file}: a whole copy of the store, {size:,} bytes, checked.")


def verify_store(config: Config, as_json: bool) -> None:
    """Count what must not be in the store."""
    try:
        with progress_bar() as progress:
            task = progress.add_task("", total=len(upkeep.CHECKS))

            def begins(check: str) -> None:
                number = list(upkeep.CHECKS).index(check)
                looking = f"looking for {upkeep.CHECKS[check]}"
                progress.update(task, description=looking, completed=number)

            found = upkeep.verify(config.store.url, begins)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    sound = not any(found.values())
    if as_json:
        print_json({"sound": sound, "found": found})
    else:
        for name, count in found.items():
            click.echo(f"{count:>9,}  {upkeep.CHECKS[name]}")
        if len(found) < len(upkeep.CHECKS):
            click.echo("The rest was not checked, since the file is damaged.")
    if not sound:
        raise ToolRefused("The store is not sound. Keep this file, and see your last backup.")
    if not as_json:
        click.echo("The store is sound.")


def show_stats(config: Config, as_json: bool) -> None:
    """How much the store holds."""
    try:
        found = upkeep.stats(config.store.url)
    except StoreError as fault:
        raise ToolRefused(str(fault)) from fault
    oldest_us = found.oldest_unsent_us
    age_s = None if oldest_us is None else max(0, now_us() - oldest_us) // 1_000_000
    if as_json:
        data = found._asdict()
        del data["oldest_unsent_us"]
        print_json({**data, "oldest_unsent_s": age_s})
        return
    table = Table("", "", show_header=False, box=None)
    table.columns[1].justify = "right"
    for name, count in found.rows.items():
        table.add_row(f"rows in {name}", f"{count:,}")
    table.add_section()
    table.add_row("bytes of the file", f"{found.file_bytes:,}")
    table.add_row("of these free for new rows", f"{found.free_bytes:,}")
    table.add_row("bytes of the write-ahead log", f"{found.wal_bytes:,}")
    table.add_row("replies that wait", f"{found.unsent:,}")
    waits = "–" if age_s is None else str(timedelta(seconds=age_s))
    table.add_row("the oldest of them since", waits)
    table.add_row("days (UTC)", f"{found.days:,}")
    table.add_row("schema", found.schema)
    Console().print(table)
