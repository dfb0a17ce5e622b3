"""axe-core looks at a page: what keeps people from using it, by WCAG and good practice."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

_SOURCE = Path(__file__).with_name("npm") / "node_modules" / "axe-core" / "axe.min.js"
_TAGS = (
    "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice",
)  # fmt: skip


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page, a line each: rule, why, and where."""
    if not _SOURCE.exists():
        pytest.skip("axe-core is not installed: make npm-parts")
    # Evaluated by the browser's own debugger, so the page's Content-Security-Policy stays whole.
    page.evaluate(_SOURCE.read_text(encoding="utf-8") + "; undefined")
    found: dict[str, Any] = page.evaluate(
        "(tags) => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", list(_TAGS)
    )
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}\n    {node['html'][:160]}\n"
        f"    {node['failureSummary'].splitlines()[-1].strip()}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
