"""The process that studies, run as the daemon runs it, and candidate policies for it."""

import json
import subprocess
from pathlib import Path
from typing import Any

import rules
from smsd.desk.study.child import COMMAND
from smsd.desk.study.job import Job, job_line

POLICY_FILE = Path(rules.__file__).parent / "policies" / "8103.toml"
LONGER = ('value = 120, source = "seed', 'value = 180, source = "seed')
_CASE = (
    '[[tests]]\ntitle = "?"\nat = 2020-05-01T00:00:00\ntext = "?"\nexpect = { reason = "empty" }\n'
)
_WAIT_S = 60.0


def candidate(*changes: tuple[str, str]) -> str:
    """8103 with changes, and with one test instead of its own, which know the rules as they are."""
    text = POLICY_FILE.read_text(encoding="utf-8")
    text = text[: text.index("[[tests]]")]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text + _CASE


def begin(job: Job) -> "subprocess.Popen[bytes]":
    """The process, told its job; its standard input stays open."""
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(job_line(job))
    process.stdin.flush()
    return process


def finish(process: "subprocess.Popen[bytes]") -> list[tuple[str, Any]]:
    """Every line that it says until it ends by itself: the word, and the data."""
    assert process.stdout is not None
    with process.stdout:
        lines = process.stdout.read().splitlines()
    assert process.wait(_WAIT_S) == 0, process.returncode
    assert process.stdin is not None
    process.stdin.close()
    said = []
    for line in lines:
        word, _, data = line.partition(b" ")
        said.append((word.decode(), json.loads(data)))
    return said


def found(job: Job) -> dict[str, Any]:
    """What it finds."""
    *_, (word, data) = finish(begin(job))
    assert word == "found", data
    return dict(data)
