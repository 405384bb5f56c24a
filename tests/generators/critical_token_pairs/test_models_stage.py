"""Adapters of a tiny policy, the scores by them, and what stops either."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.answers.checker import AnswerRule
from filters.schema import SchemaError
from generators.attempts.table import attempts_of, attempts_table
from generators.critical_token_pairs.folds import FOLDS, fold_of, scoring_fold
from generators.critical_token_pairs.models_stage import STAGE, both_sides_have_examples, examples_of
from generators.critical_token_pairs.pairs import pairs_of
from generators.critical_token_pairs.recipe import token_ids
from generators.critical_token_pairs.schema import CONTRASTIVE_MODELS
from generators.critical_token_pairs.scores import ContrastiveScorer
from generators.critical_token_pairs.scoring import score
from generators.critical_token_pairs.settings import ModelsSettings, Settings
from generators.critical_token_pairs.trained_models import adapters_folder, names_of, train, trained_adapters
from generators.models.base import base_of
from generators.models.policy import Policy, attached, identify
from generators.shown import Curves
from generators.training.contrastive_models import SIDES, ContrastiveModels
from generators.training.errors import AdapterRefused, NoWeights
from tests.tiny_policy import tiny_attempts, tiny_policy

SOLVED = tiny_attempts(6)
ORIGIN = {"policy": "tiny", "round": "r1", "slice": "sums-0"}
ATTEMPTS = attempts_table(
    [(problem, attempt) for problem, attempts in SOLVED for attempt in attempts],
    ORIGIN | {"sampling": "{}", "max_tokens": 400},
)
SETTINGS = ModelsSettings(epochs=2, batch_size=2, learning_rate=0.01)
SOLUTIONS = [attempt for _, attempts in SOLVED for attempt in attempts]  # of both folds


@dataclass
class Source:
    answer_rule: AnswerRule = field(default_factory=AnswerRule)


@dataclass
class TinySlice:
    """The attempts of a tiny policy, and a folder for its adapters."""

    policy: Policy
    adapters: Path
    attempts: pl.DataFrame = field(default_factory=lambda: ATTEMPTS)
    source: Source = field(default_factory=Source)
    origin: dict = field(default_factory=lambda: ORIGIN)
    lines: list = field(default_factory=list)

    def table(self, name):
        return {"attempts": self.attempts}[name]

    def problems(self):
        return []

    def make_room(self, *, on_gpu):
        self.lines.append(f"room on a GPU: {on_gpu}")

    def say(self, line):
        self.lines.append(line)


@pytest.fixture
def tiny(tmp_path):
    return TinySlice(identify(str(tiny_policy(tmp_path / "tiny"))), tmp_path / "adapters")


def output_of(slice, settings=SETTINGS):
    return asyncio.run(STAGE.make(slice, settings))


def scored(slice, config, models=SETTINGS):
    solutions = [(one.problem_id, token_ids(one)) for one in SOLUTIONS]
    return score(solutions, config, slice=slice, models=models, settings=Settings())


def test_adapters_are_trained_once_shown_with_their_losses_and_score_every_token(tiny):
    first = output_of(tiny)
    adapters = [f"fold_{fold}_{side}_adapter" for fold in FOLDS for side in SIDES]
    assert {first.shown[f"{adapter}_is"] for adapter in adapters} == {"trained"}
    assert len({first.shown[adapter].path for adapter in adapters}) == 4
    assert first.shown["training_tokens_per_second"] > 0
    assert isinstance(first.shown["losses"], Curves)
    assert {(fold, side): n for fold, side, n in first.rows.group_by("fold", "side").len().iter_rows()} == {
        (0, "positive"): 2,
        (0, "negative"): 2,
        (1, "positive"): 4,
        (1, "negative"): 4,
    }
    assert (first.config["models"], first.config["training"]["epochs"]) == ("adapters", 2)

    again = output_of(tiny)
    assert {again.shown[f"{adapter}_is"] for adapter in adapters} == {"reused"}
    assert again.config == first.config
    assert "training_tokens_per_second" not in again.shown

    scores, scored_by = scored(tiny, first.config)
    assert [len(of_solution.scores) for of_solution in scores] == [len(token_ids(one)) for one in SOLUTIONS]
    for fold in FOLDS:
        assert first.shown[f"fold_{fold}_positive_adapter"].path.endswith(scored_by.models[fold]["positive"])
    assert scored_by.tokenizer.startswith("tiny@") and len(scored_by.tokenizer_sha256) == 64


def test_adapters_of_other_weights_are_refused_when_pairs_are_scored(tiny, tmp_path):
    config = output_of(tiny).config
    other = identify(str(tiny_policy(tmp_path / "other", seed=1)))
    with pytest.raises(AdapterRefused, match="was trained on tiny@"):
        scored(TinySlice(other, tiny.adapters), config)


def test_weights_with_another_tokenizer_than_the_policys_are_refused(tmp_path):
    policy = identify(str(tiny_policy(tmp_path / "tiny", vocabulary=9)))
    with pytest.raises(NoWeights, match=r"has another tokenizer than the policy.*set contrastive_models\.weights to"):
        output_of(TinySlice(policy, tmp_path / "adapters"))


def test_a_policy_that_only_its_servers_know_wants_its_weights_named(tmp_path):
    policy = attached("lab/none", revision="r", tokenizer="simulated")
    config = {"models": "adapters", "folds": {"0": {"positive": "p", "negative": "n"}}}
    with pytest.raises(NoWeights, match="set weights to the folder or Hub id of what the servers serve"):
        scored(TinySlice(policy, tmp_path), config, ModelsSettings(weights="/nowhere"))


def test_a_slice_without_a_side_trains_nothing_and_says_why(tiny):
    tiny.attempts = ATTEMPTS.filter("is_right")
    output = output_of(tiny)
    assert output.config["models"] == "none"
    assert output.config["lacking"] == {"0": ["negative"], "1": ["negative"]}
    assert tiny.lines == [f"fold {fold} trains no model: it has no example of the negative side" for fold in FOLDS]
    assert set(output.dropped["reason"]) == {"no_wrong_solution"}


def test_solutions_that_are_too_long_are_dropped(tiny):
    output = output_of(tiny, ModelsSettings(max_tokens=2))
    assert output.rows.height == 0
    assert dict(output.dropped.group_by("reason").len().iter_rows()) == {"too_long": 12}


def test_the_folder_of_the_settings_comes_before_that_of_the_data_root(tiny, tmp_path):
    assert adapters_folder(tiny, ModelsSettings()) == tiny.adapters
    assert adapters_folder(tiny, ModelsSettings(folder=str(tmp_path))) == tmp_path


@pytest.mark.parametrize(
    ("examples", "passed"),
    [
        ([(0, "positive"), (0, "negative"), (1, "positive"), (1, "negative")], True),
        ([(0, "positive"), (0, "negative"), (1, "positive")], False),
        ([(0, "positive"), (1, "negative")], False),
        ([], False),
    ],
)
def test_both_sides_of_either_fold_must_have_examples(examples, passed):
    row = {"attempt_index": 0, "n_tokens": 5, **ORIGIN}
    examples = [{"problem_id": f"of fold {fold}", "fold": fold, "side": side} for fold, side in examples]
    rows = CONTRASTIVE_MODELS.frame([row | example for example in examples])
    assert both_sides_have_examples(rows).passed is passed


@dataclass
class RecordingTrainer:
    """Trains as the stage does, and notes the problems that each adapter saw."""

    saw: dict[str, set[str]] = field(default_factory=dict)

    def __call__(self, examples, **places):
        models = trained_adapters(examples, **places)
        for side, path in zip(SIDES, (models.positive, models.negative), strict=True):
            self.saw[path.name] = {attempt.problem_id for attempt in examples[side]}
        return models


def examples_in(slice):
    return examples_of(attempts_of(slice.attempts), AnswerRule(), most=1024)[0]


def test_no_solution_is_scored_by_a_model_that_saw_its_problem(tiny):
    trainer = RecordingTrainer()
    trained = train(examples_in(tiny), slice=tiny, settings=SETTINGS, folder=tiny.adapters, trainer=trainer)
    assert set.union(*trainer.saw.values()) == {problem.problem_id for problem, _ in SOLVED}
    scores, scored_by = scored(tiny, trained.config)
    for problem, _ in SOLVED:
        models = scored_by.models[scoring_fold(problem.problem_id)]
        assert all(problem.problem_id not in trainer.saw[models[side]] for side in SIDES)
    alone = [one_by_one(tiny, solution, scored_by.models[scoring_fold(solution.problem_id)]) for solution in SOLUTIONS]
    for found, expected in zip(scores, alone, strict=True):
        assert found.scores[1:] == pytest.approx(expected.scores[1:], abs=1e-5)


def one_by_one(slice, solution, models):
    """The scores of a solution by a scorer that has no models but these."""
    paths = {side: slice.adapters / models[side] for side in SIDES}
    scorer = ContrastiveScorer(base_of(slice.policy), {0: ContrastiveModels(**paths, losses={})}, Settings())
    (found,) = scorer.score([token_ids(solution)], [0], progress=lambda done, total: None)
    return found


def test_a_fold_that_lacks_a_side_trains_nothing_and_the_other_folds_problems_get_no_score(tiny):
    of_fold_0 = [problem.problem_id for problem, _ in SOLVED if fold_of(problem.problem_id) == 0]
    tiny.attempts = ATTEMPTS.filter(pl.col("is_right") | ~pl.col("problem_id").is_in(of_fold_0))
    output = output_of(tiny)
    assert output.config["lacking"] == {"0": ["negative"]}
    assert tiny.lines[0] == "fold 0 trains no model: it has no example of the negative side"
    assert list(names_of(output.config)) == [1]
    (check,) = output.checks
    assert not check.passed
    assert "fold 0, negative: 0" in check.why
    scores, _ = score(
        [(one.problem_id, token_ids(one)) for one in SOLUTIONS if one.problem_id in of_fold_0],
        output.config,
        slice=tiny,
        models=SETTINGS,
        settings=Settings(),
    )
    assert len(scores) == 4 * len(of_fold_0)
    with pytest.raises(ValueError, match=r"folds must be among those with models \(\[1\]\), got \[0\]"):
        scored(tiny, output.config)


def test_pairs_of_problems_that_only_their_own_models_could_score_are_dropped():
    problems, attempts = [problem for problem, _ in SOLVED], {problem.problem_id: tried for problem, tried in SOLVED}
    pairs, dropped = pairs_of(problems, attempts, AnswerRule(), most=1024, with_models=[1])
    assert {fold_of(problem.problem_id) for problem in (pair.problem for pair in pairs)} == {0}
    assert {(reason, why) for _, _, reason, why in dropped} == {
        ("no_contrastive_models", "no models learnt from fold 0, and those of its own fold may not score it")
    }
    assert len(pairs) + len(dropped) == len(problems)


def test_models_of_an_older_stepmill_which_scored_what_they_had_learnt_from_are_refused():
    with pytest.raises(SchemaError, match="materialise contrastive_models again"):
        names_of({"models": "adapters", "positive": "p", "negative": "n"})


@given(st.randoms(use_true_random=False))
def test_the_order_of_problems_and_attempts_changes_no_example(draw):
    shuffled = [(problem.problem_id, draw.sample(tried, len(tried))) for problem, tried in SOLVED]
    shuffled = dict(draw.sample(shuffled, len(shuffled)))
    in_order = {problem.problem_id: tried for problem, tried in SOLVED}
    (ours, our_dropped), (others, others_dropped) = (
        examples_of(attempts, AnswerRule(), most=1024) for attempts in (in_order, shuffled)
    )
    assert others == ours
    assert others_dropped.equals(our_dropped)


def test_what_names_a_place_of_one_machine_stands_in_no_recipe():
    settings = ModelsSettings(folder="/adapters", weights="/weights")
    assert settings.recipe() == ModelsSettings().recipe()
    assert ModelsSettings.paths() == ["folder"]
