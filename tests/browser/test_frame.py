"""What every page of the desk shares: a frame, three languages, two sets of colours, a watch."""

import pytest
from axe import violations
from chromium import Watch, context_of
from open_desk import OpenDesk, is_sound
from playwright.sync_api import Browser, expect

NOWHERE = "/nothing-there"
TITLES = {"en": "That did not work", "az": "Alınmadı", "ru": "Не получилось"}


@pytest.mark.parametrize("locale", ["en-GB", "az-AZ", "ru-RU", "de-DE"])
def test_the_browser_s_own_language_is_spoken(empty_desk: OpenDesk, locale: str) -> None:
    """Whoever chose none gets his browser's, or English; the document says which it is."""
    language = locale[:2] if locale[:2] in TITLES else "en"
    with empty_desk.visitor(locale=locale) as page:
        page.goto(NOWHERE)
        expect(page.locator("h1")).to_have_text(TITLES[language])
        expect(page.locator("html")).to_have_attribute("lang", language)
        is_sound(page)


def test_a_language_is_switched_and_stays(empty_desk: OpenDesk) -> None:
    """One click in the foot of any page, and the next pages are in that language, too."""
    with empty_desk.visitor() as page:
        page.goto(NOWHERE)
        for language, name in (("az", "Azərbaycanca"), ("ru", "Русский"), ("en", "English")):
            page.get_by_role("link", name=name).click()
            expect(page.locator("h1")).to_have_text(TITLES[language])
            page.goto(NOWHERE)
            expect(page.locator("h1")).to_have_text(TITLES[language])
            expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "true")


def test_colours_are_the_device_s_or_the_reader_s(empty_desk: OpenDesk) -> None:
    """Dark where the device is dark, and light all the same for who wants it so."""
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    with empty_desk.visitor(color_scheme="dark") as page:
        page.goto(NOWHERE)
        assert page.evaluate(scheme) == "dark"
        page.get_by_role("link", name="light", exact=True).click()
        assert page.evaluate(scheme) == "light"
        page.goto(NOWHERE)
        assert page.evaluate(scheme) == "light"


def test_the_keyboard_gets_past_the_navigation(empty_desk: OpenDesk) -> None:
    """The first Tab is at the way to the content, and Enter takes it."""
    with empty_desk.visitor() as page:
        page.goto(NOWHERE)
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()


def test_the_watch_sees_what_a_page_must_not_do(empty_desk: OpenDesk, browser: Browser) -> None:
    """Asking elsewhere, a script that fails, a broken picture, a style of its own: each is told."""
    for act, told in (
        ("fetch('http://elsewhere.invalid/').catch(() => {})", "elsewhere.invalid"),
        ("setTimeout(() => { throw Error('amiss') })", "amiss"),
        ("new Image().src = '/nothing.png'", "404 for"),
        ("document.body.setAttribute('style', 'color: red')", "Content Security Policy"),
    ):
        context = context_of(browser, empty_desk.origin)
        watch = Watch(context, (empty_desk.origin,))
        page = context.new_page()
        page.goto(NOWHERE)
        page.evaluate(act)
        while not watch.faults:  # what the browser tells comes between its answers
            page.evaluate("new Promise(requestAnimationFrame)")
        context.close()
        assert told in watch.faults[0], act


def test_axe_sees_what_keeps_people_out(empty_desk: OpenDesk) -> None:
    """A field without a label, and words too pale to read."""
    with empty_desk.visitor() as page:
        page.goto(NOWHERE)
        page.evaluate("document.querySelector('main').append(document.createElement('input'))")
        page.evaluate("document.querySelector('h1').style.color = '#ddd'")
        found = {each.partition(" ")[0] for each in violations(page)}
        assert {"label", "color-contrast"} <= found
