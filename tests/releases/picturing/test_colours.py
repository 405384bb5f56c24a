"""The picture has the colours of the page, mixed as a browser mixes them."""

import pytest

from releases.picturing.colours import declared, kinds, mixed, tone, washed


def spelled(colour):
    return "#" + "".join(f"{round(part * 255):02x}" for part in colour)


def test_the_ends_and_the_middle_of_the_scale_are_declared_by_the_page():
    named = declared()
    expected = {0.0: "wrong", 0.5: "middle", 1.0: "right", None: "unknown"}
    assert {share: spelled(tone(share)) for share in expected} == {
        share: spelled(named[name]) for share, name in expected.items()
    }
    assert len(kinds()) == len(set(kinds())) == 6


def test_a_colour_is_mixed_with_itself_to_itself():
    for colour in declared().values():
        assert mixed(colour, colour, 0.3) == pytest.approx(colour, abs=1e-4)


def test_a_wash_lies_between_the_colour_and_the_ground():
    assert washed((1.0, 0.0, 0.5), 0.1) == pytest.approx((1.0, 0.9, 0.95))
