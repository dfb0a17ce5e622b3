"""The chosen parts, one after the other on one machine; what cannot be had says why."""

from collections.abc import Callable, Collection
from pathlib import Path
from subprocess import SubprocessError
from typing import Any, NamedTuple, TypeVar

from rich.progress import Progress

from benchmarks import dashboards, gateway, grown_store, overload, rates, restart, slow_smsc
from benchmarks import register as registers
from benchmarks.driver import CannotMeasure, compile_driver
from benchmarks.register import LookUp
from benchmarks.sizes import Part, Sizes
from smsd.tools.output import progress_bar

_EXPECTED_RATE = 20_000.0  # of smsd, where it was not measured before

Value = TypeVar("Value")


class Missing(NamedTuple):
    """A part that could not be measured."""

    reason: str


class Registered(NamedTuple):
    """The register: seconds of its import, and how long look-ups take."""

    import_s: float
    look_ups: list[LookUp]


Found = dict[Part, Any]
"""What each part that was asked for found; `Missing`: it could not be had."""


class _Ground(NamedTuple):
    """What all parts stand on."""

    register: Path
    import_s: float
    sizes: Sizes
    runs: int
    bar: Progress


def measure(parts: Collection[Part], sizes: Sizes, runs: int, folder: Path) -> Found:
    """Import the register, which all parts share, and run each part on it."""
    register, import_s = registers.import_people(folder, sizes.people)  # it has a bar of its own
    found: Found = {}
    with progress_bar() as bar:
        ground = _Ground(register, import_s, sizes, runs, bar)
        if Part.REGISTER in parts:
            found[Part.REGISTER] = _attempt(lambda: _registered(ground))
        driver = _attempt(lambda: compile_driver(folder))
        if isinstance(driver, Missing):
            found |= {part: driver for part in parts if part not in (Part.REGISTER, Part.RESTART)}
        else:
            found |= _flooded(parts, ground, driver)
        if Part.RESTART in parts:
            found[Part.RESTART] = _attempt(lambda: _restarted(ground))
    return found


def _flooded(parts: Collection[Part], ground: _Ground, driver: Path) -> Found:
    """The parts that need the driver."""
    found = _rates(parts, ground, driver)
    if Part.OVERLOAD in parts:
        own = [rate for rate in found.get(Part.RATES, []) if rate.gateway == rates.SMSD]
        known = [rate.median for rate in own if not rate.absent]
        expected = max(known, default=_EXPECTED_RATE)
        found[Part.OVERLOAD] = _attempt(lambda: _overloaded(ground, driver, expected))
    if Part.SLOW_SMSC in parts:
        found[Part.SLOW_SMSC] = _attempt(lambda: _slowed(ground, driver))
    if Part.DASHBOARDS in parts:
        found[Part.DASHBOARDS] = _attempt(lambda: _watched(ground, driver))
    if Part.STORED in parts:
        found[Part.STORED] = _attempt(lambda: _stored(ground, driver))
    return found


def _rates(parts: Collection[Part], ground: _Ground, driver: Path) -> Found:
    register, sizes, bar = ground.register, ground.sizes, ground.bar
    contenders = {
        Part.RATES: rates.closed_loops(driver, register, sizes.messages, sizes.people),
        Part.LATENCY: [rates.paced(driver, register, sizes.paced, sizes.people)],
    }
    chosen = {part: own for part, own in contenders.items() if part in parts}
    if not chosen:
        return {}
    everyone = [contender for own in chosen.values() for contender in own]
    task = bar.add_task("rates", total=len(everyone) * ground.runs)

    def begun(name: str) -> None:
        bar.update(task, description=name, advance=1)

    measured = iter(rates.measure(everyone, ground.runs, begun))
    return {part: [next(measured) for _ in own] for part, own in chosen.items()}


def _registered(ground: _Ground) -> Registered:
    return Registered(ground.import_s, registers.look_up(ground.register, ground.sizes.people))


def _overloaded(ground: _Ground, driver: Path, expected: float) -> overload.Overload:
    seconds = ground.sizes.overload_s
    ground.bar.add_task(f"overload, twice {seconds:g} s", total=None)
    return overload.measure(driver, ground.register, ground.sizes.people, seconds, expected)


def _slowed(ground: _Ground, driver: Path) -> slow_smsc.SlowSmsc:
    ground.bar.add_task("an SMSC that answers late", total=None)
    load = rates.closed_load(ground.sizes.messages, gateway.WINDOW, ground.sizes.people)
    return slow_smsc.measure(driver, ground.register, load, ground.runs)


def _watched(ground: _Ground, driver: Path) -> dashboards.Watched:
    ground.bar.add_task("with and without open dashboards", total=None)
    # Long enough for a dozen turns, and each of them for several snapshots.
    messages = dashboards.FLOODS * ground.sizes.messages
    load = rates.closed_load(messages, gateway.WINDOW, ground.sizes.people)
    return dashboards.measure(driver, ground.register, load)


def _stored(ground: _Ground, driver: Path) -> grown_store.Grown:
    sizes = ground.sizes
    load = rates.closed_load(sizes.messages, gateway.WINDOW, sizes.people)
    written = _written(ground.bar, "a store with a past, and runs on it", sizes.stored)
    return grown_store.measure(driver, ground.register, load, sizes.stored, ground.runs, written)


def _restarted(ground: _Ground) -> restart.Restarted:
    permits, unsent = ground.sizes.permits, ground.sizes.unsent
    written = _written(ground.bar, "permits of today, SIGKILL, restart", permits)
    return restart.measure(ground.register, permits, unsent, written)


def _written(bar: Progress, name: str, total: int) -> Callable[[int], None]:
    """A bar for a part that tells how many messages it has written."""
    task = bar.add_task(name, total=total)
    return lambda done: bar.update(task, completed=done)


def _attempt(part: Callable[[], Value]) -> Value | Missing:
    """A part that fails costs its own figures and no others."""
    try:
        return part()
    except (CannotMeasure, SubprocessError, OSError) as fault:
        return Missing(str(fault) or type(fault).__name__)
