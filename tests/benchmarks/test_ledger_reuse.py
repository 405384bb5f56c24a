from benchmarks.ledger_reuse import NAMES, PARTS, TOGETHER, figures


def test_every_dataset_is_made_together_and_alone():
    assert [part.datasets for part in PARTS] == [NAMES, *((name,) for name in NAMES)]


def test_ratios_are_of_the_common_run_to_the_sum_of_the_single_ones():
    own = {
        "process_labels": 200,
        "step_preference_pairs": 30,
        "critical_token_pairs": 40,
        "self_correction_traces": 50,
        "long_cot_traces": 80,
    }
    upstream = {"attempts": 100, "process_labels": 200}
    alone = {
        "process_labels": upstream,
        "step_preference_pairs": upstream | {"step_preference_pairs": 60},
        "critical_token_pairs": upstream | {"critical_token_pairs": 40},
        "self_correction_traces": upstream | {"self_correction_traces": 60},
        "long_cot_traces": {"attempts": 100, "long_cot_traces": 80},
    }
    ratios = figures({TOGETHER: {"attempts": 100, **own}, **alone})
    assert ratios["tokens_together"] == 500
    assert ratios["tokens_alone"] == 300 + 360 + 340 + 360 + 180
    assert ratios["tokens_ratio"] == round(500 / 1540, 3)
    assert ratios["tokens_ratio_without_bolt"] == round(420 / 1360, 3)
    assert ratios["datasets"]["step_preference_pairs"] == {"alone": 360, "together": 30}
    assert ratios["shared_stages"] == {"attempts": 100}
