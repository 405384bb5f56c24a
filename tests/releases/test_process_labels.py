"""From the table of a round to the draft: configs, splits, what is left out, what is refused."""

from dataclasses import replace

import polars as pl
import pytest

from filters.schema import SchemaError
from generators.process_labels.dataset import DATASET
from generators.process_labels.hard_problems import TITLE
from generators.process_labels.held_out import HELD_OUT_STEPS
from generators.process_labels.held_out import TITLE as CHECKED
from generators.process_labels.release import FULL, LabelParameters
from generators.process_labels.settings import Settings
from generators.process_labels.table import PLANTED_ERRORS
from generators.process_labels.training import STEPWISE, TRUNCATED
from generators.rows import Rows
from generators.search.priors import Priors
from releases.drafting import exported, parameters_in
from releases.recomputation import differing_columns
from releases.splits import SplitShares
from tests.releases.conftest import PARAMETERS, PRIORS, TRUE_PARAMETERS, labels_draft

ALL_TRAIN = SplitShares(test=0.0)
COLUMNS = """
problem_id source prompt answer also_accepted level attempt_index prompt_token_ids token_ids steps step_ends n_correct
n_rollouts n_undecided n_no_answer n_further node_ids n_attempts n_attempts_right values_low values_high sound
stop_reasons
false_equations verdict extracted found_by strategy judge_first_error judge_outcome judge policy round slice soft_labels
hard_labels
first_error
"""


class ScriptedRound:
    """A round whose tables, recipes and tokens are given."""

    def __init__(self, *, recipes=None, tables=None, tokens=None):
        self._recipes, self._tables, self._tokens = recipes or {}, tables or {}, tokens or {}

    def rows(self, name):
        return Rows.of(self._tables[name])

    def recipes(self, stage):
        assert stage == "process_labels"
        return self._recipes

    def tokens(self, policies):
        return self._tokens[tuple(policies)]


def recipe(settings=None, **strategy):
    return {"settings": (settings or Settings()).recipe(), "config": {"strategy": strategy}}


def test_the_published_columns_keep_their_order():
    assert list(FULL.columns) == COLUMNS.split()


NOTHING = ([0, 0], [0, 0])  # without a rollout, even of the answer itself


def test_a_solution_stays_in_default_unless_no_step_has_a_label(table, facts):
    draft = labels_draft(table(([3, 0], [4, 0]), ([4, 0], [4, 4]), NOTHING), facts(), shares=ALL_TRAIN)
    full, default = (sum(draft.tables[config].rows.values()) for config in ("full", "default"))
    assert (full, default) == (3, 2)
    assert draft.facts.stages[-2].dropped == draft.facts.stages[-1].dropped == {"no_label": 1}


def test_stepwise_rows_are_prompt_steps_and_labels_that_mask_what_is_not_sure(table, facts):
    draft = labels_draft(table(([4, 0, 0], [4, 0, 4])), facts(), shares=ALL_TRAIN)
    assert draft.tables["default"].splits["train"].rows(named=True) == [
        {"prompt": "What is p00?", "completions": ["Step 0.", "Step 1.", "Step 2."], "labels": [1, -100, 0]}
    ]


def test_truncated_rows_end_with_the_first_wrong_step(table, facts):
    rows = table(([4, 0, 2], [4, 4, 4]), ([4, 4], [4, 4]), ([4, 0, 0, 0], [4, 0, 4, 4]), ([4, 0], [4, 0]))
    truncated = labels_draft(rows, facts(), shares=ALL_TRAIN).tables["truncated"].splits["train"]
    assert truncated["labels"].to_list() == [[1, 0], [1, 1], [1, -100, 0], [1, -100]]
    assert truncated["completions"].to_list() == [[f"Step {n}." for n in range(size)] for size in (2, 2, 3, 2)]


