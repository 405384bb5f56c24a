"""Adapters of a tiny policy, the scores by them, and what stops either."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from filters.answers.checker import AnswerRule
from generators.attempts.table import attempts_table
from generators.critical_token_pairs.models_stage import STAGE, both_sides_have_examples
from generators.critical_token_pairs.schema import CONTRASTIVE_MODELS
from generators.critical_token_pairs.scoring import score
from generators.critical_token_pairs.settings import ModelsSettings, Settings
from generators.critical_token_pairs.trained_models import adapters_folder
from generators.models.policy import Policy, attached, identify
from generators.shown import Curves
from generators.training.errors import AdapterRefused, NoWeights
from tests.tiny_policy import tiny_attempts, tiny_policy

SOLVED = tiny_attempts(6)
ORIGIN = {"policy": "tiny", "round": "r1", "slice": "sums-0"}
ATTEMPTS = attempts_table(
    [(problem, attempt) for problem, attempts in SOLVED for attempt in attempts],
    ORIGIN | {"sampling": "{}", "max_tokens": 400},
)
SETTINGS = ModelsSettings(epochs=2, batch_size=2, learning_rate=0.01)
SEQUENCES = [(*attempt.prompt_token_ids, *attempt.token_ids) for attempt in SOLVED[0][1]]


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
    return score(SEQUENCES, config, slice=slice, models=models, settings=Settings())


def test_adapters_are_trained_once_shown_with_their_losses_and_score_every_token(tiny):
    first = output_of(tiny)
    assert (first.shown["positive_adapter_is"], first.shown["negative_adapter_is"]) == ("trained", "trained")
    assert first.shown["training_tokens_per_second"] > 0
    assert isinstance(first.shown["losses"], Curves)
    assert dict(first.rows.group_by("side").len().iter_rows()) == {"positive": 6, "negative": 6}
    assert (first.config["models"], first.config["training"]["epochs"]) == ("adapters", 2)

    again = output_of(tiny)
    assert again.shown["positive_adapter_is"] == "reused"
    assert again.config == first.config
    assert "training_tokens_per_second" not in again.shown

    scores, scored_by = scored(tiny, first.config)
    assert [len(of_sequence.scores) for of_sequence in scores] == [len(ids) for ids in SEQUENCES]
    assert first.shown["positive_adapter"].path.endswith(scored_by.positive_model)
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
    config = {"models": "adapters", "positive": "p", "negative": "n"}
    with pytest.raises(NoWeights, match="set weights to the folder or Hub id of what the servers serve"):
        scored(TinySlice(policy, tmp_path), config, ModelsSettings(weights="/nowhere"))


def test_a_slice_without_a_side_trains_nothing_and_says_why(tiny):
    tiny.attempts = ATTEMPTS.filter("is_right")
    output = output_of(tiny)
    assert output.config["models"] == "none"
    assert output.config["lacking"] == ["negative"]
    assert tiny.lines == ["no model is trained: there is no example of the negative side"]
    assert set(output.dropped["reason"]) == {"no_wrong_solution"}


def test_solutions_that_are_too_long_are_dropped(tiny):
    output = output_of(tiny, ModelsSettings(max_tokens=2))
    assert output.rows.height == 0
    assert dict(output.dropped.group_by("reason").len().iter_rows()) == {"too_long": 12}


def test_the_folder_of_the_settings_comes_before_that_of_the_data_root(tiny, tmp_path):
    assert adapters_folder(tiny, ModelsSettings()) == tiny.adapters
    assert adapters_folder(tiny, ModelsSettings(folder=str(tmp_path))) == tmp_path


@pytest.mark.parametrize(("sides", "passed"), [(["positive", "negative"], True), (["positive"], False), ([], False)])
def test_both_sides_must_have_examples(sides, passed):
    row = {"problem_id": "p", "attempt_index": 0, "n_tokens": 5, **ORIGIN}
    rows = CONTRASTIVE_MODELS.frame([row | {"side": side} for side in sides])
    assert both_sides_have_examples(rows).passed is passed


def test_what_names_a_place_of_one_machine_stands_in_no_recipe():
    settings = ModelsSettings(folder="/adapters", weights="/weights")
    assert settings.recipe() == ModelsSettings().recipe()
    assert ModelsSettings.paths() == ["folder"]
