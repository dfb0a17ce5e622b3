"""/rules: closed unless it is opened; in three languages; as quick as something that is kept."""

import pytest
from desk_stage import NewDesk
from study_child import POLICY_FILE, candidate
from virtual_reactor import NOON_US, S_US

import rules
from smsd.desk.web.words import LANGUAGES
from storage import policies

OPEN = "public_rules = true"
DATED = candidate(
    (
        "[[in_force]]\nfrom = 2020-04-05T00:00:00",
        "[[in_force]]\nfrom = 2020-04-05T00:00:00\nuntil = 2020-04-06T12:00:01",
    )
)


def test_it_is_closed_unless_it_is_opened(new_desk: NewDesk) -> None:
    """A desk as it comes has no such page, for whomever."""
    desk = new_desk("")
    for path in ("/rules", "/rules/en"):
        assert desk.ask("GET", path).status == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_anybody_reads_the_rules_and_how_to_text(new_desk: NewDesk, language: str) -> None:
    """No sign-in, no cookie set, to be kept for a minute; from a browser anywhere."""
    told = {"en": "65 or older", "az": "65 yaşı", "ru": "65"}
    got = new_desk(OPEN).ask("GET", f"/rules/{language}", peer="203.0.113.9")
    assert got.status == 200
    assert got.headers["cache-control"] == "public, max-age=60"
    assert not got.cookies
    assert f'<html lang="{language}"' in got.text
    assert '<p class="bubble" lang="">2 AZE 1234567</p>' in got.text
    assert "3 AZE 1234567" in got.text
    assert told[language] in got.text
    assert "<form" not in got.text
    assert all(f'href="/rules/{other}"' in got.text for other in LANGUAGES)


def test_whoever_names_no_language_is_led_to_his_own(new_desk: NewDesk) -> None:
    """That of his browser; what is kept in between is one language's."""
    desk = new_desk(OPEN)
    led = desk.ask("GET", "/rules", accept_language="ru-RU,ru;q=0.9")
    assert (led.status, led.headers["location"]) == (303, "/rules/ru")
    assert led.headers["cache-control"] == "no-store"
    assert desk.ask("GET", "/rules/de").status == 404


def test_it_is_made_anew_when_the_law_changes_and_only_then(new_desk: NewDesk) -> None:
    """Another policy, a date of the policy itself, another day: the same octets until then."""
    desk = new_desk(OPEN)
    url, digest = desk.config.store.url, rules.parse_policy(DATED, "dated.toml").digest
    first = desk.ask("GET", "/rules/en").text
    policies.activate(url, DATED, digest, NOON_US, "officer", "decree", "activate")
    assert desk.ask("GET", "/rules/en").text == first
    desk.take_newest_policy()
    second = desk.ask("GET", "/rules/en").text
    assert digest[:16] in second
    assert "The rules change on" in second
    desk.clock.now_us = NOON_US + S_US - 1
    assert desk.ask("GET", "/rules/en").text == second
    desk.clock.now_us = NOON_US + S_US
    third = desk.ask("GET", "/rules/en").text
    assert "Not in force today" in third
    assert "Not in force today" not in second
    desk.clock.now_us = NOON_US + 12 * 3_600 * S_US
    assert "2020-04-07" in desk.ask("GET", "/rules/en").text


def test_a_policy_without_documents_has_an_example_too(new_desk: NewDesk) -> None:
    """A name and an address, as another country had it."""
    desk = new_desk(OPEN)
    for name in ("gr-13033", "cy-8998", "az-8103-history"):
        source = (POLICY_FILE.parent / f"{name}.toml").read_text(encoding="utf-8")
        policy = rules.compile_policy(rules.parse_policy(source, name))
        url = desk.config.store.url
        policies.activate(url, source, policy.digest, NOON_US, "officer", "decree", "activate")
        desk.take_newest_policy()
        for language in LANGUAGES:
            got = desk.ask("GET", f"/rules/{language}")
            assert got.status == 200
            assert policy.short_number in got.text
            assert policy.digest[:16] in got.text
