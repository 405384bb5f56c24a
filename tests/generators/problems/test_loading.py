import asyncio
from dataclasses import dataclass

import polars as pl
import pytest

from filters.answers.checker import AnswerChecker
from filters.rules import Filtered
from generators.problems.loading import load_problems, problem_id
from generators.problems.source import ColumnMapping, Entry, SourceError, map_columns
from generators.problems.table import PROBLEMS, problems_of


@dataclass(frozen=True)
class Listed:
    rows: tuple[tuple[str | None, str | None], ...]
    name: str = "listed"
    has_answers: bool = True

    def candidates(self) -> Filtered:
        entries = [Entry(f"item {i}", {"prompt": p, "answer": a}) for i, (p, a) in enumerate(self.rows)]
        return map_columns(entries, ColumnMapping(answer_format="plain" if self.has_answers else "none"))


def load(*rows, share=0.05, has_answers=True):
    with AnswerChecker() as checker:
        source = Listed(rows, has_answers=has_answers)
        return asyncio.run(load_problems(source, checker=checker, max_unverified_share=share))


def test_problems_come_out_in_their_schema_with_content_ids():
    loaded = load(("2+2?", "4"), ("3+3?", "6"))
    assert PROBLEMS.validate(loaded.kept)["problem_id"].to_list() == [problem_id("2+2?", "4"), problem_id("3+3?", "6")]
    assert loaded.kept["source"].unique().to_list() == ["listed"]
    assert loaded.dropped.is_empty()


def test_ids_depend_on_prompt_and_answer_and_on_where_one_ends():
    assert problem_id("a", "b") == problem_id("a", "b")
    assert len({problem_id("a", "bc"), problem_id("ab", "c"), problem_id("a", "b"), problem_id("b", "a")}) == 4


def test_further_answers_change_an_id_in_any_order_and_none_of_them_leaves_it_as_it_was():
    assert problem_id("2+2?", "4", []) == problem_id("2+2?", "4") == "310582d41acefd1cfb440fa6"
    assert problem_id("2+2?", "4", ["five", "6"]) == problem_id("2+2?", "4", ["6", "five"])
    ids = {problem_id("2+2?", "4", others) for others in ([], ["5"], ["6"], ["5", "6"], ["56"])}
    assert len(ids) == 5


@dataclass(frozen=True)
class WithFurther(Listed):
    """A source that accepts some answers besides the first."""

    further: tuple[str | None, ...] | None = ()

    def candidates(self) -> Filtered:
        kept, dropped = super().candidates()
        return Filtered(kept.with_columns(also_accepted=pl.lit(self.further, dtype=pl.List(pl.String))), dropped)


@pytest.mark.parametrize(
    ("further", "kept"),
    [(None, []), ((), []), (("4", " 5 ", "", None, "5", "6"), ["5", "6"])],
)
def test_further_answers_are_kept_once_and_without_the_first(further, kept):
    with AnswerChecker() as checker:
        loaded = asyncio.run(load_problems(WithFurther((("2+2?", "4"),), further=further), checker=checker))
    (row,) = PROBLEMS.validate(loaded.kept).to_dicts()
    assert (row["also_accepted"], row["problem_id"]) == (kept, problem_id("2+2?", "4", kept))
    (problem,) = problems_of(loaded.kept)
    assert problem.golds == ("4", *kept)


def test_duplicates_and_rows_without_prompt_or_answer_are_set_aside():
    loaded = load(("2+2?", "4"), ("2+2?", " 4"), (None, "5"), ("5+5?", None))
    assert loaded.kept.height == 1
    assert loaded.dropped.select("origin", "source", "reason").rows() == [
        ("item 2", "listed", "missing_prompt"),
        ("item 3", "listed", "missing_answer"),
        ("item 1", "listed", "duplicate"),
    ]


def test_a_gold_answer_that_does_not_verify_is_set_aside():
    loaded = load(("2+2?", "4"), ("open?", r"\frac{1}{"), share=0.5)
    assert loaded.kept["answer"].to_list() == ["4"]
    assert loaded.counts() == {"gold_not_equal_itself": 1}


def test_yes_and_no_verify_alike():
    rows = [(f"Is {n} even?", ("Yes", "No")[n % 2]) for n in range(20)]
    assert load(*rows).kept["answer"].value_counts().sort("answer").rows() == [("No", 10), ("Yes", 10)]


@pytest.mark.parametrize(
    "answers", [("true", "false"), ("Even", "Odd"), ("A", "B"), ("(1, 2]", "[1, 2]"), ("x+1", "x+2")]
)
def test_answers_of_a_kind_verify(answers):
    assert load(*((f"What is {n}?", answer) for n, answer in enumerate(answers))).kept.height == 2


def test_a_refusal_says_where_the_first_row_stands_and_what_was_found():
    with pytest.raises(
        SourceError, match=r"item 1 is gold_not_equal_itself: the gold answer .* is unparsed when compared"
    ):
        load(("2+2?", "4"), ("open?", r"\frac{1}{"))


def test_a_source_whose_gold_does_not_verify_is_refused():
    with pytest.raises(SourceError, match=r"listed: 1 of 2 gold answers do not verify, .* above the share of 0.05"):
        load(("2+2?", "4"), ("open?", r"\frac{1}{"))


def test_problems_without_answers_have_ids_of_their_own_and_no_gold_is_verified():
    loaded = load(("Why is it so?", "because"), ("Why is it so?", None), ("And then?", r"\frac{1}{"), has_answers=False)
    assert loaded.kept.select("problem_id", "prompt", "answer").rows() == [
        (problem_id("Why is it so?", ""), "Why is it so?", ""),
        (problem_id("And then?", ""), "And then?", ""),
    ]
    assert loaded.counts() == {"duplicate": 1}


def test_a_source_without_a_usable_problem_is_refused():
    with pytest.raises(SourceError, match=r"listed has no usable problem, set aside {'missing_answer': 1}"):
        load(("2+2?", ""))
