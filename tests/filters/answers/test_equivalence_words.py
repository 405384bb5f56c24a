import pytest

from filters.answers.exact import compare_exactly
from filters.answers.verdicts import Verdict

EQUAL, DIFFERENT, UNPARSED = Verdict.EQUAL, Verdict.DIFFERENT, Verdict.UNPARSED

NUMBER_WORDS = [
    ("12th", "12", EQUAL),
    (r"$5^{\text{th}}$", "5", EQUAL),
    ("3^{rd}", "3", EQUAL),
    ("5 fifths", "1", EQUAL),
    ("three-fourths", "3/4", EQUAL),
    ("two thirds", r"\frac23", EQUAL),
    ("one and a half", "1.5", EQUAL),
    ("twenty-five", "25", EQUAL),
    ("one hundred and five", "105", EQUAL),
    ("2 dozen", "24", EQUAL),
    ("a dozen", "12", EQUAL),
    ("half", "1/2", EQUAL),
    ("one half", "0.5", EQUAL),
    ("2.5 million", "2,500,000", EQUAL),
    ("3 billion dollars", "3000000000", EQUAL),
    ("4 halves", "2", EQUAL),
    ("5 lakh", "500000", EQUAL),
    ("two crore", "20000000", EQUAL),
    ("minus five", "-5", EQUAL),
    ("negative 5", "-5", EQUAL),
    ("seven", "7", EQUAL),
    ("five apples", "5", EQUAL),
    ("5 degrees below zero", "-5", EQUAL),
    ("20 m below sea level", "-20", EQUAL),
    (r"\mathbb{R} \setminus \{2\}", r"x \neq 2", EQUAL),
    (r"\mathbb{R} \setminus \{2\}", r"(-\infty,2) \cup (2,\infty)", EQUAL),
    ("$2.5 million", "2500000", EQUAL),
    ("3 hundredths", "300", DIFFERENT),
    ("5 sixths", "6/5", DIFFERENT),
    ("18 thousand", "19", DIFFERENT),
    ("18 widgetons", "19", DIFFERENT),
    ("4 halves", "4", UNPARSED),
    ("18 thousand", "18", UNPARSED),
    ("18 widgetons", "18", UNPARSED),
    ("5 more apples", "5", UNPARSED),
    ("7 squared", "7", UNPARSED),
    ("7 times", "7", UNPARSED),
    ("5 factorial", "5", UNPARSED),
    ("2 pairs", "2", UNPARSED),
    ("3 degrees above zero", "3", UNPARSED),
]
WORDS = [
    ("no solutions", "no solution", EQUAL),
    ("There is no solution.", "no solution", EQUAL),
    ("There are no real solutions", "no solution", EQUAL),
    ("No real roots", "no real solutions", EQUAL),
    ("none", "No solution", EQUAL),
    ("DNE", "does not exist", EQUAL),
    (r"\text{DNE}", "Does Not Exist", EQUAL),
    (r"\text{undefined}", "Undefined", EQUAL),
    (r"\emptyset", r"\varnothing", EQUAL),
    ("∅", "empty set", EQUAL),
    ("infinitely many solutions", "infinitely many", EQUAL),
    ("infinite", "infinitely many", EQUAL),
    ("Yes.", "yes", EQUAL),
    ("YES", "yes", EQUAL),
    ("true", "True", EQUAL),
    (r"(-\infty,\infty)", r"\mathbb{R}", EQUAL),
    ("all reals", r"\mathbb{R}", EQUAL),
    ("All real numbers", r"(-\infty,\infty)", EQUAL),
    (r"\R", r"\mathbb R", EQUAL),
    ("Tues.", "Tuesday", EQUAL),
    ("March 5", "5th of March", EQUAL),
    ("Mar 5, 2020", "5 March 2020", EQUAL),
    ("East", "east", EQUAL),
    ("no solution", "5", DIFFERENT),
    ("Yes", "No", DIFFERENT),
    ("true", "false", DIFFERENT),
    ("Monday", "Tuesday", DIFFERENT),
    ("March 5", "March 6", DIFFERENT),
    ("Anna", "Ben", DIFFERENT),
    ("no solution", r"\emptyset", UNPARSED),
    ("undefined", "no solution", UNPARSED),
    ("DNE", "no solution", UNPARSED),
    ("no solution", "0", UNPARSED),
    ("no integer solutions", "no real solutions", UNPARSED),
    ("yes", "true", UNPARSED),
    ("the red car", "the blue car", UNPARSED),
]
CHOICES = [
    (r"\textbf{(D)}\ 10", "10", EQUAL),
    (r"\textbf{(D)}\ 10", "D", EQUAL),
    (r"\textbf{(D)} 10", "(D)", EQUAL),
    ("D) 10", "10", EQUAL),
    ("D. 10", "D", EQUAL),
    (r"(D) \frac{3}{4}", "0.75", EQUAL),
    (r"\text{(B)}\ \sqrt{2}", r"\sqrt{2}", EQUAL),
    (r"\text{(B)}\ -5", "-5", EQUAL),
    (r"m\angle ABC = 40^\circ", "40", EQUAL),
    ("A", "(A)", EQUAL),
    ("(A)", "A.", EQUAL),
    ("A. 12", "A", EQUAL),
    (r"\text{(A)} 12", "A", EQUAL),
    (r"\boxed{A}", "A", EQUAL),
    ("Option B", "B", EQUAL),
    ("The correct answer is (B)", "B", EQUAL),
    ("A and C", "A, C", EQUAL),
    ("ACD", "A, C, D", EQUAL),
    ("(b)", "B", EQUAL),
    (r"\textbf{(D)} 10", "11", DIFFERENT),
    (r"\textbf{(D)} 10", "C", DIFFERENT),
    ("ACD", "A, C", DIFFERENT),
    ("A", "B", DIFFERENT),
    ("b", "B", UNPARSED),
]
TIMES = [
    ("3:00 PM", "15:00", EQUAL),
    ("3:00 p.m.", "3 PM", EQUAL),
    ("3:00 pm", "3:00 PM", EQUAL),
    ("10:30 a.m.", "10:30 AM", EQUAL),
    ("10:30 a.m.", "10:30", EQUAL),
    ("12:00 noon", "12:00 PM", EQUAL),
    ("noon", "12:00 PM", EQUAL),
    ("3 o'clock", "3:00", EQUAL),
    ("09:05", "9:05", EQUAL),
    ("7:32", "7 : 32", EQUAL),
    ("1:2:3", "1 : 2 : 3", EQUAL),
    ("7 to 32", "7:32", EQUAL),
    ("S:S'=7:32", "7:32", EQUAL),
    ("10:30 a.m.", "10:30 p.m.", DIFFERENT),
    ("10:30", "10:35", DIFFERENT),
    ("3:4", "4:3", DIFFERENT),
    ("12:30", "1230", UNPARSED),
    ("6:8", "3:4", UNPARSED),
    ("3:4", "3/4", UNPARSED),
]


@pytest.mark.parametrize(("one", "other", "verdict"), NUMBER_WORDS)
def test_words_that_are_numbers_change_the_number_before_them(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), WORDS)
def test_phrases_that_say_the_same_are_equal_and_others_are_left_open(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), CHOICES)
def test_a_choice_is_its_letter_or_its_text(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict


@pytest.mark.parametrize(("one", "other", "verdict"), TIMES)
def test_times_of_day_and_ratios_are_read_as_such(one, other, verdict):
    assert compare_exactly(one, other).verdict is verdict
    assert compare_exactly(other, one).verdict is verdict
