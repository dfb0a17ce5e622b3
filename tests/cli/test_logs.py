"""The log: one JSON object a line on standard error, whatever goes wrong."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from smsd_command import smsd_process

UNHANDLED = """\
import gc
from twisted.internet import defer
from smsd import logs
logs.configure("error", "json")
lost = defer.fail(ValueError("first line\\nsecond line"))
del lost
gc.collect()
"""
MET_BY_THE_REACTOR = """\
from twisted.python import log
from smsd import logs
logs.configure("error", "json")
try:
    raise ValueError("first line\\nsecond line")
except ValueError:
    log.err()
"""
EVENTS = """\
import structlog
from smsd import logs
logs.configure("{level}", "{style}")
log = structlog.get_logger("smsd")
log.debug("a"), log.info("b", text="ə\\nы", path=logs), log.warning("c"), log.error("d")
"""


def stderr_of(program: str) -> str:
    """What a Python program writes to standard error; nothing may come on standard output."""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, encoding="utf-8"
    )
    assert result.stdout == ""
    return result.stderr


def as_events(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def test_every_line_of_a_daemon_is_json_on_standard_error(config: Path) -> None:
    """From its first word to its last; standard output stays empty."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = smsd_process("run", "--config", config, SMSD_DESK__LISTEN=address)
    assert result.stdout == ""
    events = as_events(result.stderr)
    assert events
    for event in events:
        assert {"event", "level", "timestamp"} <= event.keys()
        assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize("program", [UNHANDLED, MET_BY_THE_REACTOR])
def test_an_error_that_nobody_handled_is_one_line(program: str) -> None:
    """Twisted's last resort comes out in the same form: where and what kind, never the message.

    The message, or a local variable, could quote a citizen's SMS.
    """
    events = as_events(stderr_of(program))
    assert events
    assert {event["event"] for event in events} == {"unhandled_error"}
    assert {event["level"] for event in events} == {"critical"}
    told = "".join(event.get("exception", "") for event in events)
    assert "ValueError" in told
    assert "second line" not in told


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_logged_exception_shows_neither_message_nor_variables(style: str) -> None:
    """Also on a terminal, where structlog would print every local variable."""
    program = f"""
import structlog
from smsd import logs
logs.configure("info", {style!r})
def fail(phone):
    raise KeyError(phone)
try:
    fail("9945" + "00000001")
except KeyError:
    structlog.get_logger("smsd").exception("batch_failed")
"""
    log = stderr_of(program)
    assert "KeyError" in log
    assert "in fail" in log
    assert "994500000001" not in log


@pytest.mark.parametrize(
    ("level", "expected"), [("debug", "abcd"), ("info", "bcd"), ("warning", "cd"), ("error", "d")]
)
def test_the_level_says_from_where_on_lines_are_written(level: str, expected: str) -> None:
    """Every level that the configuration allows."""
    events = as_events(stderr_of(EVENTS.format(level=level, style="json")))
    assert "".join(event["event"] for event in events) == expected


def test_a_line_holds_any_letters_and_any_value() -> None:
    """Native letters stay legible, a line end does not break the line, objects are shown."""
    log = stderr_of(EVENTS.format(level="info", style="json"))
    event = as_events(log)[0]
    assert event["text"] == "ə\nы"
    assert "smsd.logs" in event["path"]
    assert "ə" in log


def test_without_a_terminal_auto_means_json_and_console_means_words() -> None:
    """A person may still ask for the other form."""
    assert as_events(stderr_of(EVENTS.format(level="error", style="auto")))
    with pytest.raises(ValueError, match="Expecting value"):
        as_events(stderr_of(EVENTS.format(level="error", style="console")))
