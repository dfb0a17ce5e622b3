"""Pictures of the desk's main pages for the README: on a desk, on a phone, by night.

python tests/browser [FOLDER]
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

sys.path.append(str(Path(__file__).parents[1] / "daemon"))

from chromium import NoBrowser, chromium
from daemon_process import POLICY_FILE
from open_desk import OpenDesk
from playwright.sync_api import Browser, Page, ViewportSize, expect
from town_day import BEGIN, NOW, SMSCS, converse, import_register, remember, texting, until

from storage.roles import Role

DESK: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
FOLDER = Path(__file__).parents[2] / "smsd" / "desk" / "pictures"
SPARK_POINTS = 3
LOOKS_MAX = 200
PEOPLE = {
    "leyla": tuple(Role),
    "rashad": (Role.POLICY,),
    "sevda": (Role.POLICY,),
    "elchin": (Role.POLICE,),
}
INVALID_DESTINATION = 0x0B

WINDOW = (
    '  { from = 2020-04-05T00:00:00, value = 120, source = "seed: codes 1 and 2; ours: code 3" },'
)
LONGER = '  { from = 2026-04-10T00:00:00, value = 180, source = "decree 77, article 2" },'


class Picture(NamedTuple):
    """A page as it is to be seen. show: from a blank page to what the picture is of."""

    name: str
    who: str
    size: ViewportSize
    scheme: str
    show: Callable[[Page], None]
    locale: str = "en"


def dashboard(page: Page) -> None:
    """With its charts drawn and its figures alive."""
    page.goto("/")
    page.get_by_role("group", name="Range").get_by_role("button").nth(2).click()
    expect(page.locator(".chart canvas").first).to_be_visible()
    taken = page.locator("[data-figure='at_us']").first
    for _ in range(SPARK_POINTS):  # a figure a second, until its little curve is long enough
        expect(taken).not_to_have_text(taken.inner_text())
    page.evaluate("scrollTo(0, 0)")


def conversation(page: Page) -> None:
    """What an agent sees with the caller on the line."""
    page.goto("/look-up")
    page.locator("#what").fill("055 000 01 02")
    page.locator("#what").press("Enter")
    expect(page.locator(".chat")).to_be_visible()


def check(page: Page) -> None:
    """What the police see in the street."""
    page.goto("/check")
    page.locator("#what").fill("AZE 1111115")
    page.locator("#what").press("Enter")
    expect(page.locator(".verdict")).to_be_visible()


def policy(page: Page) -> None:
    """The rules in force, once it is found out what they cover."""
    page.goto("/policy")
    for _ in range(LOOKS_MAX):
        if not page.get_by_role("link", name="Look again").count():
            break
        page.reload()


def proposal(page: Page) -> None:
    """What the second officer sees before he agrees."""
    page.goto("/policy/proposals/1")
    expect(page.locator("progress")).to_have_count(0)


def plainly(path: str) -> Callable[[Page], None]:
    """A page that needs nothing done."""

    def show(page: Page) -> None:
        page.goto(path)

    return show


PICTURES = (
    Picture("dashboard", "leyla", DESK, "light", dashboard),
    Picture("dashboard-dark", "leyla", DESK, "dark", dashboard),
    Picture("dashboard-phone", "leyla", PHONE, "light", dashboard),
    Picture("look-up", "leyla", DESK, "light", conversation),
    Picture("look-up-phone-dark", "leyla", PHONE, "dark", conversation),
    Picture("check-phone", "elchin", PHONE, "light", check),
    Picture("policy", "leyla", DESK, "light", policy),
    Picture("proposal", "sevda", DESK, "light", proposal),
    Picture("smsc", "leyla", DESK, "light", plainly("/smsc")),
    Picture("letters", "leyla", DESK, "dark", plainly("/smsc/letters")),
    Picture("audit", "leyla", DESK, "light", plainly("/audit")),
    Picture("people", "leyla", DESK, "light", plainly("/people")),
    Picture("sign-in-phone", "", PHONE, "light", plainly("/sign-in"), "az"),
    Picture("rules-phone", "", PHONE, "light", plainly("/rules/az"), "az"),
)


def propose(desk: OpenDesk) -> None:
    """Something for the second officer to look at."""
    policy = POLICY_FILE.read_text(encoding="utf-8").replace(WINDOW, f"{WINDOW}\n{LONGER}")
    with desk.visitor("rashad") as page:
        page.goto("/policy/propose")
        page.locator("input[type=file]").set_input_files(
            {"name": "new.toml", "mimeType": "text/plain", "buffer": policy.encode()}
        )
        page.locator("[name=reason]").fill("decree 77: three hours from tomorrow on")
        page.locator("form[action='/policy/propose'] button").click()
        page.wait_for_url("**/policy/proposals/*")
        expect(page.locator("progress")).to_have_count(0)


def take(browser: Browser, folder: Path) -> None:
    """Write every picture into `folder`."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        OpenDesk(
            browser, Path(scratch), "public_rules = true", SMSCS, "required", True, until(BEGIN)
        ) as desk,
    ):
        import_register(desk)
        desk.add_everybody(PEOPLE)
        converse(desk)
        desk.move_clock(until(NOW))
        with desk.smscs[SMSCS[1]].client() as other:
            other.fault(submit_status=INVALID_DESTINATION, submit_status_times=4)
        with texting(desk):
            propose(desk)
            remember(desk)
            for picture in PICTURES:
                options = {"viewport": picture.size, "color_scheme": picture.scheme}
                with desk.visitor(picture.who, **options, locale=picture.locale) as page:
                    picture.show(page)
                    file = folder / f"{picture.name}.png"
                    page.screenshot(path=file, animations="disabled", caret="hide")
                    click.echo(f"{file.stat().st_size / 1_000:6.0f} kB  {file}")


def main() -> int:
    """See the module."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with chromium() as browser:
            take(browser, folder)
    except NoBrowser as reason:
        click.echo(f"screenshots: {reason}", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
