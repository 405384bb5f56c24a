import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.proposal.columns import ANSWERS, PROMPTS, detect_columns
from generators.problems.source import SourceError

WRITTEN = {
    "plain": "{answer}",
    "gsm8k": "First {answer} is found.\nIt is checked.\n#### {answer}",
    "boxed": r"We find ${answer}$, so the total is $\boxed{{{answer}}}$.",
}


def detected(rows, **chosen):
    names = list(dict.fromkeys(name for row in rows for name in row))
    return asyncio.run(detect_columns(rows, names, label="problems.jsonl", **chosen))


def rows_of(prompt, answer, format, numbers, **others):
    return [
        {
            **others,
            prompt: f"Ann has {number} apples and buys {index} more. How many has she?",
            answer: WRITTEN[format].format(answer=number + index),
        }
        for index, number in enumerate(numbers)
    ]


@settings(deadline=None)
@given(
    prompt=st.sampled_from(PROMPTS),
    answer=st.sampled_from(ANSWERS),
    format=st.sampled_from(list(WRITTEN)),
    numbers=st.lists(st.integers(0, 999), min_size=3, max_size=12),
    other=st.sampled_from([{}, {"id": "a-1"}, {"subject": "Algebra"}, {"url": "https://example.org/1"}]),
)
def test_columns_and_format_of_a_generated_table_are_recovered(prompt, answer, format, numbers, other):
    mapping = detected(rows_of(prompt, answer, format, numbers, **other)).mapping
    assert (mapping.prompt, mapping.answer, mapping.answer_format) == (prompt, answer, format)


@settings(deadline=None)
@given(format=st.sampled_from(["gsm8k", "boxed"]), numbers=st.lists(st.integers(0, 999), min_size=3, max_size=8))
def test_marked_answers_and_long_texts_are_recognised_under_any_name(format, numbers):
    mapping = detected(rows_of("aufgabe", "loesung", format, numbers, nr="7")).mapping
    assert (mapping.prompt, mapping.answer, mapping.answer_format) == ("aufgabe", "loesung", format)


def test_an_answer_of_its_own_is_preferred_to_the_end_of_a_solution_and_the_other_is_named():
    rows = [
        {**row, "solution": WRITTEN["boxed"].format(answer=row["answer"]), "level": "Level 2"}
        for row in rows_of("problem", "answer", "plain", [3, 4, 5])
    ]
    columns = detected(rows)
    assert (columns.answer.column, columns.answer.format, columns.level) == ("answer", "plain", "level")
    assert [(trial.column, trial.format) for trial in columns.trials] == [("answer", "plain"), ("solution", "boxed")]


def test_the_evidence_counts_rows_that_parse_and_answers_that_verify():
    rows = rows_of("question", "answer", "gsm8k", range(10))
    rows[3]["answer"], rows[5]["answer"] = "no mark", "So\n#### ?"
    trial = detected(rows).answer
    assert (trial.rows, trial.parsed, trial.verified) == (10, 9, 8)


def test_numbers_as_json_writes_them_are_answers():
    rows = [{"question": f"What is {n} plus one?", "answer": n + 1} for n in range(5)]
    assert detected(rows).mapping.answer_format == "plain"


def test_a_table_without_answers_is_open_ended():
    rows = [{"prompt": f"Write a poem about the number {n}.", "topic": "poetry"} for n in range(5)]
    assert detected(rows).mapping.answer_format == "none"


def test_columns_that_the_user_names_are_taken():
    rows = [{"question": "It is late, what now?", "text": f"What is {n} plus one?", "x": str(n + 1)} for n in range(5)]
    mapping = detected(rows, prompt="text", answer="x").mapping
    assert (mapping.prompt, mapping.answer, mapping.answer_format) == ("text", "x", "plain")


@pytest.mark.parametrize(
    ("rows", "chosen", "sentence"),
    [
        (
            [{"a": 1, "b": 2}],
            {},
            "no column of problems.jsonl reads as a problem; there are a, b: name it with",
        ),
        ([{"question": "Why?", "answer": "1"}], {"prompt": "quest"}, "has no column 'quest': set --prompt to one of"),
        ([{"question": "Why?", "answer": "1"}], {"answer": "gold"}, "has no column 'gold': set --answer to one of"),
    ],
)
def test_what_cannot_be_seen_is_asked_for_by_its_option(rows, chosen, sentence):
    with pytest.raises(SourceError) as refused:
        detected(rows, **chosen)
    assert sentence in str(refused.value), json.dumps(rows)


def test_a_task_is_read_with_what_it_applies_to():
    rows = [
        {
            "instruction": "Solve the problem.",
            "input": f"Ann has {number} apples and buys 2 more. How many has she?",
            "output": f"She has {number} + 2 = {number + 2}. The answer is {number + 2}.",
        }
        for number in range(12)
    ]
    columns = detected(rows)
    assert columns.mapping.prompt == ("input", "instruction")
    assert (columns.answer.column, columns.answer.format) == ("output", "sentence")
    assert columns.answer.answers[:2] == ("2", "3")


@pytest.mark.parametrize(
    "names", [("A", "B", "C", "D"), ("opa", "opb", "opc", "opd"), ("option_1", "option_2", "option_3")]
)
def test_choices_in_a_column_each_are_refused_and_named(names):
    rows = [
        {
            "question": f"What is {number} plus 2?",
            **{name: str(number + n) for n, name in enumerate(names)},
            "answer": "C",
        }
        for number in range(12)
    ]
    with pytest.raises(SourceError, match=f"stand in the columns {', '.join(names)}.*'choices'.*--answer"):
        detected(rows)
    assert detected(rows, answer="answer").answer.column == "answer"
