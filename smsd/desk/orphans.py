"""A process that works for the daemon ends with it, however the daemon ended."""

import os
import threading

__all__ = ["end_with_the_daemon"]

_OCTETS = 4_096


def end_with_the_daemon() -> None:
    """From now on the end of standard input, which the daemon holds open, ends this process."""
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    # Not by sys.stdin, whose lock a thread must not hold when the interpreter ends.
    while os.read(0, _OCTETS):
        pass
    os._exit(1)
