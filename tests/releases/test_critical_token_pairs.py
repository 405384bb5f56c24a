"""From the stage's pairs to a draft: what follows, what is refused, what the paper's trainer reads."""

import json
from dataclasses import dataclass, replace

import polars as pl
import pytest

from filters.schema import SchemaError
from filters.widths import short
from generators.critical_token_pairs.dataset import DATASET
from generators.critical_token_pairs.folds import fold_of
from generators.critical_token_pairs.recipe import chosen_weights, rejected_weights
from generators.critical_token_pairs.release import CriticalTokenParameters, parameters_of, recompute
from generators.critical_token_pairs.schema import CRITICAL_TOKEN_PAIRS
from generators.critical_token_pairs.settings import Settings
from generators.engine.tokenizer import HFTokenizer
from generators.problems.loading import problem_id
from generators.rows import Rows
from generators.sampling.templated import templated
from generators.search.priors import Priors
from releases.drafting import drafted
from releases.recomputation import differing_columns
from releases.splits import SplitShares
from tests.tiny_policy import tiny_policy

CRITERION = Settings().criterion
TEMPERATURE = 2.5
PARAMETERS = CriticalTokenParameters(
    priors={"sums-0": Priors()}, temperatures={"sums-0": TEMPERATURE}, criterion=CRITERION
)
SHARES = SplitShares(test=0.3)
CRITICAL = 6  # the token of the wrong solution that is tested and confirmed


def pair(number, *, stable=True):
    """The sum of `number` and 2, solved and missed; ids 1 to 4 are the prompt, 0 ends a text."""
    prompt, answer = f"What is {number} + 2?", str(number + 2)
    chosen, rejected = [1, 2, 3, 4, 11, 12, 13, 0], [1, 2, 3, 4, 11, 12, 14, 15, 0]
    rejected_scores = [None, 1.0, 1.0, 1.0, 0.9, 0.4, 0.01, 0.7, 0.99]
    rejected_log_ratios = [0.0, 0.0, 0.0, 0.0, 0.1, -0.4, -6.0, 0.2, 0.0]
    return {
        "problem_id": problem_id(prompt, answer),
        "source": "sums",
        "prompt": prompt,
        "chosen": f"So \\boxed{{{answer}}}.",
        "rejected": f"So \\boxed{{{number}}}.",
        "answer": answer,
        "also_accepted": [],
        "chosen_attempt_index": 0,
        "rejected_attempt_index": 3,
        "fold": fold_of(problem_id(prompt, answer)),
        "response_start": 4,
        "chosen_token_ids": chosen,
        "chosen_scores": [None, *[0.9] * 7],
        "chosen_log_ratios": [*[0.0] * 4, *[0.3] * 4],
        "rejected_token_ids": rejected,
        "rejected_scores": rejected_scores,
        "rejected_log_ratios": rejected_log_ratios,
        "chosen_weights": chosen_weights(8, 4),
        "rejected_weights": rejected_weights(rejected_log_ratios, 4, temperature=TEMPERATURE),
        "critical_positions": [5, CRITICAL],
        "critical_token_ids": [12, 14],
        "critical_scores": [0.4, 0.01],
        "critical_nominated_by": ["score", "both"],
        "critical_value_with": [0.75, 0.0],
        "critical_n_with_correct": [6, 0],
        "critical_n_with": [8, 60],
        "critical_value_without": [None, 0.75],
        "critical_n_without_correct": [0, 9],
        "critical_n_without": [0, 12],
        "critical_confirmed": [False, True],
        "n_attempts": 4,
        "n_attempts_right": 2,
        "templated_prompt": f"<user>{prompt}<assistant>",
        "is_stable": stable,
        "tokenizer": "tiny",
        "tokenizer_sha256": "ab",
        "beta": 1.0,
        "positive_model": "positive-1",
        "negative_model": "negative-2",
        "policy": "tiny",
        "round": "first",
        "slice": "sums-0",
    }


@pytest.fixture
def rows():
    return CRITICAL_TOKEN_PAIRS.frame([pair(number, stable=number != 1) for number in range(12)])


@pytest.fixture
def draft_of(facts):
    def draft(rows, shares=SHARES):
        return drafted(DATASET, {"critical_token_pairs": rows}, facts(), PARAMETERS, shares)

    return draft


def changed(rows, change):
    return rows.with_columns(
        **{name: pl.Series([value] * rows.height, dtype=rows.schema[name]) for name, value in change.items()}
    )


def test_weights_values_and_confirmations_follow_from_log_ratios_and_counts(rows, draft_of):
    assert differing_columns(rows, recompute(rows, PARAMETERS)) == {}
    draft = draft_of(rows)
    assert sum(draft.tables["full"].rows.values()) == 12
    assert {name: sum(of[name] for of in draft.label_counts.values()) for name in ("critical", "not_critical")} == {
        "critical": 12,
        "not_critical": 12,
    }


