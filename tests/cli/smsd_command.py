"""`smsd` as people type it: in this process where that is enough, else in one of its own."""

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from smsd.cli import main

WAIT_S = 30.0


def smsd(*arguments: str | Path, env: dict[str, str] | None = None) -> Result:
    """Exit code and output of a command; a traceback fails the test."""
    result = CliRunner().invoke(main, [str(each) for each in arguments], env=env)
    assert result.exception is None or isinstance(result.exception, SystemExit), result
    return result


def smsd_process(
    *arguments: str | Path, cwd: Path | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """The same from a shell's view; for whatever needs a reactor or a folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", "smsd", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=WAIT_S,
        check=False,
    )
