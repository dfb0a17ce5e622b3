"""`smsd registry import`."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

import rules
from smsd.config import Config
from smsd.tools.output import ToolRefused, print_json, progress_bar
from storage.registry import PROBLEMS_MAX, ImportRefused, import_csv
from storage.store import StoreError

__all__ = ["import_register"]


def import_register(
    config: Config, policy: rules.CompiledPolicy, file: Path, as_json: bool
) -> None:
    """Replace the register by the rows of `file`; raises `ToolRefused` naming every bad line."""
    target = config.register_.file

    def canonical(printed: str) -> str | None:
        document = policy.grammar.parse_document(printed)
        return document.text if document else None

    today = datetime.now(tz=ZoneInfo(policy.zone)).date()
    try:
        with (
            progress_bar() as progress,
            file.open(encoding="utf-8", errors="surrogateescape", newline="") as source,
        ):
            task = progress.add_task(f"importing {file.name}", total=_rows(file))
            rows = import_csv(
                source,
                target,
                canonical,
                today,
                lambda done: progress.update(task, completed=done),
            )
    except ImportRefused as refused:
        lines = [f"{file}:{problem.line}: {problem.message}" for problem in refused.problems]
        if len(lines) >= PROBLEMS_MAX:
            lines.append(f"The rest was not read, after {PROBLEMS_MAX} bad lines.")
        raise ToolRefused("\n".join([*lines, "Nothing was imported."])) from refused
    except StoreError as fault:
        raise ToolRefused(f"Nothing was imported: {fault}.") from fault
    except OSError as fault:
        raise ToolRefused(f"{file}: cannot be read ({fault.strerror})") from fault
    if as_json:
        print_json({"documents": rows, "register": str(target)})
    else:
        click.echo(f"{rows} {'document' if rows == 1 else 'documents'} imported into {target}.")


def _rows(file: Path) -> int | None:
    """How many rows to expect; None for a pipe, which can be read only once."""
    if not file.is_file():
        return None
    with file.open("rb") as counting:
        return max(0, sum(1 for _ in counting) - 1)