CHANGED = [
    ({"rejected_weights": [0.0] * 4 + [0.1, 0.6, 0.5, 0.3, 1.0]}, "rejected_weights"),
    ({"chosen_weights": [0.0] * 4 + [1.0, 0.5, 1.0, 1.0]}, "chosen_weights"),
    ({"rejected_log_ratios": [0.0] * 9}, "rejected_weights"),
    ({"critical_token_ids": [12, 15]}, "critical_token_ids"),
    ({"critical_scores": [0.4, 0.02]}, "critical_scores"),
    ({"critical_value_without": [None, 0.5]}, "critical_value_without"),
    ({"critical_n_with_correct": [6, 30], "critical_value_with": [0.75, 0.5]}, "critical_confirmed"),
    ({"critical_confirmed": [False, False]}, "critical_confirmed"),
    ({"critical_confirmed": [True, False]}, "critical_confirmed"),
]


@pytest.mark.parametrize(("change", "column"), CHANGED)
def test_a_column_that_does_not_follow_is_refused_by_name(rows, draft_of, change, column):
    forged = pl.concat([rows.head(11), changed(rows.tail(1), change)])
    with pytest.raises(SchemaError, match=f"{column} of config full do not follow from the others in 1 of 12 rows"):
        draft_of(forged)


BROKEN = [
    ({"rejected_scores": [None, 0.5]}, "rejected_scores: one_per_token"),
    ({"rejected_scores": [0.1] * 9}, "rejected_scores: null_for_the_first_only"),
    ({"chosen_scores": [None, *[1.5] * 7]}, "chosen_scores: within_0_and_1"),
    ({"rejected_log_ratios": [0.0] * 8}, "rejected_log_ratios: one_per_token"),
    ({"rejected_log_ratios": [0.0, -1.0, *[0.0] * 7]}, "rejected_log_ratios: nothing_on_the_prompt"),
    ({"chosen_log_ratios": [*[0.0] * 7, float("nan")]}, "chosen_log_ratios: finite"),
    ({"fold": 2}, "fold: known"),
    ({"chosen_weights": [0.0] * 4 + [2.0] * 4}, "chosen_weights: within_0_and_1"),
    ({"chosen_weights": [1.0] * 8}, "chosen_weights: nothing_on_the_prompt"),
    ({"rejected_weights": [0.0] * 9}, "rejected_weights: all_on_the_end"),
    ({"chosen_token_ids": [1, 2, 3, 9, 11, 12, 13, 0]}, "chosen_token_ids: one_prompt"),
    ({"response_start": 9}, "chosen_token_ids: behind_response_start"),
    ({"critical_positions": [3, 6]}, "critical_positions: inside_the_solution"),
    ({"critical_positions": [5, 9]}, "critical_positions: inside_the_solution"),
    ({"critical_positions": [6, 5]}, "critical_positions: rising"),
    ({"critical_nominated_by": ["score", "dice"]}, "critical_nominated_by: known"),
    ({"critical_nominated_by": ["score"]}, "critical_nominated_by: one_per_tested_token"),
    ({"critical_n_with": [8, -1]}, "critical_n_with_correct: at_most_n_with"),
    ({"critical_confirmed": [True, True]}, "critical_confirmed: one_at_most"),
    ({"n_attempts_right": 4}, "n_attempts_right: between_never_and_always"),
    ({"rejected": " "}, "rejected: not_blank"),
]


@pytest.mark.parametrize(("change", "rule"), BROKEN)
def test_rows_that_break_a_rule_of_the_table_are_refused(rows, change, rule):
    with pytest.raises(SchemaError, match=rule):
        CRITICAL_TOKEN_PAIRS.validate(changed(rows, change))


def test_a_row_without_a_tested_token_is_in_order(rows, draft_of):
    untested = {name: [] for name in rows.columns if name.startswith("critical_")}
    counts = draft_of(changed(rows, untested)).label_counts
    assert all(of_split == {"critical": 0, "not_critical": 0} for of_split in counts.values())


@pytest.mark.parametrize("missing", ["priors", "temperatures"])
def test_a_slice_without_priors_or_a_temperature_is_refused(rows, facts, missing):
    with pytest.raises(SchemaError, match=f"holds no {missing} of sums-0"):
        drafted(DATASET, {"critical_token_pairs": rows}, facts(), replace(PARAMETERS, **{missing: {}}))


def test_a_fold_that_is_not_that_of_the_problem_is_refused(rows, draft_of):
    forged = rows.with_columns(fold=1 - pl.col("fold"))
    with pytest.raises(SchemaError, match="fold of config full do not follow from the others in 12 of 12 rows"):
        draft_of(forged)


@dataclass
class Recipes:
    """A round by its recipes alone."""

    by_slice: dict
    key: str = "r1"

    def recipes(self, stage):
        return self.by_slice


