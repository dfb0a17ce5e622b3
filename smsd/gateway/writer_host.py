"""Where the writer runs: in a thread of the daemon, or in a process beside it.

The process is for speed: rules and store get a core of their own instead of waiting for the
reactor to let go of the interpreter. The thread serves tests and machines with one core.
"""

import os
import queue
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog
from twisted.internet.interfaces import IReactorFromThreads, IReactorTime
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as WireProtocol
from twisted.python.failure import Failure

from smsd.gateway.adjudicate import Law
from smsd.gateway.writer import NOTHING, Batch, Done, Writer
from smsd.gateway.writer_wire import LENGTH, frame, pack_batch, unframe, unpack_done

_log = structlog.get_logger("smsd.writer")

_SOCKET_BYTES = 1 << 20  # a batch of a thousand SMS leaves in one piece
_END_S = 10.0  # a batch of the largest size takes a tenth of this on a slow disk

COMMAND = [sys.executable, "-m", "smsd.writer_process"]
"""What runs the process; followed by the descriptors of its socket and of the store's lock."""


class WriterHost(Protocol):
    """Takes batches in order, answers each once, in the same order, in the reactor's thread."""

    law: Law
    depth: int
    """How many batches it takes before the first is answered."""

    @property
    def pid(self) -> int | None:
        """The process in which it runs; None: in none now."""

    def start(self, on_done: Callable[[Done], None]) -> None:
        """Begin; tell `on_done` what became of each batch."""

    def send(self, batch: Batch) -> None:
        """Write this after those before it."""

    def change_law(self, law: Law) -> None:
        """Decide by another law from the next batch on."""

    def stop(self) -> None:
        """Finish what was sent, without telling, and let go of the store."""


class ThreadReactor(IReactorTime, IReactorFromThreads):
    """What a lane with its writer in a thread needs of a reactor."""


class ThreadHost:
    """The writer in a thread."""

    depth = 1

    def __init__(self, reactor: IReactorFromThreads, writer: Writer) -> None:
        self._reactor = reactor
        self._writer = writer
        self._work: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._on_done: Callable[[Done], None] = lambda _done: None
        self._thread = threading.Thread(target=self._write_until_told, name="smsd-writer")

    @property
    def pid(self) -> int | None:
        """See `WriterHost.pid`."""
        return os.getpid()

    @property
    def law(self) -> Law:
        """See `WriterHost.law`."""
        return self._writer.law

    def start(self, on_done: Callable[[Done], None]) -> None:
        """See `WriterHost.start`."""
        self._on_done = on_done
        self._thread.start()

    def send(self, batch: Batch) -> None:
        """See `WriterHost.send`."""
        self._work.put(batch)

    def change_law(self, law: Law) -> None:
        """See `WriterHost.change_law`."""
        self._writer.law = law

    def stop(self) -> None:
        """See `WriterHost.stop`."""
        self._work.put(None)
        self._thread.join()
        self._writer.close()

    def _write_until_told(self) -> None:
        while (batch := self._work.get()) is not None:
            done = self._writer.write(batch)
            self._reactor.callFromThread(self._on_done, done)


class ProcessSettings(NamedTuple):
    """What the writer process must know. lock_fd: the store's lock, held by both processes."""

    url: str
    register_file: Path | None
    log_level: str
    log_style: str
    lock_fd: int


class ProcessHost:
    """The writer in a process; started again by the next batch when it ended by itself."""

    depth = 2  # one under way, one at hand: neither process waits for the other

    def __init__(self, reactor: Any, settings: ProcessSettings, law: Law) -> None:
        self._reactor = reactor
        self._settings = settings
        self.law = law
        self._on_done: Callable[[Done], None] = lambda _done: None
        self._under_way: deque[Batch] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._wire: _Wire | None = None

    @property
    def pid(self) -> int | None:
        """See `WriterHost.pid`."""
        return self._process.pid if self._process is not None and self._wire is not None else None

    def start(self, on_done: Callable[[Done], None]) -> None:
        """See `WriterHost.start`."""
        self._on_done = on_done
        self._spawn()

    def send(self, batch: Batch) -> None:
        """See `WriterHost.send`."""
        if self._wire is None:
            self._spawn()
        self._under_way.append(batch)
        self._tell(("batch", pack_batch(batch)))

    def change_law(self, law: Law) -> None:
        """See `WriterHost.change_law`."""
        self.law = law
        if self._wire is not None:
            self._tell(("law", _sources(law)))

    def stop(self) -> None:
        """See `WriterHost.stop`."""
        wire, self._wire = self._wire, None
        if wire is None or self._socket is None or self._process is None:
            return
        self._socket.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            _log.error("writer_hangs", action="killed; what it had committed stays")
            self._process.kill()
            self._process.wait()
        wire.leave()
        self._socket.close()

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        for each in (ours, theirs):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
        lock_fd = self._settings.lock_fd
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*COMMAND, str(theirs.fileno()), str(lock_fd)],
                pass_fds=(theirs.fileno(), lock_fd),
                stdin=subprocess.DEVNULL,
            )
        ours.setblocking(False)
        self._socket = ours
        self._wire = wire = _Wire(self._answered, self._lost)
        factory = Factory.forProtocol(lambda: wire)
        factory.noisy = False
        self._reactor.adoptStreamConnection(ours.fileno(), socket.AF_UNIX, factory)
        url, register_file, level, style, _ = self._settings
        register = str(register_file) if register_file else None
        self._tell((level, style, url, register, _sources(self.law)))
        _log.info("writer_started", pid=self._process.pid)

    def _tell(self, value: object) -> None:
        assert self._wire is not None
        self._wire.write(frame(value))

    def _answered(self, value: object) -> None:
        self._under_way.popleft()
        self._on_done(unpack_done(value))

    def _lost(self) -> None:
        """The process is gone, and with it the word on what it had; that may be stored or not."""
        if self._wire is None:
            return  # told to
        self._wire = None
        assert self._process is not None
        assert self._socket is not None
        self._socket.close()
        self._process.kill()
        code = self._process.wait()
        _log.error("writer_ended", exit_code=code, batches=len(self._under_way))
        fault = f"the writer process ended (exit code {code}); it is started again"
        lost, self._under_way = self._under_way, deque()
        for batch in lost:
            self._on_done(Done(None, NOTHING, [], [fault for _ in batch.reads], fault, 0.0))


class _Wire(WireProtocol):
    """Frames from the writer process."""

    transport: Any = None

    def __init__(self, on_frame: Callable[[object], None], on_end: Callable[[], None]) -> None:
        self._on_frame = on_frame
        self._on_end = on_end
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = LENGTH.size

    def write(self, octets: bytes) -> None:
        """Send a frame."""
        self.transport.write(octets)

    def leave(self) -> None:
        """Close this end."""
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        """Octets; joined only once a frame is whole, so that long frames stay linear."""
        self._pieces.append(data)
        self._held += len(data)
        while self._held >= self._wanted:
            octets = b"".join(self._pieces)
            end = LENGTH.size + LENGTH.unpack_from(octets)[0]
            if len(octets) < end:
                self._pieces, self._wanted = [octets], end
                return
            rest = octets[end:]
            self._pieces, self._held, self._wanted = [rest], len(rest), LENGTH.size
            self._on_frame(unframe(octets[LENGTH.size : end]))

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override] # noqa: N802
        """The process ended."""
        self._on_end()


def _sources(law: Law) -> tuple[str, str | None]:
    return law.policy.source, law.candidate.source if law.candidate is not None else None