def judged(rows, *outcomes):
    """The rows with a judgement of each: an index, an outcome that names none, or None where there was no judge."""
    indexes = [outcome if isinstance(outcome, int) else None for outcome in outcomes]
    words = ["judged" if isinstance(outcome, int) else outcome for outcome in outcomes]
    judges = [None if outcome is None else "judge" for outcome in outcomes]
    return rows.with_columns(
        pl.Series("judge_first_error", indexes, dtype=pl.Int64),
        pl.Series("judge_outcome", words, dtype=pl.String),
        pl.Series("judge", judges, dtype=pl.String),
    )


def test_consensus_holds_the_truncated_rows_on_which_labels_and_judge_agree(table, facts):
    rows = table(
        ([4, 0, 2], [4, 4, 4]), ([4, 4], [4, 4]), ([4, 0], [4, 4]), ([4, 4], [4, 4]), ([0, 0], [0, 0]), ([4, 0], [4, 4])
    )
    draft = labels_draft(judged(rows, 1, -1, 0, "no_verdict", 1, None), facts(), shares=ALL_TRAIN)
    assert draft.tables["consensus"].splits["train"].rows(named=True) == [
        {"prompt": "What is p00?", "completions": ["Step 0.", "Step 1."], "labels": [1, 0]},
        {"prompt": "What is p01?", "completions": ["Step 0.", "Step 1."], "labels": [1, 1]},
    ]
    stage = draft.facts.stages[-1]
    assert (stage.name, stage.kept) == ("release: consensus", 2)
    assert stage.dropped == {"judge_disagrees": 1, "judge_no_verdict": 1, "label_not_sure": 1, "no_judge": 1}


def test_a_judge_that_names_nothing_leaves_its_yield_but_no_config(table, facts):
    draft = labels_draft(judged(table(([4, 0], [4, 4])), "failed"), facts())
    assert "consensus" not in draft.tables
    assert (draft.facts.stages[-1].kept, draft.facts.stages[-1].dropped) == (0, {"judge_no_verdict": 1})


def test_without_a_judge_there_is_no_consensus(draft):
    assert "consensus" not in draft.tables
    assert [stage.name for stage in draft.facts.stages[-2:]] == ["release: default", "release: truncated"]


def test_values_that_do_not_follow_from_the_counts_are_refused(rows, facts):
    changed = rows.with_columns(pl.col("values").list.eval(pl.element() * 0.5))
    with pytest.raises(SchemaError, match="soft_labels of config full do not follow from the others in 24 of 32"):
        labels_draft(changed, facts())


def test_soundness_without_its_priors_is_refused_with_the_slice(rows, facts):
    sure = rows.with_columns(pl.col("values").list.eval(pl.lit(1.0)).alias("sound"))
    with pytest.raises(SchemaError, match="there are no priors of slice sums-0, whose rows have a soundness"):
        labels_draft(sure, facts())


def test_labels_follow_from_the_released_soundness_whatever_its_last_digits(true_rows):
    rows = true_rows.filter(pl.col("sound").is_not_null()).head(1)
    parameters = replace(TRUE_PARAMETERS, confidence=rows["sound"].to_list()[0][0])
    elsewhere = rows.with_columns(pl.col("sound").list.eval(pl.element() - 1e-9))
    here, released = (DATASET.main.derive(version, parameters).kept for version in (rows, elsewhere))
    assert [version["hard_labels"].to_list()[0][0] for version in (here, released)] == [True, None]
    assert differing_columns(released, DATASET.main.recompute(released.drop("values"), parameters)) == {}


def test_the_parameters_are_those_of_the_recipes():
    settings = Settings(hard_threshold=0.25, confidence=0.9, label_ratio=2.0)
    recipes = {"sums-0": recipe(settings, name="sequential_test", priors=PRIORS.to_json()), "sums-1": recipe(settings)}
    parameters = DATASET.parameters_of(ScriptedRound(recipes=recipes))
    assert parameters == LabelParameters(
        hard_threshold=0.25, confidence=0.9, label_ratio=2.0, priors={"sums-0": PRIORS}
    )