def recipe(never=0.05, rise=0.6, temperature=2.5):
    confirmation = {"never": never, "least": 0.1, "confidence": 0.95}
    config = {"priors": Priors(rise=rise).to_json(), "confirmation": confirmation, "weights_temperature": temperature}
    return {"config": config}


def test_parameters_come_from_the_recipes_and_back_from_the_manifest():
    parameters = parameters_of(Recipes({"a": recipe(rise=0.1), "b": recipe(), "no_pairs": recipe(temperature=None)}))
    assert parameters.priors == {"a": Priors(rise=0.1), "b": Priors(), "no_pairs": Priors()}
    assert parameters.temperatures == {"a": 2.5, "b": 2.5}
    assert CriticalTokenParameters.of(json.loads(json.dumps(parameters.to_json()))) == parameters


def test_slices_with_different_criteria_are_not_released_together():
    with pytest.raises(SchemaError, match="slices of round r1 differ in never, least or confidence"):
        parameters_of(Recipes({"a": recipe(), "b": recipe(never=0.02)}))


def test_a_recipe_of_an_older_stepmill_without_a_temperature_is_refused():
    old = recipe()
    del old["config"]["weights_temperature"]
    with pytest.raises(SchemaError, match=r"the recipe of b has no weights_temperature.*: materialise contras"):
        parameters_of(Recipes({"a": recipe(), "b": old}))


def test_the_exports_hold_the_stable_rows_of_their_split(rows, draft_of):
    draft = draft_of(rows)
    files = {path: json.loads(content) for path, content in draft.attachments.items()}
    stable = {split: frame.filter("is_stable") for split, frame in draft.tables["full"].splits.items()}
    assert {path.split("/")[1].split(".")[0]: columns["rejected"] for path, columns in files.items()} == {
        split: frame["rejected"].to_list() for split, frame in stable.items()
    }


def test_rows_that_the_exports_leave_out_are_counted(rows):
    (stage,) = DATASET.more_facts(Recipes({}), Rows.of(rows), {}).stages
    assert (stage.name, stage.kept, stage.dropped) == ("release: exports", 11, {"unstable_tokens": 1})


def test_the_card_says_what_the_contrast_is_worth_out_of_sample(rows):
    ((title, figures),) = DATASET.more_facts(Recipes({}), Rows.of(rows), DATASET.counts(rows)).figures.items()
    assert title == "The contrast on solutions that the models never saw"
    assert figures["all"] == {
        "pairs": 12,
        "right_solution_preferred": 1.0,
        "weights_below_0.05": 0.0,
        "below_0.05_as_1_less_the_score": 0.0,
    }


def test_the_export_aligns_with_the_ids_that_a_real_tokenizer_gives_the_texts(tmp_path, draft_of):
    tokenizer = HFTokenizer(tiny_policy(tmp_path / "tiny"))
    prompt, right, wrong = (1, 2, 3), (11, 12, 4), (11, 13, 5, 6)
    row = pair(3) | {
        "chosen": tokenizer.decode(right),
        "rejected": tokenizer.decode(wrong),
        "templated_prompt": templated(prompt, "", tokenizer) + " ",
        "response_start": 3,
        "chosen_token_ids": [*prompt, *right, 0],
        "chosen_scores": [None, 1.0, 1.0, 0.1, 0.2, 0.3, 0.4],
        "chosen_log_ratios": [0.0] * 7,
        "chosen_weights": chosen_weights(7, 3),
        "rejected_token_ids": [*prompt, *wrong, 0],
        "rejected_scores": [None, 1.0, 1.0, 0.5, 0.6, 0.7, 0.8, 0.9],
        "rejected_log_ratios": [0.0] * 8,
        "rejected_weights": rejected_weights([0.0] * 8, 3, temperature=TEMPERATURE),
    }
    row |= {name: [] for name in row if name.startswith("critical_")}
    draft = draft_of(CRITICAL_TOKEN_PAIRS.frame([row]), SplitShares(test=0.0))
    columns = json.loads(draft.attachments["exports/train.CE_scored.json"])
    for side, ids, name in (("pos", right, "chosen"), ("neg", wrong, "rejected")):
        scored = columns["prob_result"][0][side]
        whole = tokenizer.encode_whole(columns["prompt"][0] + columns[name][0])
        assert whole == (*prompt, *ids)
        assert len(scored["ce_prob"]) == len(whole) - 1
        start = scored["response_start_idx"]
        assert tokenizer.decode(whole[1:][start:]) == scored["text"]
        assert dict(zip(whole[1:][start:], short(scored["ce_prob"][start:]), strict=True)) == dict(
            zip(ids, row[f"{name}_scores"][3:-1], strict=True)
        )


def test_the_card_says_how_to_train_and_where_the_papers_trainer_differs():
    assert "Sum over the tokens of either side" in DATASET.card.method
    assert "takes the sigmoid at every position" in DATASET.card.limits[0]
