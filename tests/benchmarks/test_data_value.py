"""The arithmetic of `benchmarks.data_value` on literal tables, and the order of its stages over fakes."""

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from datasets import Dataset

import benchmarks
from benchmarks.data_value import FULL, measured
from benchmarks.value_bench import Size
from benchmarks.value_data import attempts_config, held_out, right_attempts
from benchmarks.value_figures import Sample, chosen, gain, order, over_seeds, ranking_accuracy, solved, table
from benchmarks.value_labels import affordable, tokens_spent
from benchmarks.value_training import Arm, equal_parts
from dagster_project.settings.file import load_settings
from filters.answers.verdicts import Verdict
from generators.models.policy import WARMED_UP
from generators.records import Problem


def sample(answer, is_right):
    verdict = Verdict.EQUAL if is_right else Verdict.DIFFERENT
    return Sample(text=f"It is {answer}.", steps=(f"It is {answer}.",), extracted=answer, verdict=verdict)


RIGHT, WRONG, OTHER = sample("4", True), sample("5", False), sample("6", False)
GROUPS = [[RIGHT, RIGHT, WRONG, OTHER], [RIGHT, WRONG, WRONG, OTHER]]


def test_pass_at_1_counts_samples_and_majority_counts_problems():
    assert solved(GROUPS) == {"pass_at_1": (0.5 + 0.25) / 2, "majority": 0.5}


def test_the_best_sample_and_the_weightiest_answer_are_chosen_by_worth():
    scores = [[0.1, 0.1, 0.9, 0.0], [0.9, 0.3, 0.3, 0.1]]
    assert chosen(GROUPS, scores) == {"best": 0.5, "weighted": 0.5}
    assert chosen(GROUPS, [[0.5] * 4, [0.9, 0.3, 0.3, 0.1]]) == {"best": 1.0, "weighted": 1.0}


def test_seeds_give_mean_spread_and_the_interval_of_as_many_problems():
    told = over_seeds([{"majority": 0.4}, {"majority": 0.6}], problems=10)["majority"]
    assert told == {"mean": 0.5, "spread": pytest.approx(0.1414), "low": 0.2366, "high": 0.7634}
    assert over_seeds([{"majority": 0.5}], problems=10)["majority"]["spread"] == 0.0


def test_a_gain_is_taken_problem_by_problem_so_that_hard_problems_do_not_widen_it():
    before = [[0.1, 0.9], [0.1, 0.9]]
    assert gain([[0.2, 1.0], [0.2, 1.0]], before) == {"mean": 0.1, "spread": 0.0, "low": 0.1, "high": 0.1}
    told = gain([[0.3, 0.9], [0.1, 0.9]], before)  # by problem 0.1 and 0, by seed 0.1 and 0
    assert told == {"mean": 0.05, "spread": 0.0707, "low": -0.048, "high": 0.148}


def test_right_samples_are_told_from_wrong_ones_of_their_problem_alone():
    assert ranking_accuracy([RIGHT, WRONG, OTHER], [0.5, 0.1, 0.9]) == 0.5
    assert ranking_accuracy([RIGHT, WRONG], [0.5, 0.5]) == 0.5
    assert ranking_accuracy([RIGHT, RIGHT], [0.1, 0.9]) is None
    assert ranking_accuracy([WRONG, OTHER], [0.1, 0.9]) is None


def test_an_order_counts_the_problems_in_which_there_was_something_to_choose():
    assert order([[1.0, None, 0.5], [None, None, 0.1]]) == {
        "mean": 0.65,  # problem by problem 1.0 and 0.3
        "spread": pytest.approx(0.4596, abs=1e-4),  # seed by seed 0.75 and 0.1
        "low": pytest.approx(-0.036, abs=1e-4),
        "high": pytest.approx(1.336, abs=1e-4),
        "problems": 2,
    }
    assert order([[None], [None]]) == {}