def test_slices_with_other_thresholds_are_refused():
    recipes = {"sums-0": recipe(), "sums-1": recipe(Settings(confidence=0.9))}
    with pytest.raises(SchemaError, match=r"slices differ in hard_threshold, confidence, label_ratio or refuted_steps"):
        DATASET.parameters_of(ScriptedRound(recipes=recipes))


def test_the_manifest_gives_the_parameters_back(facts):
    priors = {"sums-0": PRIORS, "sums-1": Priors()}
    parameters = replace(PARAMETERS, hard_threshold=0.25, label_ratio=2.0, priors=priors)
    export = exported(parameters, SplitShares(test=0.2))
    assert export == {
        "hard_threshold": 0.25,
        "confidence": 0.94,
        "label_ratio": 2.0,
        "refuted_steps": "wrong",
        "priors": {key: prior.to_json() for key, prior in priors.items()},
        "validation": 0.0,
        "test": 0.2,
    }
    assert parameters_in(DATASET, facts(settings={"export": export})) == parameters


HELD_OUT = {
    "problem_id": "p00",
    "attempt_index": 0,
    "step": 0,
    "label": True,
    "value": 0.75,
    "n_correct": 2,
    "n_rollouts": 4,
    "place": 0.4,
}


def planted_error(number, *, found):
    return {
        "problem_id": f"p{number}",
        "attempt_index": 1_000_000,
        "kind": "number" if number % 2 else "operation",
        "planted": 1,
        "found": found,
        "is_refuted": number == 1,
        "n_rollouts": 8,
        "original_step": "1 + 1 = 2\n",
        "planted_step": "1 + 1 = 3\n",
    }


RATES = {"problem_difficulty": pl.DataFrame({"problem_id": ["p00", "p01", "p99"], "pass_rate": [0.25, 0.5, None]})}


def published(rows):
    """The rows of `full`."""
    return Rows.of(DATASET.main.derive(rows, PARAMETERS).kept)


def test_a_release_says_what_its_labels_find_and_what_the_judge_cost(table):
    planted = PLANTED_ERRORS.frame([planted_error(n, found=index) for n, index in enumerate((1, 2, None))])
    held_out = HELD_OUT_STEPS.frame([HELD_OUT])
    rows = judged(table(([4, 0], [4, 4])), 1)
    tables = {"planted_errors": planted, "held_out_steps": held_out, **RATES}
    more = DATASET.more_facts(ScriptedRound(tables=tables, tokens={("judge",): {"drawn": 7}}), published(rows), {})
    assert (more.figures[CHECKED]["all"]["stated"], more.figures[CHECKED]["all"]["measured"]) == (0.75, 0.5)
    assert more.tokens == {"judge_drawn": 7}
    assert {kind: (figures["n"], figures["exact"], figures["refuted"]) for kind, figures in more.audit.items()} == {
        "all": (3, 1, 1),
        "number": (1, 0, 1),
        "operation": (2, 1, 0),
    }


def test_a_policy_that_judges_itself_and_an_audit_of_nothing_add_no_fact(table):
    rows = judged(table(([4, 0], [4, 4])), 1).with_columns(pl.col("policy").alias("judge"))
    tables = {"planted_errors": PLANTED_ERRORS.empty(), "held_out_steps": HELD_OUT_STEPS.empty(), **RATES}
    stored = ScriptedRound(tables=tables)
    more = DATASET.more_facts(stored, published(rows), {})
    assert (more.tokens, more.audit, list(more.figures)) == ({}, {}, [TITLE])


