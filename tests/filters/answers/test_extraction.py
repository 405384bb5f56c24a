import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.answers.checker import AnswerRule
from filters.answers.extraction import Found, after_hashes, extract_answer, find_answer, gold_value

BARE = AnswerRule(bare_last_number=True)
READ = AnswerRule(unfinished_thoughts="read")
BOXED = st.text(st.characters(exclude_characters="\\{}", exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    str.strip
)


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"So it is \boxed{18}.", "18"),
        (r"First \boxed{17}, no: \boxed{18}", "18"),
        ("9 * 2 = 18\n#### 18", "18"),
        ("#### 17\nno\n#### 1,800\n", "1,800"),
        ("Answer: 5\nBut 5 is too small.\nAnswer: 7", "7"),
        (r"The answer is 12. To check: 3 \cdot 4 = \boxed{12}", "12"),
        (r"\boxed{5}. #### 6", "6"),
        ("#### 5\nFinal answer: 6", "6"),
        (r"\boxed{12}</s>", "12"),
        ("I count 17, then 18 eggs.", None),
        ("", None),
    ],
)
def test_the_last_claim_of_a_response_counts(response, answer):
    assert extract_answer(response) == answer


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"\boxed{5}. Wait, that is wrong. The answer is 6.", "6"),
        (r"\boxed{3}, \boxed{5}. Wait, that is wrong. The answer is 6.", "6"),
        (r"\boxed{5}. No, actually it should be 6.", "6"),
        (r"\boxed{5}. Oops, I made a mistake.", None),
        (r"\boxed{5}. That's wrong.", None),
        (r"\boxed{4} or rather \boxed{5}. Wait, that is not right.", None),
        ("#### 5\nWait, no.\n#### 6", "6"),
        ("The answer is 5. Wait, that's incorrect. The answer is no solution.", "no solution"),
        ("Die Antwort ist 5. Das ist falsch. Die Antwort ist 6.", "6"),
        ("答案是5。不对，答案是6。", "6"),
        (r"\boxed{5}. Wait, let me verify: 2 + 3 = 5. Correct.", "5"),
        (r"\boxed{5}. Wait, is that wrong? 2 + 3 = 5. It is right.", "5"),
        (r"\boxed{5}. A common mistake is to get 6.", "5"),
        (r"\boxed{5}. I hope this is correct.", "5"),
    ],
)
def test_what_the_response_takes_back_does_not_count(response, answer):
    assert extract_answer(response) == answer


def test_after_a_retraction_a_bare_last_number_is_one_that_follows_it():
    assert extract_answer(r"\boxed{5}. Oops, I made a mistake.", BARE) is None
    assert extract_answer(r"\boxed{5}. Oops, I made a mistake: 2 and 4 give 6", BARE) == "6"


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        (r"\boxed{12} So the answer is 12 apples.", "12"),
        (r"\boxed{\frac{3}{4}} That is, the answer is approximately 0.75.", r"\frac{3}{4}"),
        (r"\boxed{12}. For x = 2 the answer is 5.", "12"),
        (r"\boxed{12} The answer is correct.", "12"),
        ("\\boxed{A}\n\nThe answer is 12.", "A"),
        ("\\boxed{5}\nFinal answer: 6", "6"),
    ],
)
def test_a_later_statement_overrules_a_box_only_if_it_states_another_answer(response, answer):
    assert extract_answer(response) == answer


@pytest.mark.parametrize(
    ("response", "answer"),
    [
        ("<think>maybe \\boxed{5}</think>\nThe answer is 6.", "6"),
        ("maybe \\boxed{5}</think> It is \\boxed{7}", "7"),
        ("<think>\\boxed{5}</think> I give up.", None),
        ("<think>it is \\boxed{5}</think>\n", "5"),
        ("<think>maybe \\boxed{5}? Let me check", None),
        ("<think>a</think>So <think>\\boxed{3}", None),
        ("\\boxed{4} <think>or \\boxed{5}?", "4"),
        ("<thinking>\\boxed{5}", None),
        ("I think that it is \\boxed{5}", "5"),
    ],
)
def test_thoughts_are_no_answer_unless_they_ended_and_nothing_follows(response, answer):
    assert extract_answer(response) == answer


def test_unfinished_thoughts_are_read_where_the_source_says_so():
    assert extract_answer("<think>maybe \\boxed{5}? Let me check", READ) == "5"


@pytest.mark.parametrize(
    ("response", "found_by"),
    [
        (r"\boxed{18}", "box"),
        ("she has 18 #### 18", "hashes"),
        ("<answer>18</answer>", "tag"),
        ("The answer is 18.", "phrase"),
        ("### Final Answer\n18", "heading"),
        ("She has **18**.", "bold"),
        ("She has 18.", "last_number"),
    ],
)
def test_the_rule_that_found_the_answer_is_named(response, found_by):
    assert find_answer(response, BARE) == Found(text="18", found_by=found_by)


def test_a_bare_last_number_counts_only_where_the_source_allows_it():
    assert extract_answer("I count 17, then 1,800 eggs.") is None
    assert extract_answer("I count 17, then 1,800 eggs.", BARE) == "1,800"
    assert extract_answer(r"\boxed{4}, found in 2 steps", BARE) == "4"


@pytest.mark.parametrize(
    ("gold", "value"),
    [
        (r"So the answer is: \[ \boxed{32349} \]", "32349"),
        (r"$\boxed{1}\boxed{2}$", "1, 2"),
        (r"\boxed{1} papers and \boxed{2} bins", "1, 2"),
        (r"\boxed{1} no no no no no \boxed{2}", "2"),
        ("$1$ and $2$ and $3$", "$1$ and $2$ and $3$"),
        ("The answer is 5", "The answer is 5"),
        (r"\boxed{}", r"\boxed{}"),
    ],
)
def test_a_gold_answer_is_what_its_boxes_conclude_or_stands_as_it_is(gold, value):
    assert gold_value(gold) == value


def test_the_text_after_the_last_hashes_is_found_anywhere_in_a_line():
    assert after_hashes("#### 17\n so 18 #### 18 \n####\n") == "18"
    assert after_hashes("no mark") is None


@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_000,
        r"\boxed{" * 20_000 + "5",
        r"\boxed" * 20_000,
        "#### " * 20_000,
        "the answer is " * 10_000,
        "the answer is not 5. " * 10_000,
        "Answer:\n" * 20_000,
        "Answer: 5" + " " * 100_000,
        "<answer>" * 20_000,
        "<think>" * 20_000,
        "**" * 50_000,
        "$" * 100_000,
        r"\boxed{5} " + "wait " * 20_000,
        "答" * 50_000,
    ],
    ids=lambda text: ascii(text[:16]),
)
def test_a_hundred_thousand_marks_that_name_nothing_are_no_answer(text):
    assert extract_answer(text) in (None, "5", "the answer is")


@given(BOXED)
def test_what_was_boxed_comes_back(answer):
    assert extract_answer(rf"Thus $\boxed{{{answer}}}$ and done.") == answer.strip()


@given(st.text(max_size=80), st.integers(-(10**6), 10**6))
def test_a_claim_that_is_added_is_the_answer(text, number):
    assert extract_answer(f"{text}\n\nWait, that is wrong.\n\n\\boxed{{{number}}}") in (str(number), None)
    assert extract_answer(f"{text.replace('<', '').replace('[', '')}\n\n#### {number}") == str(number)


@given(st.text(alphabet="\\boxed{}# theanswris:.0123\n$<>/*") | st.text())
def test_no_text_raises(text):
    extract_answer(text, BARE)
    extract_answer(text, READ)
    gold_value(text)
    after_hashes(text)
