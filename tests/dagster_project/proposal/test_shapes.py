"""What `stepmill init` sees of each shape of problem file that people publish."""

import asyncio

import pytest

from dagster_project.proposal.columns import detect_columns

ASKED = [f"Ann has {n} apples and buys {n + 2} more. How many has she?" for n in range(3, 9)]
SUMS = [str(2 * n + 2) for n in range(3, 9)]
PAIRS = list(zip(ASKED, SUMS, strict=True))


def detected(rows, **known):
    names = list(dict.fromkeys(name for row in rows for name in row))
    return asyncio.run(detect_columns(rows, names, label="problems.jsonl", **known))


def turns(*said):
    return [{"role": role, "content": content} for role, content in said]


SHAPES = {
    "verl": (
        [
            {
                "data_source": "sums",
                "prompt": turns(("system", "Be careful, and take all the time that you need for it."), ("user", asked)),
                "reward_model": {"ground_truth": answer, "style": "rule"},
                "extra_info": {"index": index},
            }
            for index, (asked, answer) in enumerate(PAIRS)
        ],
        {"prompt": "prompt", "answer": "reward_model.ground_truth"},
        "plain",
    ),
    "skywork": (
        [
            {"prompt": turns(("user", asked)), "reward_model": {"ground_truth": f'["{answer}"]'}}
            for asked, answer in PAIRS
        ],
        {"prompt": "prompt", "answer": "reward_model.ground_truth"},
        "plain",
    ),
    "orz": (
        [
            {"messages": [{"from": "human", "value": asked}, {"from": "assistant", "ground_truth": {"value": answer}}]}
            for asked, answer in PAIRS
        ],
        {"prompt": "messages", "answer": "messages.ground_truth.value"},
        "plain",
    ),
    "conversations with solutions": (
        [
            {"source": "sums", "messages": turns(("user", asked), ("assistant", rf"So it is $\boxed{{{answer}}}$."))}
            for asked, answer in PAIRS
        ],
        {"prompt": "messages", "answer": "messages"},
        "boxed",
    ),
    "olympiadbench": (
        [
            {
                "context": None,
                "question": asked,
                "final_answer": [answer],
                "answer_type": "Numerical",
                "is_multiple_answer": False,
                "unit": None,
                "error": None,
            }
            for asked, answer in PAIRS
        ],
        {
            "prompt": "question",
            "answer": "final_answer",
            "all_needed": "is_multiple_answer",
            "unit": "unit",
            "tolerance": "error",
        },
        "plain",
    ),
    "body and question": (
        [
            {"body": "Ann has some apples.", "question": asked, "answer": f"{answer} (apples)"}
            for asked, answer in PAIRS
        ],
        {"prompt": ("body", "question"), "answer": "answer"},
        "plain",
    ),
    "sentences": (
        [{"question": asked, "answer": f"She buys some. The answer is {answer}."} for asked, answer in PAIRS],
        {"prompt": "question", "answer": "answer"},
        "sentence",
    ),
    "yes and no": (
        [{"question": f"{asked} Is it even?", "answer": ("Yes", "No")[n % 2]} for n, asked in enumerate(ASKED)],
        {"prompt": "question", "answer": "answer"},
        "plain",
    ),
    "booleans": (
        [{"question": f"{asked} Is it even?", "answer": n % 2 == 0} for n, asked in enumerate(ASKED)],
        {"prompt": "question", "answer": "answer"},
        "plain",
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_columns_of_a_shape_are_seen(shape):
    rows, mapped, answer_format = SHAPES[shape]
    columns = detected(rows)
    assert (columns.mapping.mapped, columns.mapping.answer_format) == (mapped, answer_format)
    assert columns.answer.verified == len(rows)
    assert len(columns.prompts(rows)) == len(rows)


@pytest.mark.parametrize(
    ("choices", "answer", "path"),
    [
        ({"text": ["12", "14"], "label": ["A", "B"]}, "answerKey", "choices"),
        (["A)12", "B)14"], "correct", "options"),
        ({"A": "12", "B": "14"}, "label", "options"),
    ],
)
def test_choices_that_the_prompts_lack_are_seen_with_their_labels(choices, answer, path):
    rows = [{"question": asked, path: choices, answer: "AB"[n % 2]} for n, asked in enumerate(ASKED)]
    mapping = detected(rows).mapping
    assert mapping.mapped == {"prompt": "question", "choices": path, "answer": answer}


def test_choices_that_the_prompts_show_are_no_column_of_choices():
    rows = [{"question": f"{asked} A) 12 B) 14", "choices": ["12", "14"], "answer": "A"} for asked in ASKED]
    assert detected(rows).mapping.mapped == {"prompt": "question", "answer": "answer"}


GSM8K = [{"question": asked, "answer": f"She adds them.\n#### {answer}"} for asked, answer in PAIRS]


@pytest.mark.parametrize(
    "known", [{"name": "gsm8k_train"}, {"name": "GSM8K"}, {"name": "any", "dataset": "openai/gsm8k"}], ids=str
)
def test_a_known_set_is_recognised_by_its_name_or_by_its_id_on_the_hub(known):
    assert detected(GSM8K, **known).preset == "gsm8k"


def test_another_file_of_the_same_columns_and_another_one_of_the_name_are_no_known_set():
    assert detected(GSM8K, name="my_sums").preset is None
    assert detected([{"problem": asked, "answer": answer} for asked, answer in PAIRS], name="gsm8k").preset is None


def test_what_the_user_names_goes_before_a_known_set():
    columns = detected(GSM8K, name="gsm8k", prompt="question")
    assert (columns.preset, columns.why_prompt) == (None, "you named it")
