"""`python -m smsd.desk.audit_walk URL LIMIT_S [HASH]`: verify the audit beside the daemon.

A long chain takes minutes of a core: a process of its own, which gives way to phones. It ends when
standard input does: whoever asked is gone then.
"""

import json
import os
import signal
import sys

from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue

from smsd.desk.orphans import end_with_the_daemon
from storage.audit_proof import Flaw, Verdict, verify

__all__ = ["WalkFailed", "walk"]

_NICE = 19


class WalkFailed(Exception):
    """The audit could not be walked to its end: the store cannot be read, or it took too long."""


async def walk(reactor: object, url: str, limit_s: float, noted: str) -> Verdict:
    """See `storage.audit_proof.verify`, done by another process. noted: empty: none.

    Raises:
        WalkFailed
    """
    module = "smsd.desk.audit_walk"
    command = ("-m", module, url, str(round(limit_s)), *((noted,) if noted else ()))
    ended: Deferred[tuple[bytes, bytes, int]] = getProcessOutputAndValue(
        sys.executable, command, env=dict(os.environ), reactor=reactor
    )
    said, _, code = await ended.addErrback(lambda _killed: (b"", b"", 1))
    if code:
        raise WalkFailed
    lines, hash_, flaw, *rest = json.loads(said)
    return Verdict(lines, hash_, None if flaw is None else Flaw(flaw), *rest)


def main(url: str, limit_s: str, noted: str | None = None) -> None:
    """Walk, and say the verdict as JSON."""
    os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon's, who tells us by its end
    end_with_the_daemon()
    signal.signal(signal.SIGALRM, lambda _signal, _frame: sys.exit(1))
    signal.alarm(int(limit_s))
    sys.stdout.write(json.dumps(verify(url, noted)))


if __name__ == "__main__":
    main(*sys.argv[1:])
