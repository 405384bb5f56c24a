import pytest

from filters.texts.alike import MOST_COMPARED, Alike

MANY = 2000


def alike(kind="none"):
    texts = Alike()
    for number in range(MANY):
        texts.add(number, ["prove", "that", "every", f"ring{number}", "with", f"field{number}", "is", "whole"], kind)
    return texts


@pytest.mark.parametrize(
    "words",
    [
        "prove that every ring1234 with field1234 is whole",
        "prove that each ring1234 with field1234 is whole",
        "prove that every ring1234 with fields is whole",
        "is every ring1234 whole",
    ],
)
def test_one_of_many_texts_without_figures_is_found_among_a_few(words):
    near = alike().near(words.split(), "none")
    assert 1234 in near
    assert len(near) <= MOST_COMPARED


def test_what_all_texts_share_brings_no_more_than_a_few_of_them():
    assert len(alike().near(["prove", "that", "every", "number", "is", "whole"], "none")) <= MOST_COMPARED


def test_texts_of_another_kind_are_no_candidates():
    assert alike("3").near(["prove", "that", "every", "ring7", "with", "field7", "is", "whole"], "4") == []


def test_all_of_a_few_are_candidates_whatever_their_words():
    texts = Alike()
    for number in range(MOST_COMPARED):
        texts.add(number, [f"w{number}"], "none")
    assert texts.near(["other"], "none") == list(range(MOST_COMPARED))
