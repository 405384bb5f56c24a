"""Text of others on a terminal: nothing but what prints."""

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.door.text import is_one_line, one_line, quoted, visible
from releases.showing import shown

ESCAPED = {
    "clear the screen": ("\x1b[2J", "\\u001b[2J"),
    "write the clipboard": ("\x1b]52;c;QQ==\x07", "\\u001b]52;c;QQ==\\u0007"),
    "an escape of eight bits": ("\x9b2J", "\\u009b2J"),
    "delete": ("a\x7f", "a\\u007f"),
    "back over": ("good\rbad", "good\\u000dbad"),
    "turned": ("\N{RIGHT-TO-LEFT OVERRIDE}txt", "\\u202etxt"),
    "without width": ("a\N{ZERO WIDTH SPACE}b", "a\\u200bb"),
    "a line of another kind": ("a\N{LINE SEPARATOR}b", "a\\u2028b"),
    "hidden letters": ("\U000e0041", "\\udb40\\udc41"),
    "half a character": ("\ud800", "\\ud800"),
    "what prints": ("Fünf Äpfel,\n\t日本\N{NO-BREAK SPACE}語 🙂", "Fünf Äpfel,\n\t日本\N{NO-BREAK SPACE}語 🙂"),
}


@pytest.mark.parametrize(("text", "shown_as"), ESCAPED.values(), ids=ESCAPED)
def test_what_does_not_print_is_written_as_an_escape(text, shown_as):
    assert visible(text) == shown_as


@given(st.text())
def test_visible_text_is_the_same_again_and_json_of_it_says_the_same(text):
    assert visible(visible(text)) == visible(text)
    assert is_one_line(one_line(text))
    assert json.loads(visible(json.dumps(text, ensure_ascii=False))) == text


@given(st.text(max_size=300))
def test_a_quoted_value_is_one_short_line_of_ascii(text):
    assert quoted(text).replace("…", "").isascii() and "\n" not in quoted(text) and len(quoted(text)) <= 81


def test_a_row_is_shown_without_escapes_and_ends_no_fence():
    rows = pl.DataFrame(
        {"prompt": ["\x1b[2J" + "x" * 90], "code": ["~~~~\n# heading\x85\u2028"], "short": ["\x1b[2J`"]}
    )
    text = shown(rows, [])
    assert all(character == "\n" or character.isprintable() for character in text)
    assert "~~~~~text\n~~~~\n# heading" in text
