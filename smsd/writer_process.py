"""The writer in a process of its own, so that rules and store have a core to themselves.

`python -m smsd.writer_process SOCKET LOCK`: two inherited file descriptors. The first
frame on the socket says which store, register and log; the next ones bring law and batches.
When the socket ends, whatever ended the daemon, the process finishes its batch and ends too.
"""

import gc
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import structlog

from rules import CompiledPolicy, compile_policy, parse_policy
from smsd import logs
from smsd.gateway.adjudicate import Law
from smsd.gateway.writer import Writer
from smsd.gateway.writer_wire import LENGTH, frame, pack_done, unframe, unpack_batch
from storage import Register, SqliteStore, StoreError

_log = structlog.get_logger("smsd.writer")

_GARBAGE_MIN = 50_000  # objects a round; a batch of a thousand SMS leaves no cycles to find


def serve(peer: socket.socket, lock_fd: int) -> None:
    """Write batches until the other end is gone."""
    stream = peer.makefile("rb", buffering=1 << 20)

    def receive() -> Any:
        head = stream.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        octets = stream.read(LENGTH.unpack(head)[0])
        return unframe(octets)

    opening = receive()
    if opening is None:
        return
    level, style, url, register_file, law_sources = opening
    logs.configure(level, style)
    try:
        store = SqliteStore(url, lock_fd=lock_fd)
    except StoreError as fault:
        _log.error("store_not_opened", reason=str(fault))
        return  # the daemon sees that, and starts another when it tries again
    register = Register(Path(register_file)) if register_file else None
    writer = Writer(store, register, _law(law_sources), time.monotonic)
    # What is there now stays: without this every full collection walks it again, 10 µs an SMS.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_MIN)
    try:
        while (message := receive()) is not None:
            kind, value = message
            if kind == "law":
                writer.law = _law(value)
            else:
                peer.sendall(frame(pack_done(writer.write(unpack_batch(value)))))
    except ConnectionError:
        pass  # the daemon is gone; what was committed is its successor's
    finally:
        writer.close()


def _law(sources: tuple[str, str | None]) -> Law:
    """The law from its sources, which the daemon has checked."""
    policy, candidate = sources
    return Law(_compiled(policy), _compiled(candidate) if candidate is not None else None)


def _compiled(source: str) -> CompiledPolicy:
    return compile_policy(parse_policy(source, "policy in force"), trial=False)


def main() -> None:
    """Serve on the inherited socket. Only its end ends this process: signals are the daemon's."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as peer:
        serve(peer, int(sys.argv[2]))


if __name__ == "__main__":
    main()