def test_the_table_has_a_row_a_model_and_blanks_where_there_is_no_figure():
    figure = {"mean": 0.5, "spread": 0.1, "low": 0.2, "high": 0.8}
    told = table({"base": {"pass_at_1": figure}, "prm": {"best": figure}}, {"prm": "9 solutions"})
    assert told.splitlines() == [
        "| | trained on | pass at 1 | best |",
        "|---|---|---|---|",
        "| base |  | 0.500 ± 0.100 (0.200 to 0.800) |  |",
        "| prm | 9 solutions |  | 0.500 ± 0.100 (0.200 to 0.800) |",
    ]


def labelled(problem, nodes, n_rollouts, length=10):
    ends = [4, 7, length]
    return {
        "problem_id": problem,
        "node_ids": nodes,
        "step_ends": ends,
        "token_ids": [1] * length,
        "n_rollouts": n_rollouts,
        "n_undecided": [1, 0, 0],
    }


def test_a_rollout_costs_what_its_solution_has_left_and_shared_nodes_count_once():
    rows = [labelled("p", ["a", "b", "end"], [3, 2, 1]), labelled("p", ["a", "c", "end2"], [3, 0, 1])]
    assert tokens_spent(rows) == (3 + 1) * 6 + 2 * 3
    assert tokens_spent([*rows, labelled("q", ["a", "b", "end"], [1, 0, 1])]) == 30 + 2 * 6


def test_as_many_solutions_are_labelled_as_the_budget_pays_for_and_one_at_least():
    rows = [labelled("p", [f"a{n}", f"b{n}", "end"], [0, 0, 1]) for n in range(5)]
    assert len(affordable(rows, rollouts_per_step=2, budget=3 * 18)) == 3
    assert len(affordable(rows, rollouts_per_step=2, budget=3 * 18 - 1)) == 2
    assert len(affordable(rows, rollouts_per_step=2, budget=0)) == 1


def problem(prompt, name="x"):
    return Problem(problem_id=name, source="s", prompt=prompt, answer="4")


TRAIN = pl.DataFrame({"problem_id": ["seen", None], "prompt": ["What is 2 + 2?", "What is 3 + 3?"]})


def test_held_out_problems_are_in_no_train_split():
    assert held_out([problem("What is 1 + 1?"), problem("Other")], TRAIN, n=1) == [problem("What is 1 + 1?")]
    with pytest.raises(ValueError, match="1 of 1 evaluation problems are in a train split, first 'Other'"):
        held_out([problem("Other", "seen")], TRAIN, n=1)
    with pytest.raises(ValueError, match=r"in a train split, first 'what is  3 . 3\?'"):
        held_out([problem("what is  3 + 3?")], TRAIN, n=1)
    with pytest.raises(ValueError, match="problems must be at most the 1 of the evaluation sets, got 2"):
        held_out([problem("Other")], TRAIN, n=2)


def test_right_attempts_stand_once_and_carry_no_loss_on_the_prompt():
    labels = Dataset.from_list(
        [
            {"verdict": "equal", "prompt_token_ids": [1, 2], "token_ids": [3, 0]},
            {"verdict": "different", "prompt_token_ids": [1, 2], "token_ids": [4, 0]},
        ]
    )
    pairs = Dataset.from_list([{"chosen_token_ids": ids, "response_start": 2} for ids in ([1, 2, 3, 0], [1, 2, 5, 0])])
    assert right_attempts(labels, pairs).to_list() == [
        {"input_ids": [1, 2, 3, 0], "labels": [-100, -100, 3, 0]},
        {"input_ids": [1, 2, 5, 0], "labels": [-100, -100, 5, 0]},
    ]


def test_slices_with_different_attempts_have_no_one_sampling():
    config = {"n": 4, "sampling": {"temperature": 0.7}, "max_tokens": 60}
    recipes = {"a-0": {"config": config}, "a-1": {"config": {**config, "max_tokens": 80}}}
    assert attempts_config({"attempts": recipes["a-0"]}) == config
    with pytest.raises(ValueError, match="drew their attempts differently"):
        attempts_config({"attempts": recipes})


