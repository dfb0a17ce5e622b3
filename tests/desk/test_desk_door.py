"""The door: names, languages, methods, forms, and what every answer says about itself."""

import re
from html import unescape

import pytest
from desk_stage import DeskStage

from smsd.desk.web.headers import COMMON


def test_another_name_is_turned_away_before_anything_is_looked_at(desk: DeskStage) -> None:
    """DNS rebinding: the page of a stranger reads nothing through his own name."""
    got = desk.ask("GET", "/livez", host="evil.example")
    assert got.status == 421
    assert "desk.hosts" in got.text


def test_a_configured_name_is_ours(new_desk) -> None:  # type: ignore[no-untyped-def]
    """With and without a port."""
    desk = new_desk('hosts = ["desk.example"]')
    assert desk.ask("GET", "/livez", host="desk.example").status == 200
    assert desk.ask("GET", "/livez", host="desk.example:443").status == 200


@pytest.mark.parametrize("path", ["/livez", "/nothing", "/metrics"])
def test_every_answer_carries_the_same_headers(desk: DeskStage, path: str) -> None:
    """Found or not, page or data."""
    headers = desk.ask("GET", path).headers
    assert {name.lower(): value for name, value in COMMON.items()}.items() <= headers.items()
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


def test_by_tls_browsers_are_told_to_stay_there(desk: DeskStage) -> None:
    """RFC 6797."""
    headers = desk.ask("GET", "/livez", secure=True).headers
    assert headers["strict-transport-security"] == "max-age=31536000"


def test_a_static_file_may_be_kept_and_an_old_address_is_gone(desk: DeskStage) -> None:
    """Its address names its content."""
    page = desk.ask("GET", "/nothing").text
    (address,) = [part for part in page.split('"') if part.endswith("desk.css")]
    got = desk.ask("GET", address)
    assert got.status == 200
    assert got.headers["content-type"] == "text/css; charset=utf-8"
    assert "max-age=31536000" in got.headers["cache-control"]
    assert desk.ask("GET", "/static/000000000000/desk.css").status == 404
    assert desk.ask("GET", address.replace("desk.css", "..~desk.py")).status == 404


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
        ("az", "az"),
        ("de, fr", "en"),
        ("", "en"),
        ("de,ru", "ru"),
    ],
)
def test_the_browser_s_language_is_spoken(desk: DeskStage, accepted: str, language: str) -> None:
    """The first that we know; English where there is none."""
    page = desk.ask("GET", "/nothing", accept_language=accepted).text
    assert f'<html lang="{language}"' in page


def test_a_chosen_language_and_theme_are_kept(desk: DeskStage) -> None:
    """By cookies that no script sees; what is no language changes nothing."""
    got = desk.ask("GET", "/nothing?lang=az&theme=dark")
    assert '<html lang="az" data-theme="dark"' in got.text
    kept = {name: morsel.value for name, morsel in got.cookies.items()}
    assert kept == {"__Host-language": "az", "__Host-theme": "dark"}
    for morsel in got.cookies.values():
        assert (morsel["secure"], morsel["httponly"], morsel["path"]) == (True, True, "/")
        assert morsel["samesite"] == "Strict"
    cookie = "; ".join(f"{name}={value}" for name, value in kept.items())
    assert '<html lang="az" data-theme="dark"' in desk.ask("GET", "/nothing", cookie=cookie).text
    odd = desk.ask("GET", "/nothing?lang=xx&theme=pink", cookie="__Host-language=zz")
    assert '<html lang="en" data-theme="auto"' in odd.text
    assert not odd.cookies


def links_of_languages(page: str) -> list[str]:
    """Where the page leads who wants it in another language."""
    return [unescape(link) for link in re.findall(r'href="([^"]*)" lang="', page)]


def test_another_language_shows_the_same_page(desk: DeskStage) -> None:
    """With all that was asked for; what was said once is not said again."""
    page = desk.ask("GET", "/sign-in?next=/look-up%3Fx%3D1&lang=az&said=frame.signed_out").text
    assert links_of_languages(page) == [
        f"?next=%2Flook-up%3Fx%3D1&lang={language}" for language in ("az", "en", "ru")
    ]
    assert "?next=%2Flook-up%3Fx%3D1&lang=az&theme=dark" in unescape(page)


@pytest.mark.parametrize(
    ("path", "page"),
    [("/smsc/north/suspend", "/smsc"), ("/people/leyla/roles", "/people/leyla"), ("/nothing", "")],
)
def test_where_only_forms_go_another_language_shows_the_page_above(
    desk: DeskStage, path: str, page: str
) -> None:
    """Its address cannot be got; a stranger's, who wrote a name of his own there, is not ours."""
    got = desk.ask("POST", path, {})
    assert got.status in (401, 403, 404)
    assert links_of_languages(got.text)[0] == f"{page}?lang=az"
    odd = desk.ask("GET", "//stranger.example/smsc").text
    assert links_of_languages(odd)[0] == "?lang=az"


def test_what_is_not_there_is_said_so(desk: DeskStage) -> None:
    """A page for people, JSON for programs, and the methods that there are."""
    assert desk.ask("GET", "/nothing").status == 404
    assert desk.ask("GET", "/nothing", accept="application/json").text.startswith('{"error":')
    got = desk.ask("POST", "/livez")
    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")


def test_metrics_are_for_this_machine_or_who_may(desk: DeskStage) -> None:
    """A stranger gets neither figures nor a page to sign in at."""
    assert desk.ask("GET", "/metrics").status == 200
    got = desk.ask("GET", "/metrics", peer="192.0.2.7")
    assert got.status == 401
    assert got.headers["www-authenticate"].startswith("Bearer")
    brought = desk.ask("GET", "/metrics", x_forwarded_for="192.0.2.7")
    assert brought.status == 401


def test_words_of_an_address_are_never_markup(desk: DeskStage) -> None:
    """What somebody puts into a query is not shown, and a key that is not there is not said."""
    page = desk.ask("GET", "/nothing?said=<script>alert(1)</script>&lang=<b>").text
    assert "<script>alert" not in page
    assert 'role="status"' not in page


def test_an_address_of_far_too_many_words_says_nothing(desk: DeskStage) -> None:
    """It is no fault of ours, and leaves nothing in the log; two hundred are read."""
    many = "&".join(["lang=az", *["a=1"] * 199])
    assert '<html lang="az"' in desk.ask("GET", f"/nothing?{many}").text
    got = desk.ask("GET", f"/nothing?{many}&a=1")
    assert got.status == 404
    assert '<html lang="en"' in got.text
