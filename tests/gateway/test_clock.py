"""The two clocks, and the one that rehearsals move."""

import time
from pathlib import Path

import pytest

from smsd.gateway.clock import RehearsalClock, SystemClock

AT_NS = 1_586_160_000_123_456_789
AT_US = AT_NS // 1_000


@pytest.fixture(autouse=True)
def standing_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's clocks show one instant."""
    monkeypatch.setattr(time, "time_ns", lambda: AT_NS)
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)


@pytest.fixture
def offset(tmp_path: Path) -> Path:
    """The file that holds the seconds."""
    return tmp_path / "offset"


def test_the_machines_clock_is_cut_to_microseconds() -> None:
    """Never rounded up: a message is not received in the future."""
    assert SystemClock().utc_us() == 1_586_160_000_123_456


def test_without_a_file_a_rehearsal_is_now(offset: Path) -> None:
    """Whoever rehearses may make the file later."""
    assert RehearsalClock(offset).utc_us() == AT_US


@pytest.mark.parametrize(
    ("text", "offset_us"),
    [
        ("3600", 3_600_000_000),
        ("-86400\n", -86_400_000_000),
        (" 0.5 ", 500_000),
        ("1e3", 1_000_000_000),
        ("0", 0),
    ],
)
def test_the_file_shifts_records_only(offset: Path, text: str, offset_us: int) -> None:
    """Seconds, signed, with a fraction; the monotonic clock stays."""
    offset.write_text(text)
    clock = RehearsalClock(offset)
    assert clock.utc_us() == AT_US + offset_us
    assert clock.monotonic() == 5.0


def test_the_hour_moves_while_the_daemon_runs(offset: Path) -> None:
    """The file is read each time: forward, back, and forward again."""
    clock = RehearsalClock(offset)
    for seconds in (60, -60, 7_200):
        offset.write_text(str(seconds))
        assert clock.utc_us() == AT_US + seconds * 1_000_000


@pytest.mark.parametrize(
    "octets",
    [b"", b"noon", b"1 2", b"\xff\xfe", b"nan", b"inf", b"-inf", b"1e400"],
    ids=repr,
)
def test_a_file_that_holds_no_number_changes_nothing(offset: Path, octets: bytes) -> None:
    """The last good number stands: a half-written file must not throw the daemon back to now."""
    clock = RehearsalClock(offset)
    offset.write_bytes(octets)
    assert clock.utc_us() == AT_US
    offset.write_text("60")
    assert clock.utc_us() == AT_US + 60_000_000
    offset.write_bytes(octets)
    assert clock.utc_us() == AT_US + 60_000_000


def test_a_file_that_goes_or_becomes_a_folder_changes_nothing(offset: Path) -> None:
    """The last good number stands until another one is written."""
    clock = RehearsalClock(offset)
    offset.write_text("60")
    assert clock.utc_us() == AT_US + 60_000_000
    offset.unlink()
    assert clock.utc_us() == AT_US + 60_000_000
    offset.mkdir()
    assert clock.utc_us() == AT_US + 60_000_000
