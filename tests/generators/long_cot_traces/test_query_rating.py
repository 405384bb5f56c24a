import asyncio

import pytest
from upath import UPath

from generators.engine.protocol import Sampling
from generators.long_cot_traces.mix import mix_by_ratings
from generators.long_cot_traces.query_criteria import CRITERIA
from generators.long_cot_traces.query_rating import QueryMixConfig, rate, read_criteria, read_topic
from generators.long_cot_traces.query_topic import TOPICS
from generators.long_cot_traces.records import QueryRating
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.table import ratings_table
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from tests.fakes import CharTokenizer, ScriptedEngine

QUERY = Problem(problem_id="q", source="s", prompt="How do I sort a list of dates in Python?", answer="")


def lines(answers, form="{name}: {answer}"):
    return "\n".join(form.format(name=name, answer=answer) for name, answer in zip(CRITERIA, answers, strict=True))


FIVE = ["yes", "yes", "no", "yes", "no", "yes", "yes"]
AS_BOOLS = (True, True, False, True, False, True, True)


@pytest.mark.parametrize(
    "text",
    [
        lines(FIVE),
        lines(FIVE, "- **{name}**: {answer}."),
        lines(FIVE, "{name} = {answer}").upper(),
        lines([{"yes": "1", "no": "0"}[answer] for answer in FIVE]),
        lines([{"yes": "True", "no": "False"}[answer] for answer in FIVE]),
        lines(FIVE).replace("_", " ").title(),
        lines(FIVE).replace("problem_solving", "Problem-Solving"),
        "Here is my rating.\n" + lines(FIVE) + "\nI hope that helps.",
        "\n".join(f"{n}. {line}" for n, line in enumerate(lines(FIVE).split("\n"), 1)),
        lines(FIVE) + "\n\n" + lines(FIVE),
        lines(FIVE, "{name}: **{answer}**, since it is so"),
    ],
)
def test_criteria_are_read_however_the_judge_dresses_them(text):
    assert read_criteria(text) == AS_BOOLS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yes\nno",
        lines([*FIVE[:6], "maybe"]),
        lines(FIVE).replace("real_world: yes", ""),
        lines(FIVE) + "\nspecificity: no",
        lines(FIVE).replace("complexity: no", "complexity: nothing special"),
    ],
)
def test_a_rating_that_lacks_an_answer_or_has_two_is_unreadable(text):
    assert read_criteria(text) is None


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("topic: coding", "coding"),
        ("Topic: **Number Theory**.", "number theory"),
        ("coding", "coding"),
        ("- topic: probability and statistics\n", "probability and statistics"),
        ("The query is about dates.\n\ntopic: coding", "coding"),
        ("topic: cooking", None),
        ("topic: coding\ntopic: algebra", None),
        ("topic: coding or algebra", None),
        ("", None),
    ],
)
def test_one_topic_of_the_list_is_read_or_none(text, topic):
    assert read_topic(text, TOPICS) == topic


def rated(folder, criteria, topic="topic: coding"):
    """The rating of the query by a judge that says these two texts, and what it was asked."""
    config = QueryMixConfig(sampling=Sampling(temperature=0.0), max_tokens=400, settings=Settings())
    asked = []

    def script(text, seed):
        asked.append(text)
        return topic if "Which of these topics" in text else criteria

    engine = ScriptedEngine(script)

    async def work():
        with Ledger(UPath(folder)) as ledger:
            sampler = Sampler(policy="judge", engine=engine, tokenizer=CharTokenizer(), ledger=ledger)
            return await rate(QUERY, sampler=sampler, config=config)

    return asyncio.run(work()), asked


def test_a_query_that_meets_enough_criteria_is_given_a_topic(tmp_path):
    rating, asked = rated(tmp_path, lines(FIVE))
    assert rating == QueryRating(problem_id="q", criteria=AS_BOOLS, topic="coding", fault=None)
    assert all("<query>\nHow do I sort a list of dates in Python?\n</query>" in text for text in asked)
    assert [name for name in CRITERIA if f"- {name}: " in asked[0]] == list(CRITERIA)
    assert [topic for topic in TOPICS if f"- {topic}\n" in asked[1]] == list(TOPICS)


def test_a_query_that_meets_too_few_is_not_asked_for_its_topic(tmp_path):
    rating, asked = rated(tmp_path, lines(["no", *FIVE[1:]]))
    assert (sum(rating.criteria), rating.topic, rating.fault, len(asked)) == (4, None, None, 1)


@pytest.mark.parametrize(
    ("criteria", "topic", "fault"),
    [
        ("I will sort them.", "topic: coding", "unreadable_criteria"),
        (lines(FIVE), "topic: cooking", "unknown_topic"),
        ("well " * 200, "topic: coding", "judge_truncated"),
        (lines(FIVE), "well " * 200, "judge_truncated"),
    ],
)
def test_what_the_judge_leaves_open_has_a_name(tmp_path, criteria, topic, fault):
    assert rated(tmp_path, criteria, topic)[0].fault == fault


def test_ratings_go_on_into_the_mix(tmp_path):
    rating, _ = rated(tmp_path, lines(FIVE))
    (row,) = mix_by_ratings(ratings_table([rating]), least_criteria=5).to_dicts()
    assert (row["is_kept"], row["why"], row["topic"], row["n_criteria"]) == (True, "criteria_met", "coding", 5)
