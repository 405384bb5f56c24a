import polars as pl

from generators.critical_token_pairs.contrast import contrast_figures, count_contrast

# Two tokens of prompt; the last token of a solution weighs 1 in any case and is not counted.
ROWS = pl.DataFrame(
    [
        {
            "response_start": 2,
            "chosen_log_ratios": [0.0, 0.0, 0.5, 0.5],
            "rejected_token_ids": [1, 2, 3, 4, 0],
            "rejected_scores": [None, 1.0, 0.99, 0.2, 0.99],
            "rejected_log_ratios": [0.0, 0.0, 0.1, -2.0, 0.0],
            "rejected_weights": [0.0, 0.0, 0.48, 0.9, 1.0],
        },
        {
            "response_start": 2,
            "chosen_log_ratios": [0.0, 0.0, -1.0],
            "rejected_token_ids": [1, 2, 3, 4, 0],
            "rejected_scores": [None, 1.0, 1.0, 0.97, 0.1],
            "rejected_log_ratios": [0.0, 0.0, 3.5, 0.0, 0.0],
            "rejected_weights": [0.0, 0.0, 0.03, 0.5, 1.0],
        },
    ]
)


def test_pairs_that_the_ratios_tell_apart_and_weights_near_nothing_are_counted():
    counts = count_contrast(ROWS)
    assert counts == {"pairs": 2, "told_apart": 1, "tokens": 4, "saturated": 1, "saturated_scores": 3}
    assert contrast_figures(counts) == {
        "pairs": 2,
        "right_solution_preferred": 0.5,
        "weights_below_0.05": 0.25,
        "below_0.05_as_1_less_the_score": 0.75,
    }


def test_without_a_pair_there_are_no_figures():
    counts = count_contrast(ROWS.head(0))
    assert set(counts.values()) == {0}
    assert contrast_figures(counts) == contrast_figures({}) == {}
