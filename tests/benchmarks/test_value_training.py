"""Every arm of `benchmarks.data_value` on small releases and a tiny policy: trained, and merged into weights."""

from functools import partial
from pathlib import Path

import datasets
import pytest
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.value_data import Registry
from benchmarks.value_serving import merge
from benchmarks.value_training import ARMS, reward_model, solution_score, trained
from examples.common import Run
from generators.engine.tokenizer import HFTokenizer
from generators.models.policy import Policy
from tests.examples.conftest import WORDS, character_tokenizer
from tests.examples.small_releases import (
    CRITICAL_TOKEN_PAIRS,
    TOKENS,
    critical_pair,
    process_labels,
    released,
    step_pairs,
    trace,
)
from tests.tiny_policy import tiny_policy


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    folder = character_tokenizer(tiny_policy(tmp_path_factory.mktemp("policy"), vocabulary=len(WORDS)))
    return Policy(name="tiny", model=str(folder), revision=None, tokenizer=HFTokenizer(folder))


@pytest.fixture(autouse=True)
def _here_only(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setenv("CI", "1")


@pytest.fixture
def registry(policy, tmp_path):
    root = tmp_path / "releases"
    step_pairs(root, policy.tokenizer, range(6), test=0.0)
    process_labels(root)
    released(root, CRITICAL_TOKEN_PAIRS, [critical_pair(n, policy.tokenizer) for n in range(6)], test=0.0)
    released(root, TOKENS, [trace(n, policy.tokenizer) for n in range(6)], test=0.0)
    return Registry(root)


@pytest.fixture
def run(policy, tmp_path):
    return partial(Run, model=policy.model, output=tmp_path / "adapter", batch_size=2, rank=2, steps=3)


def weights(folder: str | Path) -> torch.Tensor:
    return AutoModelForCausalLM.from_pretrained(folder).model.layers[0].self_attn.q_proj.weight


@pytest.mark.parametrize("arm", [one for one in ARMS if one.name != "long_cot_traces"], ids=lambda one: one.name)
def test_an_arm_trains_on_its_release_and_gives_other_weights_that_load(arm, registry, run, policy, tmp_path):
    rows = arm.rows(registry)
    assert trained(arm, rows, run(), registry)["rows"] == len(rows) > 0
    merge(policy, tmp_path / "adapter", tmp_path / "merged")
    assert not torch.equal(weights(tmp_path / "merged"), weights(policy.model))
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template is not None


def test_an_arm_without_a_release_has_no_rows(registry):
    assert [arm.name for arm in ARMS if arm.rows(registry) is None] == ["long_cot_traces"]


def test_the_problems_of_every_train_split_are_known(registry):
    told = registry.trained_on(["process_labels", "step_preference_pairs"])
    assert "What is 0 + 2?" in set(told["prompt"])
    assert told["problem_id"].drop_nulls().len() > 0


def test_a_reward_model_gives_every_solution_a_worth(registry, run):
    rows = registry.train("process_labels", "full").select_columns(["prompt", "steps", "soft_labels"])
    rewards = reward_model(Dataset.from_list(rows.to_list()), run())
    assert 0 < solution_score(rewards, rows[0]["prompt"], rows[0]["steps"]) < 1
    assert solution_score(rewards, rows[0]["prompt"], []) == 0.0
