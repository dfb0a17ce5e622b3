"""What is handed to the process that studies, and what it hands back, line by line."""

import json
from typing import Any, NamedTuple

__all__ = ["ExamineJob", "Job", "Progress", "StudyJob", "job_line", "job_of", "progress_of", "said"]

PROGRESS, FOUND, FAILED = b"progress", b"found", b"failed"
"""The word that a line of the process begins with; JSON follows."""


class ExamineJob(NamedTuple):
    """Find everything that is wrong with a policy file. name: what its problems call it."""

    name: str
    text: str


class StudyJob(NamedTuple):
    """Examine a policy, and find out what it changes of another and of recorded traffic.

    url: of the store with the traffic; now_us: it ends here, and begins with the day before.
    """

    url: str
    old: str
    new: str
    now_us: int


Job = ExamineJob | StudyJob
_KINDS: dict[str, type[ExamineJob] | type[StudyJob]] = {
    kind.__name__: kind for kind in (ExamineJob, StudyJob)
}


class Progress(NamedTuple):
    """How far a study is. step: what is being done; fraction: of all of it, from 0 to 1."""

    step: str
    fraction: float


def job_line(job: Job) -> bytes:
    """A job as the line that the process reads first."""
    return json.dumps([type(job).__name__, job._asdict()]).encode() + b"\n"


def job_of(line: bytes) -> Job:
    """The job of a line."""
    kind, values = json.loads(line)
    return _KINDS[kind](**values)


def said(word: bytes, data: Any) -> bytes:
    """A line of the process."""
    return word + b" " + json.dumps(data, ensure_ascii=False, default=str).encode() + b"\n"


def progress_of(octets: bytes) -> Progress:
    """The progress that a line tells, behind its word."""
    return Progress(*json.loads(octets))
