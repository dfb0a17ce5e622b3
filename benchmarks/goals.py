"""What is wanted of the gateway, and what came of it: a table of figures and their judges."""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any, NamedTuple

from benchmarks import dashboards
from benchmarks.dashboards import Watched
from benchmarks.grown_store import Grown
from benchmarks.measuring import Found, Missing, Registered
from benchmarks.overload import Overload
from benchmarks.rates import BARE_LOOP, KANNEL, KANNEL_SPOOL, SMSD, Rate, best
from benchmarks.restart import Restarted
from benchmarks.sizes import FULL, Part, Sizes, fraction
from benchmarks.slow_smsc import CEILING, SlowSmsc

_MB = 1.048576  # MB in a MiB


class Goal(NamedTuple):
    """One line of the table. met: None where there is no figure. size: full, or 1/10 of it."""

    figure: str
    wanted: str
    measured: str
    met: bool | None
    size: str


class _Outcome(NamedTuple):
    """A figure in words and whether it is as wanted. share: of the size that the goal means."""

    measured: str
    met: bool | None
    share: float = 1.0


class _Wanted(NamedTuple):
    """A figure of a part, and who judges it: told what the part found, and the sizes."""

    part: Part
    figure: str
    wanted: str
    judge: Callable[[Any, Sizes], _Outcome]


def judged(found: Found, sizes: Sizes) -> list[Goal]:
    """A line for each figure of the parts that were asked for."""
    return [_goal(wanted, found[wanted.part], sizes) for wanted in _WANTED if wanted.part in found]


def _goal(wanted: _Wanted, found: Any, sizes: Sizes) -> Goal:
    missing = isinstance(found, Missing)
    outcome = _Outcome(found.reason, met=None) if missing else wanted.judge(found, sizes)
    size = "" if outcome.met is None else fraction(outcome.share)
    return Goal(wanted.figure, wanted.wanted, outcome.measured, outcome.met, size)


def _beside(name: str, factor: float, rates: Sequence[Rate], sizes: Sizes) -> _Outcome:
    """The best median of smsd over that of another; the spread is that of the rounds."""
    own, other = best(rates, SMSD), best(rates, name)
    if absent := own.absent or other.absent:
        return _Outcome(absent, met=None)
    rounds = [mine / theirs for mine, theirs in zip(own.rates, other.rates, strict=True)]
    ratio = own.median / other.median
    words = f"{_spread(ratio, rounds, '.2f')} ×: {own.median:,.0f} to {other.median:,.0f}"
    return _Outcome(words, ratio >= factor, sizes.share("messages"))


def _latency(rates: Sequence[Rate], sizes: Sizes) -> _Outcome:
    paced = best(rates, SMSD)
    if paced.absent:
        return _Outcome(paced.absent, met=None)
    p50, p99 = paced.times_ms("p50_s"), paced.times_ms("p99_s")
    words = f"p50 {_spread(median(p50), p50, '.1f')}, p99 {_spread(median(p99), p99, '.1f')} ms"
    met = median(p50) <= 5 and median(p99) <= 50 and not paced.put_off
    return _Outcome(words, met, sizes.share("paced"))


def _imported(found: Registered, sizes: Sizes) -> _Outcome:
    share = sizes.share("people")
    whole_s = found.import_s / share
    words = f"{found.import_s:.1f} s" + (f", {whole_s:.0f} s pro rata" if share < 1 else "")
    return _Outcome(words, whole_s <= 180, share)


def _looked_up(batch: int, found: Registered, sizes: Sizes) -> _Outcome:
    timed = next(each for each in found.look_ups if each.batch == batch)
    words = _spread(timed.median_us, (timed.lowest_us, timed.highest_us), ".1f")
    return _Outcome(f"{words} µs", timed.median_us <= 5, sizes.share("people"))


def _kept(found: Overload, _: Sizes) -> _Outcome:
    words = f"{found.kept:.2f}: {found.result.rate:,.0f} of {found.capacity:,.0f}/s"
    return _Outcome(words, found.kept >= 0.9, _offered(found))


def _lost(found: Overload, _: Sizes) -> _Outcome:
    result = found.result
    words = f"{result.unanswered:,} of {result.acknowledged:,}, {result.twice:,} replies twice"
    return _Outcome(words, not result.unanswered and not result.twice, _offered(found))


def _bounded(found: Overload, _: Sizes) -> _Outcome:
    words = f"{found.peak_mib * _MB:.0f} MB of {found.bound_mib * _MB:.0f}"
    return _Outcome(words, found.peak_mib <= found.bound_mib, _offered(found))


def _enquired(found: Overload, _: Sizes) -> _Outcome:
    result = found.result
    answered = result.enquired - result.enquiries_lost
    words = f"{answered} of {result.enquired}, the slowest in {result.enquiry_longest_s:.2f} s"
    return _Outcome(words, 0 < answered == result.enquired, _offered(found))