def arm(name, loss, is_bare=False):
    return Arm(name=name, loss=loss, datasets=(name,), config="default", learning_rate=1e-4, is_bare=is_bare)


SFT, BARE, DPO, STEP = arm("sft", "sft"), arm("bare", "sft", True), arm("dpo", "dpo"), arm("step", "step_dpo")


def test_preference_arms_get_equally_many_pairs_and_traces_as_many_as_there_are():
    rows = {one: Dataset.from_dict({"n": list(range(size))}) for one, size in ((SFT, 9), (DPO, 7), (STEP, 5))}
    lengths = {one.name: len(part) for one, part in equal_parts(rows, rows=6, pairs=20, seed=0).items()}
    assert lengths == {"sft": 6, "dpo": 5, "step": 5}
    assert {len(part) for part in equal_parts(rows, rows=4, pairs=4, seed=0).values()} == {4}


class FakeBench:
    """Stages out of a script: an arm is right on as many of four samples as its name has letters."""

    size = Size(
        problems=2,
        n=4,
        seeds=2,
        rows=6,
        pairs=6,
        steps=1,
        batch_size=1,
        solutions=3,
        reward_steps=1,
        max_length=64,
    )
    problems = (problem("a"), problem("b"))
    registry = SimpleNamespace(manifest=lambda name: name)

    def __init__(self):
        self.stages = []

    def base(self, seed, *, is_bare):
        self.stages.append(("base", seed, is_bare))
        return self._samples(1)

    def after(self, arm, rows, seed):
        self.stages.append((arm.name, seed, len(rows)))
        return {"training": {"rows": len(rows)}, "samples": self._samples(len(arm.name))}

    def labels(self):
        return {"released_labels": [1, 2, 3], "exhaustive_labels": [1]}

    def scores(self, name, rows, seed, base):
        self.stages.append((name, seed, len(rows)))
        return [[1.0 if one["verdict"] == "equal" else 0.0 for one in group] for group in base]

    def _samples(self, n_right):
        each = [
            {
                "text": "",
                "steps": [],
                "extracted": "4" if n < n_right else "5",
                "verdict": "equal" if n < n_right else "different",
            }
            for n in range(4)
        ]
        return [each, each]


def test_every_arm_is_trained_and_asked_for_every_seed_beside_the_base_and_both_reward_models():
    bench = FakeBench()
    rows = Dataset.from_dict({"n": list(range(8))})
    told = measured(bench, {SFT: rows, BARE: rows})
    means = {name: {key: one["mean"] for key, one in figures.items()} for name, figures in told["rows"].items()}
    assert means == {
        "base": {"pass_at_1": 0.25, "majority": 0.0},
        "base_asked_bare": {"pass_at_1": 0.25, "majority": 0.0},
        "sft": {"pass_at_1": 0.75, "majority": 1.0, "gain": 0.5},
        "bare": {"pass_at_1": 1.0, "majority": 1.0, "gain": 0.75},
        "best_of_n_by_released_labels": {"best": 1.0, "weighted": 1.0, "told_apart": 1.0},
        "best_of_n_by_exhaustive_labels": {"best": 1.0, "weighted": 1.0, "told_apart": 1.0},
    }
    assert told["trained_on"]["best_of_n_by_exhaustive_labels"] == "1 solutions"
    assert told["trained_on"]["sft"] == "6 traces"
    each = [("sft", 6), ("bare", 6), ("released_labels", 3), ("exhaustive_labels", 1)]
    assert bench.stages == [
        stage
        for seed in (0, 1)
        for stage in [("base", seed, False), ("base", seed, True), *((name, seed, n) for name, n in each)]
    ]


def test_the_benchmarks_own_settings_ask_the_warmed_up_policy_and_hold_enough_problems_out():
    settings = load_settings(Path(benchmarks.__file__).with_name("data_value.toml"))
    assert settings.policy.model == WARMED_UP
    assert sum(one.problems.size for one in settings.evaluation_sets) >= FULL.problems
