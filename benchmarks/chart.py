"""Replies per second of each gateway as horizontal bars: an SVG for light and dark pages."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from benchmarks.rates import BARE_LOOP, SMSD, Rate

_WIDTH, _LEFT, _RIGHT = 912, 294, 708  # of the picture; where bars begin and the scale ends
_TOP, _ROW, _BAR = 96, 44, 22  # where rows begin; heights of a row and of its bar
_CAP = 5  # half the height of a whisker's ends
_TICKS_MAX = 6
_CUT_FROM = 2.0  # a limit that is so many times longer than all others would hide them

_STYLE = """
svg { font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
.page { fill: #ffffff } .gap { stroke: #ffffff }
.ink, .whisker { fill: #1b2330; stroke: #1b2330 } text.ink { stroke: none }
.quiet { fill: #5b6675; stroke: none } .grid { stroke: #e3e7ec }
.own { fill: #2f6fde } .other { fill: #9aa6b5 } .limit { fill: #cfd6df }
@media (prefers-color-scheme: dark) {
  .page { fill: #12161c } .gap { stroke: #12161c }
  .ink, .whisker { fill: #e8ecf2; stroke: #e8ecf2 }
  .quiet { fill: #9aa6b5 } .grid { stroke: #29313c }
  .own { fill: #5b94f5 } .other { fill: #6b7787 } .limit { fill: #3c4653 }
}
"""


class Bar(NamedTuple):
    """Replies per second. kind: own, other, or limit, which may be cut."""

    label: str
    kind: str
    lowest: float
    median: float
    highest: float


def bars(rates: Sequence[Rate]) -> list[Bar]:
    """Of the gateways that have figures, the fastest first."""
    kinds = {SMSD: "own", BARE_LOOP: "limit"}
    found = [
        Bar(
            rate.name,
            kinds.get(rate.gateway, "other"),
            min(rate.rates),
            rate.median,
            max(rate.rates),
        )
        for rate in rates
        if not rate.absent
    ]
    return sorted(found, key=lambda bar: -bar.median)


def draw(shown: Sequence[Bar], runs: int, caption: str) -> str:
    """The SVG. caption: the machine and the date."""
    end = _scale_end(shown)
    bottom = _TOP + _ROW * len(shown)
    height = bottom + 78
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title">',
        f'<title id="title">{escape(_in_words(shown))}</title>',
        f"<style>{_STYLE}</style>",
        f'<rect class="page" width="{_WIDTH}" height="{height}" rx="8"/>',
        _text(24, 38, "SMS answered per second", "ink", size=20, weight=600),
        _text(24, 62, _legend(shown, runs, end), "quiet", size=13),
        *_grid(end, bottom),
    ]
    for row, bar in enumerate(shown):
        lines += _bar(bar, _TOP + _ROW * row + _ROW / 2, end)
    lines += [_text(24, height - 18, caption, "quiet", size=12), "</svg>"]
    return "\n".join(lines) + "\n"


def _scale_end(shown: Sequence[Bar]) -> float:
    """Replies per second at the right edge: of the longest bar that need not be cut."""
    longest = max(bar.highest for bar in shown)
    others = max((bar.highest for bar in shown if bar.kind != "limit"), default=longest)
    return longest if longest <= _CUT_FROM * others else others


def _in_words(shown: Sequence[Bar]) -> str:
    figures = "; ".join(f"{bar.label}: {bar.median:,.0f}" for bar in shown)
    return f"SMS answered per second. {figures}"


def _legend(shown: Sequence[Bar], runs: int, end: float) -> str:
    words = "one run" if runs == 1 else f"median of {runs} runs, with the lowest and the highest"
    cut = any(bar.highest > end for bar in shown)
    return words + ("; a broken bar goes on beyond the scale" if cut else "")


def _grid(end: float, bottom: float) -> list[str]:
    step = next(
        factor * 10**power
        for power in range(12)
        for factor in (1, 2, 5)
        if end / (factor * 10**power) <= _TICKS_MAX
    )
    lines = []
    for tick in range(0, int(end) + 1, step):
        x = _x(tick, end)
        lines.append(f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>')
        lines.append(_text(x, bottom + 18, f"{tick:,}", "quiet", size=12, anchor="middle"))
    return lines


def _bar(bar: Bar, middle: float, end: float) -> list[str]:
    cut = bar.highest > end
    right = _RIGHT if cut else _x(bar.median, end)
    top, width = middle - _BAR / 2, max(right - _LEFT, 1)
    lines = [
        _text(_LEFT - 14, middle + 5, bar.label, "ink", size=14, anchor="end"),
        f'<rect class="{bar.kind}" x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR}"'
        ' rx="3"/>',
    ]
    if cut:
        lines += _break(_RIGHT - 40, top)
    elif bar.lowest < bar.highest:
        low, high = _x(bar.lowest, end), _x(bar.highest, end)
        right = max(right, high)
        ends = "".join(f"M{x:.1f} {middle - _CAP}v{2 * _CAP}" for x in (low, high))
        lines.append(
            f'<path class="whisker" stroke-width="1.5" d="M{low:.1f} {middle}H{high:.1f}{ends}"/>'
        )
    return [*lines, _figures(bar, right + 10, middle + 5)]


def _figures(bar: Bar, x: float, y: float) -> str:
    """The median, and behind it the spread if there is one."""
    spread = f"{bar.lowest:,.0f}–{bar.highest:,.0f}" if bar.lowest < bar.highest else ""
    return (
        f'<text class="ink" x="{x:.1f}" y="{y:.1f}" font-size="14" font-weight="600">'
        f"{bar.median:,.0f}"
        f'<tspan class="quiet" dx="9" font-size="12" font-weight="400">{spread}</tspan></text>'
    )


def _break(x: float, top: float) -> list[str]:
    """Two slanted gaps: the bar is longer than it is drawn."""
    return [
        f'<path class="gap" stroke-width="4" d="M{at} {top + _BAR + 2}l8 {-_BAR - 4}"/>'
        for at in (x, x + 10)
    ]


def _x(rate: float, end: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * rate / end


def _text(
    x: float, y: float, words: str, kind: str, size: int, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"'
        f' text-anchor="{anchor}">{escape(words)}</text>'
    )
