import asyncio
import math
from collections import Counter
from itertools import combinations, permutations, product

import polars as pl
import pytest

from filters.answers.checker import AnswerChecker, Verdict
from filters.texts.contamination import DEFAULT_SETTINGS, VERBATIM
from filters.texts.passages import passages_of, without_passages
from filters.texts.thoughts import Tags, parse
from generators.long_cot_traces import prompt as long_cot
from generators.long_cot_traces.behaviours import behaviours
from generators.long_cot_traces.prompt import LongCotPrompt, draw_examples, prompt_ids
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.worked_examples import Example, load_examples, read_example, texts_of
from tests.fakes import CharTokenizer

GENERAL, SHORT = load_examples("general"), load_examples("short")
EVERY = pytest.mark.parametrize("example", GENERAL + SHORT, ids=lambda example: example.name)
TOKENIZER = CharTokenizer()


def prompt_with(examples=(), seed=0, **settings):
    return LongCotPrompt(examples=examples, seed=seed, settings=Settings(**settings))


def text_of(problem, prompt, tokenizer=TOKENIZER):
    return tokenizer.decode(prompt_ids(problem, tokenizer=tokenizer, prompt=prompt))


def test_there_are_ten_examples_and_a_few_short_ones():
    assert len(GENERAL) == 10
    assert len(SHORT) == 6


@EVERY
def test_the_solution_of_an_example_ends_in_its_answer_and_not_in_a_perturbed_one(example):
    async def verdicts():
        with AnswerChecker() as checker:
            right = await checker.check(example.solution, example.answer)
            wrong = await checker.check(example.solution, {"Ben": "Anna"}.get(example.answer, "17"))
            return right.verdict, wrong.verdict

    assert asyncio.run(verdicts()) == (Verdict.EQUAL, Verdict.DIFFERENT)


@EVERY
def test_an_example_is_well_formed(example):
    parsed = parse(Tags().join(example.thoughts, example.solution))
    assert (parsed.thoughts, parsed.solution) == (example.thoughts, example.solution)


def test_the_examples_show_every_behaviour_and_each_of_the_ten_turns_back_and_verifies():
    kinds = [{behaviour.kind for behaviour in behaviours(example.thoughts)} for example in GENERAL]
    assert all({"backtracking", "verification"} <= of for of in kinds)
    assert set().union(*kinds) == {"backtracking", "verification", "subgoal_setting", "backward_chaining"}


def test_two_short_examples_turn_back_and_all_of_them_verify():
    kinds = {example.name: {behaviour.kind for behaviour in behaviours(example.thoughts)} for example in SHORT}
    assert all("verification" in of for of in kinds.values())
    assert {name for name, of in kinds.items() if "backtracking" in of} == {"slip_noticed", "second_slip"}


def oven(order):
    prepared = baked = 0
    for prepare, bake in order:
        prepared += prepare
        baked = max(baked, prepared) + bake
    return baked


def printed():
    numbers, total = [3, 1, 4, 2, 5], 0
    for i in range(1, len(numbers)):
        if numbers[i] > numbers[i - 1]:
            total += numbers[i]
            numbers[i] = numbers[i - 1]
        else:
            total -= 1
    return total


def truthful():
    everyone = product((False, True), repeat=3)
    (only,) = [(a, b, c) for a, b, c in everyone if a is not b and b is not c and c is (not a and not b)]
    return [name for name, is_true in zip(("Anna", "Ben", "Clara"), only, strict=True) if is_true]


def two_balls():
    pairs = [set(pair) for pair in combinations(range(10), 2)]
    red = {0, 1, 2, 3}
    return sum(pair <= red for pair in pairs), sum(bool(pair & red) for pair in pairs)


