"""What every page of the desk shares: a frame, three languages, two sets of colours."""

import pytest
from desk_stage import DeskStage, is_sound
from playwright.sync_api import expect


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_frame(empty_desk: DeskStage, scheme: str) -> None:
    with empty_desk.visitor(color_scheme=scheme) as page:
        page.goto("/nothing-there")
        expect(page.locator("h1")).to_have_text("That did not work")
        is_sound(page)
