import polars as pl
import pytest

from generators.problems.fit import PromptBounds, fit_to_ask

STORY = "Ann has 12 apples and gives 5 of them to her brother. How many apples does she have now?"
GERMAN = "Anna hat 12 Äpfel und gibt ihrem Bruder 5 davon. Wie viele Äpfel hat sie noch?"


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        (STORY, None),
        ("4 + 7 - 2 =", None),
        (" \n", "blank_prompt"),
        (None, "blank_prompt"),
        ("Add these: " + "7 + 8, " * 30, "too_long"),
        (f"{STORY} The answer is 7.", "answer_in_prompt"),
        (f"{STORY}\n#### 7", "answer_in_prompt"),
        (GERMAN, "other_language"),
    ],
)
def test_a_prompt_that_cannot_be_asked_is_dropped_with_its_reason(prompt, reason):
    problems = pl.DataFrame({"prompt": [prompt]}, schema={"prompt": pl.String})
    fit = fit_to_ask(problems, PromptBounds(longest=200, language="en"))
    assert fit.counts() == ({reason: 1} if reason else {})


def test_without_a_language_any_will_do():
    assert fit_to_ask(pl.DataFrame({"prompt": [STORY, GERMAN]})).dropped.is_empty()


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"longest": 0}, "longest must be at least 1, got 0"), ({"language": "xx"}, "language must be .*, got 'xx'")],
)
def test_bounds_that_make_no_sense_are_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        PromptBounds(**changes)
