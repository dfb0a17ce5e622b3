"""The driver (driver.c): compiled, started, listened to."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

FIRST_DOCUMENT = 10_000_000
_SOURCE = Path(__file__).with_name("driver.c")
_RUN_MAX_S = 900


class CannotMeasure(Exception):
    """A figure cannot be had here; the message says why."""


class Load(NamedTuple):
    """What the driver does to a gateway. rate: SMS/s of an open loop; None: a closed loop.

    people: phones and documents are picked at random out of so many, from number `first` on.
    seconds: when an open loop stops to offer; None: when all messages are sent. enquire: an open
    loop sends an enquire_link each second too. respond_after_s: until a submit_sm of a closed loop
    has its response.
    """

    messages: int
    warm_up: int = 0
    window: int = 1_000
    rate: float | None = None
    people: int = 0
    first: int = 0
    seconds: float | None = None
    enquire: bool = False
    respond_after_s: float = 0.0

    def options(self) -> list[str]:
        """As the driver's command line."""
        words = [f"--messages={self.messages}", f"--warm-up={self.warm_up}"]
        words += [f"--window={self.window}", f"--people={self.people}"]
        words += [f"--first={self.first}", f"--enquire={int(self.enquire)}"]
        words += [f"--respond-after={self.respond_after_s}"]
        words += [f"--rate={self.rate}"] if self.rate else []
        words += [f"--seconds={self.seconds}"] if self.seconds else []
        return [part for word in words for part in word.split("=")]


class Result(NamedTuple):
    """What the driver saw after the warm-up, until it offered no more.

    refused: deliver_sm that were put off, by command_status. Counted until all was quiet:
    offered, sent (the rest waited with the SMSC), acknowledged, of these unanswered; replies that
    came twice; enquire_link sent, never answered, and the longest wait for an answer.
    """

    replies: int
    elapsed_s: float
    p50_s: float
    p95_s: float
    p99_s: float
    refused: dict[str, int]
    offered: int
    sent: int
    acknowledged: int
    unanswered: int
    twice: int
    enquired: int
    enquiries_lost: int
    enquiry_longest_s: float

    @property
    def rate(self) -> float:
        """Replies per second."""
        return self.replies / self.elapsed_s


def compile_driver(folder: Path) -> Path:
    """The driver's executable, in `folder`."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise CannotMeasure("no C compiler (Debian: gcc) for the SMSC")
    program = folder / "driver"
    command = [compiler, "-O2", "-D_GNU_SOURCE", "-o", str(program), str(_SOURCE)]
    subprocess.run(command, check=True)
    return program


class Driving:
    """A driver that listens on `port`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert process.stdout is not None
        self.port: int = json.loads(process.stdout.readline())["port"]

    def result(self) -> Result:
        """What it saw, once the gateway that bound has answered everything."""
        output, complaint = self._process.communicate(timeout=_RUN_MAX_S)
        if self._process.returncode:
            raise CannotMeasure(complaint.strip())
        return Result(**json.loads(output))


@contextmanager
def driving(program: Path, load: Load) -> Iterator[Driving]:
    """The driver, waiting for a gateway to bind."""
    command = [str(program), *load.options()]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield Driving(process)
        finally:
            process.kill()
