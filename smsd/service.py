"""`smsd run`: one process, one reactor, one daemon, from start to exit code."""

import signal
from pathlib import Path
from typing import Any

import structlog
from twisted.python.failure import Failure

from smsd import logs
from smsd.cli_options import EXIT_CONFIG, EXIT_FAILED
from smsd.config import Config
from smsd.gateway.clock import RehearsalClock, SystemClock, install_monotonic_reactor

_log = structlog.get_logger("smsd")


def run_until_signal(config: Config, clock_offset_file: Path | None) -> int:
    """Run the daemon until SIGTERM or SIGINT; returns the exit code."""
    # Until there is something to reload; a start reads the outboxes from disk anyway.
    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    logs.configure(config.log.level, config.log.format)
    reactor: Any = install_monotonic_reactor()
    from smsd.daemon import CannotStart, Daemon  # after the reactor, or Twisted installs its own

    clock = SystemClock()
    if clock_offset_file is not None:
        clock = RehearsalClock(clock_offset_file)
        _log.warning("rehearsal_clock", file=str(clock_offset_file), meaning="not for production")
    try:
        daemon = Daemon(config, reactor, clock)
    except CannotStart as fault:
        for reason in str(fault).splitlines():  # each mistake of a file, where it can be read
            _log.error("cannot_start", reason=reason)
        return EXIT_CONFIG if fault.bad_configuration else EXIT_FAILED
    exit_code = 0

    def failed(failure: Failure) -> None:
        nonlocal exit_code
        exit_code = EXIT_FAILED
        reason = failure.getErrorMessage() if failure.check(CannotStart) else failure.getTraceback()
        _log.error("cannot_start", reason=reason)
        reactor.stop()

    def reload(_signal: int, _frame: object) -> None:
        reactor.callFromThread(daemon.reload_policy)

    def look(_signal: int, _frame: object) -> None:
        reactor.callFromThread(daemon.look_on_disk)

    def started(_result: None) -> None:
        signal.signal(signal.SIGHUP, reload)
        # Not SIGHUP: whoever sends a reply again does not mean to change the law.
        signal.signal(signal.SIGUSR1, look)

    reactor.callWhenRunning(lambda: daemon.start().addCallbacks(started, failed))
    reactor.addSystemEventTrigger("before", "shutdown", daemon.stop)
    reactor.run()
    return exit_code
