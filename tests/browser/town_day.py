"""A day of an invented town, so that pictures of the desk show something."""

import math
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from open_desk import OpenDesk

from simulators.control_client import ControlClient
from smsd.config import load_config
from smsd.demo.script import conversation, register_csv
from smsd.demo.town import texts, townspeople_csv
from storage.history import Sample, Tier, add, series

ZONE = ZoneInfo("Asia/Baku")
DAY = datetime(2026, 4, 9, tzinfo=ZONE).date()
BEGIN = time(8)  # of that day, when the daemon starts
NOW = time(16, 20)  # when the pictures are taken
SMSCS = ("caspian", "shirvan")

_SEED = 8103
_TEXTS_PER_S = 30
_PAST = timedelta(hours=26)
_STEP = timedelta(minutes=1)
_US_PER_S = 1_000_000


def until(at: time) -> float:
    """How many seconds from now it is so late on DAY."""
    return (datetime.combine(DAY, at, ZONE) - datetime.now(UTC)).total_seconds()


def import_register(desk: OpenDesk) -> None:
    """Who lives there."""
    people = desk.config.with_name("people.csv")
    people.write_text(register_csv() + townspeople_csv(), encoding="utf-8")
    command = [sys.executable, "-m", "smsd", "registry", "import", str(people)]
    subprocess.run([*command, "--config", str(desk.config)], check=True, capture_output=True)


def converse(desk: OpenDesk) -> None:
    """The demo's conversation, at its times of day."""
    for line in conversation(DAY):
        desk.move_clock(until(time.fromisoformat(line.at)))
        reply = desk.phones.text(line.phone, line.text).text
        assert reply == line.reply


@contextmanager
def texting(desk: OpenDesk) -> Iterator[None]:
    """While this lasts, the town texts to both operators."""
    ended = threading.Event()

    def text(phones: list[ControlClient]) -> None:
        for number, (phone, words) in enumerate(texts()):
            if ended.wait(1 / _TEXTS_PER_S):
                return
            phones[number % 3 == 0].send(phone, words)

    clients = [smsc.client() for smsc in desk.smscs.values()]
    thread = threading.Thread(target=text, args=(clients,))
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for client in clients:
            client.close()


def remember(desk: OpenDesk) -> None:
    """Give the desk a past: what its newest samples say, more or less of it by the hour."""
    tiers = [Tier(*each) for each in load_config(desk.config, {}).desk.dashboard.history_tiers]
    now_us = round(datetime.combine(DAY, NOW, ZONE).timestamp()) * _US_PER_S
    lately = series(desk.url, now_us - 60 * _US_PER_S, now_us + 600 * _US_PER_S, 400, tiers)
    pattern = max(filter(None, lately.samples), key=lambda sample: sum(sample.counts.values()))
    chance = random.Random(_SEED)
    now = datetime.combine(DAY, NOW, ZONE)
    past = []
    for step in range(_PAST // _STEP, 1, -1):
        at = now - step * _STEP
        past.append((round(at.timestamp()), _scaled(pattern, _busy(at) / _busy(now), chance)))
    add(desk.url, past, tiers)


def _busy(at: datetime) -> float:
    """How much a town texts at an hour, at noon about 1: little at night, more towards evening."""
    hour = at.hour + at.minute / 60
    noon, evening = math.exp(-(((hour - 12) / 3) ** 2)), math.exp(-(((hour - 17.5) / 2.5) ** 2))
    return 0.04 + noon + 0.8 * evening


def _scaled(sample: Sample, share: float, chance: random.Random) -> Sample:
    """So much of what a sample says, in a step; a little more or less, as it happens."""
    step_ms = round(_STEP.total_seconds() * 1_000)
    more = step_ms / sample.watched_ms * max(share * chance.gauss(1, 0.05), 0.02)
    return Sample(
        step_ms,
        {name: round(count * more) for name, count in sample.counts.items()},
        {
            name: [round(n * more * math.exp(chance.gauss(0, 0.3))) for n in counts]
            for name, counts in sample.buckets.items()
        },
        {name: [value * share for value in values] for name, values in sample.gauges.items()},
    )
