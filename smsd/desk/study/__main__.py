"""`python -m smsd.desk.study`: one job from standard input, its findings on standard output.

It ends when standard input does: whoever asked is gone then.
"""

import os
import signal
import sys
import traceback
from typing import Any

from smsd.desk.orphans import end_with_the_daemon
from smsd.desk.study.findings import examined, studied
from smsd.desk.study.job import (
    FAILED,
    FOUND,
    PROGRESS,
    ExamineJob,
    Job,
    Progress,
    StudyJob,
    job_of,
    said,
)

# Phones come first; but somebody sits before a form until his policy is examined.
_NICE: dict[type, int] = {ExamineJob: 10, StudyJob: 19}


def main() -> None:
    """Do the job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon's, who tells us by its end
    job = job_of(sys.stdin.buffer.readline())
    os.nice(_NICE[type(job)])
    end_with_the_daemon()
    try:
        found = _do(job)
    except Exception as fault:  # noqa: BLE001 - whatever it is, the page must say something
        # Without its message, in which an SMS might stand.
        place = traceback.extract_tb(fault.__traceback__)[-1]
        _say(FAILED, f"{type(fault).__name__} in {place.name}, line {place.lineno}")
        return
    _say(FOUND, found)


def _do(job: Job) -> dict[str, Any]:
    if isinstance(job, ExamineJob):
        return examined(job)
    return studied(job, lambda progress: _say(PROGRESS, progress))


def _say(word: bytes, data: Progress | dict[str, Any] | str) -> None:
    sys.stdout.buffer.write(said(word, data))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
