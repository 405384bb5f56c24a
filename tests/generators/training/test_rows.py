import polars as pl

from generators.training.examples import Example
from generators.training.pairs import Pair
from generators.training.rows import corrections, right_attempts, step_pairs, weighted_pairs


def test_right_attempts_that_ended_are_learnt_once():
    rows = pl.DataFrame(
        [
            ("p", [1, 2], [3, 0], True, "eos"),
            ("p", [1, 2], [3, 0], True, "eos"),
            ("p", [1, 2], [4, 0], False, "eos"),
            ("p", [1, 2], [5, 0], None, "eos"),
            ("p", [1, 2], [6, 6], True, "length"),
            ("q", [1, 7], [3, 0], True, "eos"),
        ],
        schema=["problem_id", "prompt_token_ids", "token_ids", "is_right", "finish_reason"],
        orient="row",
    )
    assert right_attempts(rows) == [Example((1, 2, 3, 0), 2), Example((1, 7, 3, 0), 2)]


def test_the_mistake_of_a_correction_is_read_and_not_learnt():
    rows = pl.DataFrame({"prompt_token_ids": [[1, 2]], "token_ids": [[3, 4, 0]], "loss_mask": [[0, 1, 1]]})
    assert corrections(rows) == [Example((1, 2, 3, 4, 0), 2, (False, True, True))]


def test_a_step_pair_has_both_steps_after_the_steps_before():
    rows = pl.DataFrame({"prefix_token_ids": [[1, 2]], "chosen_token_ids": [[3, 0]], "rejected_token_ids": [[4]]})
    assert step_pairs(rows) == [Pair(chosen=Example((1, 2, 3, 0), 2), rejected=Example((1, 2, 4), 2))]


def test_a_weighted_pair_has_the_weights_of_its_solutions_alone():
    rows = pl.DataFrame(
        {
            "response_start": [1],
            "chosen_token_ids": [[1, 3, 0]],
            "rejected_token_ids": [[1, 4, 0]],
            "chosen_weights": [[0.0, 1.0, 1.0]],
            "rejected_weights": [[0.0, 0.9, 0.2]],
        }
    )
    assert weighted_pairs(rows) == [
        Pair(
            chosen=Example((1, 3, 0), 1),
            rejected=Example((1, 4, 0), 1),
            chosen_weights=(1.0, 1.0),
            rejected_weights=(0.9, 0.2),
        )
    ]
