import pytest

from filters.answers.writing.notation import spelling

SAME = [
    ("2 + 3 = 5", "2+3=5\n", True),
    ("Adding 3 gives 5", "adding  3 gives 5.", True),
    ("$\\dfrac{1}{2}\\, x$", "\\frac12 x", True),
    ("So $x = 5$", "so x=5", True),
    ("2 + 3 = 5", "2 + 3 = 6", False),
    ("1 2", "12", False),
    ("x ≤ 5", "x ≥ 5", False),
    ("", " \n", True),
]


@pytest.mark.parametrize(("one", "other", "same"), SAME)
def test_texts_that_differ_in_space_case_and_latex_spacing_only_are_spelt_alike(one, other, same):
    assert (spelling(one) == spelling(other)) is same