def test_a_release_says_how_many_hard_problems_the_round_and_each_config_have(table):
    rows = table(([4, 0, 0], [4, 0, 4]), ([4, 4], [4, 4]), ([4, 0], [4, 4]), NOTHING)
    rows = rows.with_columns(n_attempts_right=pl.Series([1, 2, 4, 0]), n_attempts=pl.Series([4, 4, 4, 4]))
    rates = pl.DataFrame({"problem_id": ["p00", "p01", "p02", "p03", "p04"], "pass_rate": [0.25, 0.5, 1.0, 0.0, None]})
    tables = {
        "planted_errors": PLANTED_ERRORS.empty(),
        "held_out_steps": HELD_OUT_STEPS.empty(),
        "problem_difficulty": rates,
    }

    def figures(label_ratio=None):
        recipes = {"sums-0": recipe(Settings(label_ratio=label_ratio))}
        told = DATASET.more_facts(ScriptedRound(tables=tables, recipes=recipes), published(rows), {}).figures[TITLE]
        names = ("problems", "hard", "hard_share", "solutions", "steps_labelled", "steps_labelled_hard", "steps_masked")
        return {config: tuple(told[config][name] for name in names) for config in told}

    assert figures() == {
        "round": (4, 2, 0.5, None, None, None, None),
        "full": (4, 2, 0.5, 4, 6, 2, 3),
        "default": (3, 1, pytest.approx(1 / 3), 3, 6, 2, 1),
        "truncated": (3, 1, pytest.approx(1 / 3), 3, 6, 2, 1),
    }
    assert figures(label_ratio=1.0)["default"] == (2, 1, 0.5, 2, 4, 2, 1)


BROKEN = [
    (pl.col("n_correct") + 9, "n_correct: at_most_n_rollouts"),
    (pl.col("steps").list.head(1), "one_per_step"),
    (pl.lit("p00").alias("problem_id"), "unique_key"),
    (pl.lit(None, pl.String).alias("prompt"), "prompt: no_nulls"),
]


@pytest.mark.parametrize(("change", "rule"), BROKEN)
def test_rows_that_break_the_schema_of_the_table_are_refused(rows, facts, change, rule):
    with pytest.raises(SchemaError, match=rule):
        labels_draft(rows.with_columns(change), facts())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rows: rows.with_columns(pl.col("first_error").cast(pl.Float64)), "first_error must be Int64"),
        (lambda rows: rows.drop("soft_labels"), "lacks soft_labels"),
        (lambda rows: rows.with_columns(pl.col("soft_labels").list.head(1)), "soft_labels: one_per_step is broken"),
    ],
)
def test_a_published_table_names_the_column_that_is_off(draft, change, why):
    with pytest.raises(SchemaError, match=why):
        FULL.validate(change(draft.tables["full"].splits["train"]))


UNTRAINABLE = [
    (STEPWISE, [1, None], "labels: no_nulls"),
    (STEPWISE, [1], "labels: one_per_step"),
    (STEPWISE, [1, 2], "labels: known"),
    (STEPWISE, [-100, -100], "labels: not_all_masked"),
    (TRUNCATED, [0, 1], "labels: wrong_at_most_at_the_end"),
]


@pytest.mark.parametrize(("schema", "labels", "rule"), UNTRAINABLE)
def test_labels_that_no_trainer_should_get_are_refused(schema, labels, rule):
    with pytest.raises(SchemaError, match=f"{rule} is broken by 1 of 1 rows"):
        schema.frame([{"prompt": "p", "completions": ["a", "b"], "labels": labels}])
    assert schema.frame([{"prompt": "p", "completions": ["a", "b"], "labels": [-100, 0]}]).height == 1


def test_one_label_is_at_most_so_many_times_as_frequent_as_the_other_in_training_configs(table, facts):
    rows = table(([4, 0], [4, 4]), *[([4, 4], [4, 4])] * 6)
    draft = labels_draft(rows, facts(), replace(PARAMETERS, label_ratio=2.0), ALL_TRAIN)
    labels = draft.tables["default"].splits["train"]["labels"].explode()
    assert 0 < (labels == 1).sum() <= 2 * (labels == 0).sum()
    assert draft.facts.stages[-2].dropped == {"frequent_label": 6}
    assert draft.tables["full"].rows == {"train": 7}
