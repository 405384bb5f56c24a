"""Texts are broken into lines that fit, lose no character, and are cut with an ellipsis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.picturing.flow import Run, Style, broken
from releases.picturing.fonts import CODE, PROMPT, SMALL, UNKNOWN

PLAIN, STRUCK = Style(colour=(0.0, 0.0, 0.0)), Style(colour=(0.0, 0.0, 0.0), strike=(1.0, 0.0, 0.0))
LETTERS = st.text(st.sampled_from("ab \n.$\\é的\x1b√"), max_size=120)


def texts(lines):
    return ["".join(run.text for run in line) for line in lines]


@given(text=LETTERS, width=st.integers(80, 400), font=st.sampled_from([CODE, PROMPT, SMALL]))
def test_every_line_fits_and_together_they_are_the_text(text, width, font):
    lines = texts(broken([Run(text, PLAIN)], font, width, most=500))
    assert all(font.width(line.rstrip(" ")) <= width + 1 for line in lines)
    assert "".join(lines) == "".join(font.seen(paragraph) for paragraph in text.split("\n"))


@given(text=LETTERS, width=st.integers(80, 400), most=st.integers(1, 4))
def test_a_longer_text_is_cut_with_an_ellipsis(text, width, most):
    whole = texts(broken([Run(text, PLAIN)], CODE, width, most=500))
    lines = texts(broken([Run(text, PLAIN)], CODE, width, most=most))
    assert len(lines) == min(most, len(whole))
    if len(whole) > most:
        assert lines[-1].endswith("…") and CODE.width(lines[-1]) <= width + 1
        assert lines[:-1] == whole[: most - 1]
    else:
        assert lines == whole


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("one two three", 8, ["one two ", "three"]),
        ("abcdefghijk", 4, ["abcd", "efgh", "ijk"]),
        ("one\n\ntwo\n\n", 9, ["one", "", "two"]),
        ("", 9, []),
    ],
)
def test_lines_are_broken_at_spaces_or_else_within_a_word(text, width, expected):
    assert texts(broken([Run(text, PLAIN)], CODE, width * CODE.width("a") + 0.1, most=9)) == expected


def test_a_stretch_keeps_its_style_over_lines():
    runs = [Run("aa ", PLAIN), Run("bb cc", STRUCK), Run(" dd", PLAIN)]
    lines = broken(runs, CODE, 6 * CODE.width("a") + 0.1, most=9)
    assert lines == [[Run("aa ", PLAIN), Run("bb ", STRUCK)], [Run("cc", STRUCK), Run(" dd", PLAIN)]]


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("2 + 2 = 4", "2 + 2 = 4"),
        ("设x", f"{UNKNOWN}x"),
        ("\x1b[31m", "<001B>[31m"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", "a<202E>b"),
        ("x\N{ZERO WIDTH SPACE}y", "x<200B>y"),
        ("$x^2$ \\frac{1}{2}", "$x^2$ \\frac{1}{2}"),
    ],
)
def test_what_cannot_be_drawn_is_seen(text, seen):
    assert CODE.seen(text) == seen
    assert CODE.lacks(text) == (UNKNOWN in seen)
