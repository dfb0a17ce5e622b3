"""Templates to pages: what every template may use, and how moments and numbers are written."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from smsd.desk.web.assets import Assets
from smsd.desk.web.route import Route
from smsd.desk.web.visit import SignedBy, Visit
from smsd.desk.web.words import LANGUAGES, Words

__all__ = ["NAVIGATION", "Rendering"]

_US_PER_S = 1_000_000
_NARROW_SPACE = "\u202f"
_LASTING = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))

# The rooms in the order of the navigation; each is shown to whom its route admits.
NAVIGATION = ("/", "/look-up", "/check", "/policy", "/smsc", "/audit", "/people")


class Rendering:
    """Makes pages. zone: that of the policy in force, in which all moments are told."""

    def __init__(self, words: Words, assets: Assets, zone: Callable[[], str], version: str) -> None:
        self._words = words
        self._zone = zone
        self._navigation: list[Route] = []
        self._environment = environment = Environment(
            loader=PackageLoader("smsd.desk"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.globals.update(
            asset=assets.address,
            version=version,
            zone=zone,
            languages=LANGUAGES,
            SignedBy=SignedBy,
        )
        environment.filters.update(
            moment=lambda at_us: self._time(at_us, "%Y-%m-%d %H:%M"),
            second=lambda at_us: self._time(at_us, "%Y-%m-%d %H:%M:%S"),
            clock=lambda at_us: self._time(at_us, "%H:%M:%S"),
            day=lambda at_us: self._time(at_us, "%Y-%m-%d"),
            number=number,
        )

    def navigate(self, routes: Iterable[Route]) -> None:
        """Take the routes from which the navigation is made."""
        pages = {route.path: route for route in routes if route.method == "GET"}
        self._navigation = [pages[path] for path in NAVIGATION if path in pages]

    def page(self, template: str, visit: Visit, at_this_machine: bool, values: Any) -> str:
        """A whole page.

        Raises:
            jinja2.TemplateError: a mistake of ours.
        """
        say = visit.say
        return self._environment.get_template(template).render(
            values,
            visit=visit,
            t=say,
            may=lambda *roles: visit.visitor.may(*roles),
            lasting=lambda seconds: lasting(seconds, say),
            again=lambda **changes: _again(visit, changes),
            navigation=[
                (route.path, f"frame.nav_{route.path.strip('/').replace('-', '_') or 'dashboard'}")
                for route in self._navigation
                if route.access.admits(visit.visitor, at_this_machine)
            ],
            knows=self._words.knows,
        )

    def _time(self, at_us: int | None, form: str) -> Markup:
        if at_us is None:
            return Markup("–")
        at = datetime.fromtimestamp(at_us / _US_PER_S, tz=UTC)
        told = at.astimezone(ZoneInfo(self._zone())).strftime(form)
        return Markup('<time datetime="{}">{}</time>').format(
            at.isoformat(timespec="seconds"), told
        )


def _again(visit: Visit, changes: Mapping[str, str]) -> str:
    """The same page with something else in its query; what was said once is not said again."""
    if visit.page != visit.path:
        return f"{visit.page}?{urlencode(changes)}"
    kept = {name: value for name, value in visit.query.items() if name != "said"}
    return f"?{urlencode({**kept, **changes})}"


def number(value: float, digits: int = 0) -> str:
    """A number with its thousands apart, as all three languages may read it."""
    return f"{value:,.{digits}f}".replace(",", _NARROW_SPACE)


def lasting(seconds: float, say: Callable[..., str]) -> str:
    """A duration by its two largest units: 2 h 5 min."""
    rest = max(0, round(seconds))
    told: list[str] = []
    for size, unit in _LASTING:
        count, rest = divmod(rest, size)
        if count or (unit == "second" and not told):
            told.append(f"{count}\u00a0{say(f'frame.unit_{unit}')}")
        if len(told) == 2 or (told and not rest):
            break
    return " ".join(told)
