import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators.sampling.steps import step_ends, step_texts
from tests.fakes import EOS, CharTokenizer

TOKENIZER = CharTokenizer()

TABLE = [
    ("a\nb", ["a\n", "b"]),
    ("a\n\nb\n", ["a\n\n", "b\n"]),
    ("\na", ["\na"]),
    ("a\n  \nb", ["a\n  \n", "b"]),
    ("one line", ["one line"]),
    ("", []),
    ("\n\n", []),
]


@pytest.mark.parametrize(("text", "steps"), TABLE)
def test_a_step_is_a_line_with_something_on_it(text, steps):
    ids = TOKENIZER.encode(text)
    ends = step_ends(ids, TOKENIZER)
    assert list(step_texts(ids, ends, TOKENIZER)) == steps


def test_the_end_of_text_token_belongs_to_the_last_step():
    ids = (*TOKENIZER.encode("a\nb\n"), EOS)
    assert step_ends(ids, TOKENIZER) == (2, 5)


@given(st.text(alphabet="ab \n", max_size=40))
def test_the_steps_joined_are_the_solution_and_none_is_blank(text):
    ids = TOKENIZER.encode(text)
    ends = step_ends(ids, TOKENIZER)
    steps = step_texts(ids, ends, TOKENIZER)
    assert "".join(steps) == (text if text.strip() else "")
    assert all(step.strip() for step in steps)
    assert list(ends) == sorted(set(ends))


@given(st.text(alphabet="ab \n", max_size=40))
def test_a_prefix_of_whole_steps_has_the_same_steps(text):
    ids = TOKENIZER.encode(text)
    ends = step_ends(ids, TOKENIZER)
    for count, end in enumerate(ends, start=1):
        assert step_ends(ids[:end], TOKENIZER) == ends[:count]
