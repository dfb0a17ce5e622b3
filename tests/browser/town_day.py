"""A day of a town, invented and the same each time, for pictures of the desk that show something."""

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
NOW = time(16, 20)  # of that day, when the pictures are taken
SMSCS = ("caspian", "shirvan")

_SEED = 8103
_TEXTS_PER_S = 30
_PAST = timedelta(hours=26)
_STEP = timedelta(minutes=1)
_US_PER_S = 1_000_000


def move_to(desk: OpenDesk, at: time) -> None:
    """Make it so late on DAY."""
    desk.move_clock((datetime.combine(DAY, at, ZONE) - datetime.now(UTC)).total_seconds())


def import_register(desk: OpenDesk) -> None:
    """Who lives there."""
    people = desk.config.with_name("people.csv")
    people.write_text(register_csv() + townspeople_csv(), encoding="utf-8")
    command = [sys.executable, "-m", "smsd", "registry", "import", str(people)]
    subprocess.run([*command, "--config", str(desk.config)], check=True, capture_output=True)


def converse(desk: OpenDesk) -> None:
    """The demo's conversation, at its times of day."""
    for line in conversation(DAY):
        move_to(desk, time.fromisoformat(line.at))
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
    begin = datetime.combine(DAY, NOW, ZONE) - _PAST
    steps = _PAST // _STEP - 1
    past = []
    for step in range(steps):
        at = begin + step * _STEP
        past.append((round(at.timestamp()), _scaled(pattern, _busy(at) * chance.gauss(1, 0.06))))
    add(desk.url, past, tiers)


def _busy(at: datetime) -> float:
    """How much a town texts at an hour, its busiest about 1: little at night, most at noon."""
    hour = at.hour + at.minute / 60
    day = math.exp(-(((hour - 12) / 3.2) ** 2)) + 0.55 * math.exp(-(((hour - 18.5) / 2) ** 2))
    return 0.04 + day


def _scaled(sample: Sample, share: float) -> Sample:
    """So much of what a sample says, in a step."""
    more = _STEP.total_seconds() * 1_000 / sample.watched_ms * max(share, 0.02)
    return Sample(
        round(_STEP.total_seconds() * 1_000),
        {name: round(count * more) for name, count in sample.counts.items()},
        {name: [round(n * more) for n in counts] for name, counts in sample.buckets.items()},
        {name: [value * share for value in values] for name, values in sample.gauges.items()},
    )
