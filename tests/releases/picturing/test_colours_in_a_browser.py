"""A browser mixes the colours as the picture does."""

import pytest
from playwright.sync_api import Page

from releases.picturing.colours import declared, tone
from tests.chromium import NEEDS_CHROMIUM, chromium

pytestmark = NEEDS_CHROMIUM
SHARES = (0.0, 0.03, 0.3, 0.5, 0.76, 1.0)


def spelled(colour):
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def test_a_browser_mixes_the_same_colours():
    named = {name: spelled(declared()[name]) for name in ("right", "middle", "wrong")}
    with chromium() as browser:
        page = browser.new_page()
        for share in SHARES:
            end = named["right" if share >= 0.5 else "wrong"]
            mix = f"color-mix(in oklab, {end} {abs(share - 0.5) * 200}%, {named['middle']})"
            assert pixel(page, mix) == pytest.approx([round(part * 255) for part in tone(share)], abs=1)


def pixel(page: Page, colour: str) -> list[int]:
    """The colour as the browser paints it."""
    return page.evaluate(
        """colour => {
            const canvas = document.createElement("canvas").getContext("2d");
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }""",
        colour,
    )
