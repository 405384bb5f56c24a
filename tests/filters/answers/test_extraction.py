import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.answers.checker import AnswerRule
from filters.answers.extraction import extract_answer

BARE = AnswerRule(bare_last_number=True)


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"So it is \boxed{18}.", "18"),
        (r"First \boxed{17}, no: \boxed{18}", "18"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{\left\{1, 2\right.}", r"\left\{1, 2\right."),
        (r"\boxed{4} and then \boxed{5", "4"),
        (r"Write it in \boxed{}. The answer is 7.", "7"),
        ("9 * 2 = 18\n#### 18", "18"),
        ("#### 17\nno\n#### 1,800\n", "1,800"),
        ("The answer is 11/36.", "11/36"),
        ("The answer is 3.14. I am sure.", "3.14"),
        ("**Final answer:** $12$", "$12$"),
        ("the answer is: 5 apples\nBye", "5 apples"),
        ("I count 17, then 18 eggs.", None),
        ("", None),
    ],
)
def test_the_final_answer_is_found_where_it_is_marked(response, answer):
    assert extract_answer(response) == answer


def test_a_bare_last_number_counts_only_where_the_source_allows_it():
    assert extract_answer("I count 17, then 1,800 eggs.") is None
    assert extract_answer("I count 17, then 1,800 eggs.", BARE) == "1,800"


def test_a_mark_is_worth_more_than_a_later_number():
    assert extract_answer(r"\boxed{4}, found in 2 steps", BARE) == "4"


def test_a_hundred_thousand_open_boxes_are_read_once():
    assert extract_answer(r"\boxed{" * 20_000 + "5") is None


@given(st.text(st.characters(exclude_characters="\\{}"), min_size=1).filter(str.strip))
def test_what_was_boxed_comes_back(answer):
    assert extract_answer(rf"Thus $\boxed{{{answer}}}$ and done.") == answer.strip()


@given(st.text(alphabet="\\boxed{}# theanswris:.0123\n$") | st.text())
def test_no_text_raises(text):
    extract_answer(text, BARE)
