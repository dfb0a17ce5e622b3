"""Structured logs on standard error: JSON lines for machines, colours for a terminal.

No line carries a phone number, a document number or the text of an SMS.
"""

import logging
import sys
import traceback
from contextlib import suppress
from typing import Any, cast

import structlog
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogBeginner
from twisted.python.failure import Failure
from zope.interface import provider


def configure(level: str, style: str) -> None:
    """Send every log line of the daemon, and Twisted's own complaints, to standard error."""
    coloured = style == "console" or (style == "auto" and sys.stderr.isatty())
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_without_message),
    ]
    if coloured:
        processors.append(structlog.dev.ConsoleRenderer())
    else:
        processors.append(structlog.processors.JSONRenderer(ensure_ascii=False))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=cast(Any, _StandardError())),
        cache_logger_on_first_use=True,
    )
    globalLogBeginner.beginLoggingTo([_observe_twisted], redirectStandardIO=False)


class _StandardError:
    """Where lines go. One that cannot be written is lost: a full disk must not stop the work."""

    def write(self, text: str) -> None:
        """Take a line."""
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        """Pass on what was taken; what cannot be passed on is tried again with the next line."""
        with suppress(OSError):
            sys.stderr.flush()


def _without_message(exc_info: structlog.typing.ExcInfo) -> str:
    """Where it happened and of what kind it was.

    Neither the exception's message nor local variables: they may quote an SMS.
    """
    kind, _, trace = exc_info
    return "".join(traceback.format_tb(trace)) + kind.__qualname__


@provider(ILogObserver)
def _observe_twisted(event: LogEvent) -> None:
    """Pass on what Twisted calls critical: an exception that nobody handled."""
    if cast(Any, event.get("log_level")) is not LogLevel.critical:
        return
    failure = event.get("log_failure") or event.get("failure")  # as log.err() has it
    log = structlog.get_logger("smsd.twisted")
    if isinstance(failure, Failure) and failure.type is not None and failure.value is not None:
        exc_info = (failure.type, failure.value, failure.getTracebackObject())
        log.critical("unhandled_error", exc_info=exc_info)
    else:
        log.critical("unhandled_error")
