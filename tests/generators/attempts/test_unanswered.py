"""Attempts without a recognised answer: their share, their ends, what to change, and what found the others' answers."""

from types import SimpleNamespace

import polars as pl
import pytest

from filters.answers.verdicts import AnswerRule
from generators.attempts.unanswered import found_by, unanswered

COLUMNS = ("text", "verdict", "extracted", "found_by", "finish_reason", "max_tokens")


def attempts(*rows):
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS[:-1], pl.String) | {"max_tokens": pl.Int64}, orient="row")


def source(worked_examples="none", **rule):
    return SimpleNamespace(name="sums", worked_examples=worked_examples, answer_rule=AnswerRule(**rule))


def lacking(text, finish_reason="eos"):
    return (text, "no_answer", None, None, finish_reason, 512)


BOXED = (r"So \boxed{4}.", "equal", "4", "box", "eos", 512)
PHRASED = ("The answer is 5.", "different", "5", "phrase", "eos", 512)
ANSWERED_BEFORE = ("It is 5: #### 5", "equal", "5", None, "eos", 512)


def test_the_share_is_stated_with_the_ends_of_two_examples():
    texts = ["Long before.\n" * 9 + "So she has 3 apples.\n", "Done,\n\nit is 7", "Done,\n\nit is 7", "And 9."]
    found = unanswered([attempts(BOXED, *map(lacking, texts))], source())
    assert (found.n, found.total, found.share) == (4, 5, 0.8)
    assert found.why.startswith("80% of the attempts of source sums end without a recognised answer, such as '")
    assert "So she has 3 apples.' and 'Done, it is 7'" in found.why and "And 9" not in found.why


@pytest.mark.parametrize(
    ("n_lacking", "most", "blocks"),
    [
        (5, 0.5, []),  # a half is not most of them
        (6, 0.5, [True]),
        (6, 0.7, [False]),
        (3, 0.2, [True]),
        (2, 0.2, []),
        (0, 0.0, []),
        (10, 1.0, [False]),
    ],
)
def test_more_than_the_bound_blocks_and_more_than_a_half_warns(n_lacking, most, blocks):
    table = attempts(*[lacking("So 4.")] * n_lacking, *[BOXED] * (10 - n_lacking))
    found = list(unanswered([table], source()).findings(most))
    assert [finding.blocks for finding in found] == blocks
    assert unanswered([table], source()).check(most).passed == (blocks != [True])
    for finding in found:
        assert finding.field == "sources.sums" and "set bare_last_number = true of the source" in finding.sentence


# how the attempts end, what the source does already, and what to change first
REMEDIES = [
    ([lacking("So 4.")], {}, "set bare_last_number = true of the source"),
    ([lacking("So", "length"), lacking("And", "length"), lacking("So 4.")], {}, "raise max_tokens of [attempts] (512)"),
    (
        [lacking("So 4."), lacking("So four.")],
        {},
        "set bare_last_number = true of the source, which finds an answer in 50%",
    ),
    ([lacking("So four.")], {}, "set worked_examples of the source"),
    ([lacking("So four.")], {"bare_last_number": True}, "set worked_examples of the source"),
    (
        [lacking("So.")],
        {"bare_last_number": True, "worked_examples": "chain_sum"},
        "take a policy that writes its answer",
    ),
]


@pytest.mark.parametrize(("rows", "stated", "first"), REMEDIES)
def test_the_remedy_names_only_what_is_not_done_yet(rows, stated, first):
    assert unanswered([attempts(*rows)], source(**stated)).remedy.startswith(first)


def test_a_slice_without_an_attempt_lacks_no_answer():
    found = unanswered([attempts()], source())
    assert (found.share, list(found.findings(0.0)), found.check(0.0).passed) == (0.0, [], True)


def test_answers_are_counted_by_what_found_them_and_by_verdict():
    table = attempts(BOXED, BOXED, PHRASED, lacking("So."), ANSWERED_BEFORE)
    assert found_by(table) == {
        "box": {"equal": 2, "different": 0, "no_answer": 0},
        "not kept": {"equal": 1, "different": 0, "no_answer": 0},
        "nothing": {"equal": 0, "different": 0, "no_answer": 1},
        "phrase": {"equal": 0, "different": 1, "no_answer": 0},
    }
    assert found_by(attempts()) == {}
