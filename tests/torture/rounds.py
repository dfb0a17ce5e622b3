"""Rounds of torture: flood, kill or cut, start again, wait until all is quiet, examine."""

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "daemon"))

from daemon_process import Daemon, smsc_section, write_config
from invariants import ANSWERED, Broken, Examiner
from power import CutDisk
from storm_smsc import Storm

_SABOTAGE = Path(__file__).with_name("sabotage.py")
_SMS_MAX = 1_200
_START_MAX_S = 0.4
_LITTLE_LATER_MAX_S = 0.01
_CLOSE_LOOK_ROUNDS = 50


class Survived(NamedTuple):
    """What was gone through without a broken invariant."""

    rounds: int
    acknowledged: int
    replies: int


class Torture:
    """One store, one ledger, many deaths. A context manager."""

    def __init__(
        self, folder: Path, seed: int, fault: str | None = None, patience_s: float = 30.0
    ) -> None:
        """`folder` holds the store; `fault` is one of `sabotage.FAULTS`.

        The configuration lies beside it in a folder of its own, where no power is cut.
        """
        self._patience_s = patience_s
        self._rng = random.Random(seed)
        self._fault = fault
        self._folder = folder
        self._storm = Storm(self._rng)
        ledger = self._storm.ledger
        self._examiner = Examiner(folder / "smsd.db", ledger)
        self._daemon: Daemon | None = None
        self._writer_pid = 0

    def __enter__(self) -> "Torture":
        self._config = self._write_config()
        return self

    def __exit__(self, *_: object) -> None:
        self._kill("both")
        self._storm.__exit__()

    def _write_config(self) -> Path:
        sections = [smsc_section(smsc.port, name) for name, smsc in self._storm.smscs.items()]
        beside = self._folder.with_name(self._folder.name + "-config")
        beside.mkdir(exist_ok=True)
        return write_config(beside, sections, store=self._folder / "smsd.db")

    def kill_rounds(self, rounds: int, on_round: Callable[[Survived], None]) -> Survived:
        """SIGKILL to the daemon, its writer or both, at random instants."""
        for number in range(1, rounds + 1):
            self._start()
            self._flood()
            self._kill(self._rng.choice(["daemon", "writer", "both"]))
            self._recover()
            if number % _CLOSE_LOOK_ROUNDS == 0 or number == rounds:
                self._examiner.examine_closely(self._config)
            on_round(self._survived(number))
        return self._survived(rounds)

    def cut_rounds(
        self, disk: CutDisk, rounds: int, on_round: Callable[[Survived], None]
    ) -> Survived:
        """The power of the disk under the store goes away at random instants."""
        for number in range(1, rounds + 1):
            self._start()
            self._flood()
            disk.cut()
            self._kill("both")
            self._storm.run_until(lambda: not self._any_link(), self._patience_s)
            disk.mount_again()
            self._recover()
            if number == rounds:
                self._examiner.examine_closely(self._config)
            on_round(self._survived(number))
            self._kill("both")
        return self._survived(rounds)

    def _survived(self, rounds: int) -> Survived:
        ledger = self._storm.ledger
        return Survived(rounds, ledger.acknowledged_count, ledger.submitted.total())

    def _any_link(self) -> bool:
        return any(smsc.link for smsc in self._storm.smscs.values())

    def _start(self) -> None:
        """A daemon, unless the last round left one alive."""
        if self._daemon is not None and self._daemon.process.poll() is None:
            return
        self._storm.answering = True
        command = [str(_SABOTAGE), self._fault] if self._fault else ["-m", "smsd"]
        self._daemon = Daemon(self._config, program=command)
        self._writer_pid = self._daemon.wait_for("writer_started")["pid"]

    def _flood(self) -> None:
        """Text up to a random instant; now and then a link breaks or responses are withheld.

        The instant is a share of the flood that has been acknowledged: counted in seconds, most
        would fall behind the end of it, and how far behind would be the machine's choice. Only a
        start takes its time.
        """
        storm, rng = self._storm, self._rng
        count, before = rng.randint(1, _SMS_MAX), storm.ledger.acknowledged_count
        storm.text(count)
        if rng.random() < 0.25:  # an instant of the start, at which nothing is acknowledged yet
            storm.run_for(rng.uniform(0, _START_MAX_S))
            return
        withheld, end = sorted(before + rng.randint(0, count) for _ in range(2))
        storm.run_until(lambda: storm.ledger.acknowledged_count >= withheld, self._patience_s)
        storm.answering = rng.random() < 0.5
        if rng.random() < 0.2:
            storm.hang_up()
        storm.run_until(lambda: storm.ledger.acknowledged_count >= end, self._patience_s)
        storm.run_for(rng.uniform(0, _LITTLE_LATER_MAX_S))

    def _kill(self, victim: str) -> None:
        daemon = self._daemon
        if daemon is None:
            return
        pids = [daemon.process.pid] if daemon.process.poll() is None else []
        if victim != "daemon":
            pids.append(self._writer_pid)
        if victim == "writer":
            pids = [self._writer_pid]
        self._rng.shuffle(pids)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if victim == "writer":
            self._storm.answering = True
            self._storm.hang_up_all()  # else what is not answered waits for its timeout
            return
        daemon.wait()
        self._daemon = None

    def _recover(self) -> None:
        """Start again, deliver again, and look once every SMS is taken and every reply gone."""
        self._start()
        self._storm.answering = True
        storm, examiner = self._storm, self._examiner
        if not storm.run_until(lambda: storm.quiet and not examiner.unsent_count, self._patience_s):
            raise Broken(ANSWERED, examiner.unsent_count)
        if self._daemon is not None:
            for line in self._daemon.news():
                if line["event"] == "writer_started":
                    self._writer_pid = line["pid"]
        examiner.examine()
