"""Structured logs on standard error: JSON lines for machines, colours for a terminal.

No line carries a phone number, a document number or the text of an SMS.
"""

import logging
import sys
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
    ]
    if coloured:
        processors.append(structlog.dev.ConsoleRenderer())
    else:
        processors += [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    globalLogBeginner.beginLoggingTo([_observe_twisted], redirectStandardIO=False)


@provider(ILogObserver)
def _observe_twisted(event: LogEvent) -> None:
    """Pass on what Twisted calls critical: an exception that nobody handled."""
    if cast(Any, event.get("log_level")) is not LogLevel.critical:
        return
    failure = event.get("log_failure")
    trace = failure.getTraceback(elideFrameworkCode=True) if isinstance(failure, Failure) else ""
    structlog.get_logger("smsd.twisted").critical("unhandled_error", traceback=trace)