COMPUTED = {
    "altitude": lambda: round(54 * (12 / 15) ** 2, 6),
    "bakery": lambda: (240 * 5 // 8 * 2 // 3 + 25) * 3 // 5,
    "balloon": lambda: sum("LL" not in word for word in {"".join(order) for order in permutations("BALLOON")}),
    "garden_pool": lambda: round(math.pi * 1.5**2 * 0.6 * 1000 / (12 / 40) / 3600, 1),
    "one_oven": lambda: min(oven(order) for order in permutations([(20, 50), (10, 40), (30, 25)])),
    "program_trace": printed,
    "remainders": lambda: next(n for n in range(1, 200) if (n % 3, n % 5, n % 7) == (2, 3, 4)),
    "square_root": lambda: ", ".join(str(x) for x in range(-1, 99) if math.sqrt(2 * x + 3) == x - 6),
    "truth_tellers": lambda: ", ".join(truthful()),
    "two_balls": lambda: f"\\frac{{1}}{{{two_balls()[1] // two_balls()[0]}}}",
}


def test_the_answers_are_what_a_computation_says():
    assert {example.name: example.answer for example in GENERAL} == {name: str(f()) for name, f in COMPUTED.items()}
    for example in SHORT:
        left, _ = example.problem.split("problem: ")[1].split(" =")
        assert str(eval(left)) == example.answer


def test_every_example_is_drawn_about_equally_often_and_always_the_same_for_a_problem():
    prompt = prompt_with(GENERAL)
    drawn = [draw_examples(f"problem {n}", prompt) for n in range(1000)]
    assert drawn == [draw_examples(f"problem {n}", prompt) for n in range(1000)]
    assert all(len({one.name for one in of}) == 3 for of in drawn)
    counts = Counter(one.name for of in drawn for one in of)
    assert len(counts) == 10 and min(counts.values()) > 240 and max(counts.values()) < 360
    assert all(list(of) == sorted(of, key=GENERAL.index) for of in drawn)  # prompts share beginnings
    other = prompt_with(GENERAL, seed=1)
    assert [draw_examples(f"problem {n}", other) for n in range(1000)] != drawn


def test_the_prompt_shows_instruction_examples_and_problem_and_opens_the_thoughts():
    prompt = prompt_with(GENERAL, per_prompt=2, opening="<t>", closing="</t>")
    text = text_of("What is 2 + 2?", prompt)
    first, second = draw_examples("What is 2 + 2?", prompt)
    assert text.startswith("Think before you answer. First write your thoughts between <t> and </t>:")
    assert text.endswith("What is 2 + 2?\n<t>\n")
    assert text.index(first.problem) < text.index(first.thoughts) < text.index(second.problem)
    assert text.count("\n</t>\n\n") == 2
    roles = [message["role"] for message in long_cot.messages("What is 2 + 2?", prompt)]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]


def test_one_message_holds_the_examples_as_well():
    prompt = prompt_with(SHORT, per_prompt=3, layout="one_message", prefill=False)
    (message,) = long_cot.messages("What is 2 + 2?", prompt)
    assert message["role"] == "user"
    assert message["content"].count("Problem:\n") == 4
    assert message["content"].endswith("Problem:\nWhat is 2 + 2?\n\nAnswer:")


def test_without_examples_and_instruction_the_problem_stands_alone():
    prompt = prompt_with(instruct=False, prefill=False)
    assert long_cot.messages("What is 2 + 2?", prompt) == [{"role": "user", "content": "What is 2 + 2?"}]
    assert text_of("What is 2 + 2?", prompt) == "What is 2 + 2?\n"


class Template(CharTokenizer):
    """A chat template that does to the text what it is told."""

    name = "template"

    def __init__(self, change):
        self.change = change

    def chat(self, messages):
        return self.encode(self.change(super().decode(super().chat(messages))))


def test_a_template_that_opens_the_thoughts_itself_is_not_opened_twice():
    tokenizer = Template(lambda text: f"{text}<think>\n")
    assert text_of("Why?", prompt_with(instruct=False), tokenizer) == "Why?\n<think>\n"


