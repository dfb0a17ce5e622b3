"""The desk's pages: /metrics for Prometheus, /livez and /readyz for whoever restarts things."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

_IDLE_S = 60
_TEXT = "text/plain; charset=utf-8"


class _Page(Resource):
    """One read-only page."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(self, render: Callable[[], tuple[int, str, bytes]]) -> None:
        Resource.__init__(self)
        self._render = render

    def render_GET(self, request: Request) -> bytes:  # noqa: N802
        status, content_type, body = self._render()
        request.setResponseCode(status)
        request.setHeader("Content-Type", content_type)
        request.setHeader("Cache-Control", "no-store")
        request.setHeader("X-Content-Type-Options", "nosniff")
        return body


class _QuietSite(Site):
    """Without an access log, which would print every scrape."""

    noisy = False

    def log(self, request: http.Request) -> None:
        """Say nothing."""


def build_site(
    registry: CollectorRegistry,
    refresh: Callable[[], None],
    unready: Callable[[], list[str]],
    suspended: Callable[[], list[str]],
) -> Site:
    """The desk as a Twisted site.

    Args:
        refresh: brings gauges up to date before they are read.
        unready: the reasons why the daemon cannot do its work now; empty when it can.
        suspended: what was taken out of service; told, and no reason to be unready.
    """

    def metrics() -> tuple[int, str, bytes]:
        refresh()
        return 200, CONTENT_TYPE_LATEST, generate_latest(registry)

    def live() -> tuple[int, str, bytes]:
        return 200, _TEXT, b"alive\n"

    def ready() -> tuple[int, str, bytes]:
        reasons = unready()
        lines = [f"not ready: {reason}" for reason in reasons] or ["ready"]
        return 503 if reasons else 200, _TEXT, "\n".join([*lines, *suspended(), ""]).encode()

    root = Resource()
    root.putChild(b"metrics", _Page(metrics))
    root.putChild(b"livez", _Page(live))
    root.putChild(b"readyz", _Page(ready))
    site = _QuietSite(root, timeout=_IDLE_S)  # type: ignore[no-untyped-call]
    site.displayTracebacks = False
    return site