def _offered(found: Overload) -> float:
    """The share of the full time for which too much was offered."""
    share = found.seconds / FULL.overload_s
    return 1.0 if share > 0.999 else share  # a fraction of an SMS is rounded away


def _slowed(found: SlowSmsc, sizes: Sizes) -> _Outcome:
    late, at_once = median(found.late), median(found.at_once)
    words = f"{late:,.0f} of {at_once:,.0f}/s; the window admits {CEILING:,.0f}/s"
    return _Outcome(words, late >= found.wanted, sizes.share("messages"))


def _watched(found: Watched, sizes: Sizes) -> _Outcome:
    rates = f"{median(found.watched):,.0f} of {median(found.alone):,.0f}/s"
    words = f"{_spread(found.ratio, found.ratios, '.3f')}: {rates}"
    return _Outcome(words, found.ratio >= dashboards.WANTED, sizes.share("messages"))


def _grown(found: Grown, sizes: Sizes) -> _Outcome:
    rounds = [grown / empty for grown, empty in zip(found.grown, found.empty, strict=True)]
    rates = f"{median(found.grown):,.0f} of {median(found.empty):,.0f}/s"
    words = f"{_spread(found.ratio, rounds, '.2f')}: {rates}"
    return _Outcome(words, found.ratio >= 0.9, sizes.share("stored"))


def _resident(found: Restarted, sizes: Sizes) -> _Outcome:
    """Of daemon and writer, what they share counted twice: the stricter way to add them up."""
    resident = [each.resident * _MB for each in found.memory]
    proportional = sum(each.proportional for each in found.memory) * _MB
    parts = " + ".join(f"{each:.0f}" for each in resident)
    words = f"{sum(resident):.0f} MB ({parts}); what is shared once: {proportional:.0f}"
    return _Outcome(words, sum(resident) <= 300, sizes.share("people", "permits"))


def _ready(found: Restarted, sizes: Sizes) -> _Outcome:
    words = (
        f"{found.ready_s:.2f} s; first reply {found.first_reply_s:.1f} s,"
        f" last {found.all_replies_s:.1f} s"
    )
    return _Outcome(words, found.ready_s <= 5, sizes.share("permits", "unsent"))


def _spread(middle: float, values: Sequence[float], form: str) -> str:
    """The median, and in brackets the lowest and the highest, if there are several."""
    if len(values) < 2:
        return format(middle, form)
    return f"{middle:{form}} ({min(values):{form}}–{max(values):{form}})"


_OVERLOAD = "2 × capacity for 60 s: "
_WANTED = (
    _Wanted(
        Part.RATES,
        "permits/s beside Kannel with spool",
        "≥ 10 ×",
        partial(_beside, KANNEL_SPOOL, 10.0),
    ),
    _Wanted(
        Part.RATES,
        "permits/s beside Kannel without a store",
        "≥ 7 ×",
        partial(_beside, KANNEL, 7.0),
    ),
    _Wanted(
        Part.RATES,
        "permits/s beside the bare loop",
        "≥ 0.5 ×",
        partial(_beside, BARE_LOOP, 0.5),
    ),
    _Wanted(Part.LATENCY, "latency at 1,000 SMS/s", "p50 ≤ 5 ms, p99 ≤ 50 ms", _latency),
    _Wanted(Part.OVERLOAD, _OVERLOAD + "rate", "≥ 0.9 of the capacity", _kept),
    _Wanted(Part.OVERLOAD, _OVERLOAD + "loss", "none, none twice", _lost),
    _Wanted(Part.OVERLOAD, _OVERLOAD + "memory", "within its bound", _bounded),
    _Wanted(Part.OVERLOAD, _OVERLOAD + "enquire_link", "all answered", _enquired),
    _Wanted(
        Part.SLOW_SMSC,
        "an SMSC that answers after 50 ms, window 1,000",
        "≥ 0.8 of 0 ms, or of what the window admits",
        _slowed,
    ),
    _Wanted(
        Part.DASHBOARDS,
        f"rate with {dashboards.DASHBOARDS} open dashboards",
        f"≥ {dashboards.WANTED} of that with none",
        _watched,
    ),
    _Wanted(Part.STORED, "rate with 36 M messages stored", "≥ 0.9 of an empty store", _grown),
    _Wanted(Part.REGISTER, "register of 10 M people: import", "≤ 3 min", _imported),
    _Wanted(Part.REGISTER, "register look-up, one document", "≤ 5 µs warm", partial(_looked_up, 1)),
    _Wanted(Part.REGISTER, "register look-up in a batch", "≤ 5 µs warm", partial(_looked_up, 100)),
    _Wanted(Part.RESTART, "resident: 10 M people, 1 M permits today", "≤ 300 MB", _resident),
    _Wanted(Part.RESTART, "ready after SIGKILL, 100,000 unsent", "≤ 5 s", _ready),
)