def test_a_template_that_strips_thoughts_is_refused_with_the_remedy():
    tokenizer = Template(lambda text: text.replace(SHORT[0].thoughts, ""))
    with pytest.raises(
        ValueError, match=f"layout must be 'one_message' .* template, which .* {SHORT[0].name}, got 'tu"
    ):
        text_of("Why?", prompt_with(SHORT, per_prompt=6), tokenizer)


class Special(CharTokenizer):
    def decode(self, token_ids):
        return super().decode(token_ids).replace("</think>", "")


def test_a_tag_that_the_tokenizer_does_not_decode_is_refused():
    with pytest.raises(
        ValueError, match=r"tags\.closing must survive the tokenizer characters, which drops '</think>'"
    ):
        text_of("Why?", prompt_with(), Special())


WHOLE = "# Problem\np\n# Thoughts\n\nt\n\n# no heading\n# Solution\ns\n"


def test_an_example_is_read_from_its_headings():
    assert read_example("e", WHOLE) == Example(name="e", problem="p", thoughts="t\n\n# no heading", solution="s")
    assert read_example("e", WHOLE + "# Answer\n4").answer == "4"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "no heading"),
        ("intro\n" + WHOLE, "Problem, Thoughts, Solution"),
        (WHOLE.replace("\ns\n", "\n \n"), "Problem, Thoughts, Solution"),
        (WHOLE.replace("# Thoughts", ""), "Problem, Solution"),
        (WHOLE + "# Problem\np", "Problem, Thoughts, Solution, Problem"),
    ],
)
def test_an_example_that_lacks_a_part_is_refused_by_name(text, found):
    with pytest.raises(ValueError, match=f"example e must be # Problem, .*, got {found}$"):
        read_example("e", text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"examples": "short", "per_prompt": 7}, r"per_prompt must be from 1 to the number of examples \(6\), got 7"),
        ({"examples": "general", "per_prompt": 11}, r"number of examples \(10\), got 11"),
        ({"opening": "<t>", "closing": "<t>"}, "opening must differ from closing"),
        ({"topic_shares": {"Law": 0.5, "law.": 0.5}}, "topics must have different names, got Law, law."),
    ],
)
def test_settings_that_give_no_prompt_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)


def test_examples_that_are_not_shown_bound_nothing():
    assert Settings(examples="none", per_prompt=11).worked_examples == ()


def found_among(texts, examples, settings):
    """The examples whose passages are found in the texts."""
    rows = pl.DataFrame({"row": [str(n) for n in range(len(texts))], "text": texts})
    passages = passages_of(texts_of(examples))
    found = without_passages(rows, passages, row=("row",), columns=("text",), settings=settings)
    return {item.split(":")[0] for item in found.matches["item"]}


@pytest.mark.parametrize("part", ["problem", "thoughts", "solution"])
def test_every_part_of_an_example_is_found_again_as_it_is(part):
    for examples in (GENERAL, SHORT):
        texts = [f"Well. {getattr(one, part)}" for one in examples]
        assert found_among(texts, examples, VERBATIM) == {one.name for one in examples}


def test_no_example_repeats_another():
    for one in GENERAL:
        others = [other for other in GENERAL + SHORT if other is not one]
        assert found_among([text for _, text in texts_of([one])], others, DEFAULT_SETTINGS) == set()


def test_other_sums_in_the_layout_of_the_short_examples_do_not_repeat_them():
    shown = {one.problem for one in SHORT}
    texts = []
    for a, b, c in product(range(1, 10), repeat=3):
        problem = f"State the final answer to the following arithmetic problem: {a} + {b} - {c} ="
        if problem not in shown:
            steps = f"{a} + {b} = {a + b}\n{a + b} - {c} = {a + b - c}"
            check = f"Check: {a + b - c} + {c} = {a + b}. It fits, so it is {a + b - c}."
            thoughts = f"The terms are {a}, + {b}, - {c}.\n{steps}\n{check}"
            texts += [problem, thoughts, f"{steps}\nThe answer is \\boxed{{{a + b - c}}}."]
    assert found_among(texts, SHORT, VERBATIM) == set()
