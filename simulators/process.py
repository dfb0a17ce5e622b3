"""A simulator in a process of its own, for tests and demos: started, ready, and stopped again."""

import re
import select
import subprocess
import sys
import time
from types import TracebackType
from typing import IO, Final, Self

from simulators.control_client import ControlClient

_READY: Final = re.compile(
    rb"listening on (?P<host>\S+):(?P<port>\d+)\n"
    rb"control on (?P<control_host>\S+):(?P<control_port>\d+)\n"
)


class SimulatorFailed(Exception):
    """The simulator did not get ready; its own words are on its stderr."""


class SmscProcess:
    """``smsd-sim smsc`` on free ports of loopback; a context manager, which stops it at the end.

    ``host`` and ``port`` are where an ESME binds, ``control_port`` where ``client()`` connects.
    ``options`` are more command-line options, as in ``("--retry-delay", "0.1")``. It logs to
    ``log``, else to our stderr.
    """

    def __init__(
        self,
        *options: str,
        port: int = 0,
        control_port: int = 0,
        ready_timeout_s: float = 30.0,
        log: IO[bytes] | None = None,
    ) -> None:
        """Start it, and return when it listens; SimulatorFailed when it does not."""
        # -m, not the console script: that need not be on the PATH of whoever starts us.
        command = [sys.executable, "-m", "simulators", "smsc"]
        addresses = ["--listen", f"127.0.0.1:{port}", "--control", f"127.0.0.1:{control_port}"]
        self._process = subprocess.Popen(  # noqa: S603 - our own program, and no shell
            [*command, *addresses, *options], stdout=subprocess.PIPE, stderr=log
        )
        try:
            ready = self._await_ready(time.monotonic() + ready_timeout_s)
        except BaseException:
            self.stop()
            raise
        self.host = ready["host"].decode()
        self.port = int(ready["port"])
        self.control_port = int(ready["control_port"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def client(self, timeout_s: float = 30.0) -> ControlClient:
        """A new control connection; close it, or use it in a ``with``."""
        return ControlClient("127.0.0.1", self.control_port, timeout_s)

    def terminate(self) -> None:
        """Ask it to unbind everybody and end (SIGTERM), without waiting for it."""
        self._process.terminate()

    def stop(self, timeout_s: float = 10.0) -> int:
        """Ask it to unbind everybody and end, kill it if it does not; its exit code."""
        self.terminate()
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            assert self._process.stdout is not None
            self._process.stdout.close()

    def kill(self) -> None:
        """End it as a crash would: no unbind, and what it held is lost."""
        self._process.kill()
        self._process.wait()

    def _await_ready(self, deadline: float) -> re.Match[bytes]:
        assert self._process.stdout is not None
        said = b""
        while not (ready := _READY.match(said)):
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not select.select([self._process.stdout], [], [], remaining)[0]:
                raise SimulatorFailed("the simulator does not listen in time")
            data = self._process.stdout.read1()  # type: ignore[attr-defined]  # it is buffered
            if not data:
                raise SimulatorFailed(f"the simulator ended with code {self._process.wait()}")
            said += data
        return ready
