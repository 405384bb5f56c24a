import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.texts.thoughts import Parsed, Tags, parse

TAGS = Tags()


@pytest.mark.parametrize(
    ("text", "thoughts", "solution"),
    [
        ("<think>\nI add.\n</think>\n\nIt is 4.", "I add.", "It is 4."),
        ("  <think>I add.</think>It is 4.\n", "I add.", "It is 4."),
        ("<think>a < b, so\n\nx</think>y <b>z</b>", "a < b, so\n\nx", "y <b>z</b>"),
    ],
)
def test_thoughts_stand_between_the_tags_and_the_solution_behind(text, thoughts, solution):
    assert parse(text) == Parsed(thoughts=thoughts, solution=solution)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I add. It is 4.", "no_opening_tag"),
        ("I add.</think>It is 4.", "no_opening_tag"),
        ("<think>I add. It is 4.", "no_closing_tag"),
        ("<think>I add.</think>It is 4.</think>", "repeated_tags"),
        ("<think><think>I add.</think>It is 4.", "repeated_tags"),
        ("</think>I add.<think>It is 4.", "tags_out_of_order"),
        ("Sure! <think>I add.</think>It is 4.", "text_before_thoughts"),
        ("<think> \n</think>It is 4.", "empty_thoughts"),
        ("<think>I add.</think>\n", "empty_solution"),
        ("", "no_opening_tag"),
    ],
)
def test_a_malformed_text_has_a_reason_and_no_parts(text, reason):
    assert parse(text) == Parsed(reason=reason)


def test_of_a_text_that_was_cut_off_nothing_else_is_said():
    for text in ("<think>I add", "<think>I add.</think>It is", "It"):
        assert parse(text, truncated=True).reason == "truncated"


def test_tags_are_a_setting():
    tags = Tags(opening="[[thoughts]]", closing="[[solution]]")
    assert parse("[[thoughts]] a [[solution]] b", tags=tags) == Parsed(thoughts="a", solution="b")
    assert parse("<think>a</think>b", tags=tags).reason == "no_opening_tag"


PART = st.text().map(str.strip).filter(lambda part: part and not {"<", ">"} & set(part))


@given(PART, PART)
def test_what_is_joined_is_parsed_again(thoughts, solution):
    assert parse(TAGS.join(thoughts, solution)) == Parsed(thoughts=thoughts, solution=solution)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"opening": ""}, "opening must be a tag without white space around it, got ''"),
        ({"closing": " </t>"}, "closing must be a tag without white space around it, got ' </t>'"),
        ({"opening": "</think>"}, "opening must differ from closing"),
        ({"opening": "think"}, "opening must differ from closing"),
    ],
)
def test_tags_that_cannot_be_told_apart_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        Tags(**changes)
