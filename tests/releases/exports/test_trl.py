"""Exports for TRL, run by its own commands for one step on a tiny policy."""

import importlib
import math

import datasets
import pytest

from releases.exports.choice import choose
from releases.exports.export import export
from releases.exports.shapes import Shape
from releases.exports.trainers import TRAINERS
from tests.examples.conftest import WORDS, character_tokenizer
from tests.releases.exports.literal import opened
from tests.tiny_policy import tiny_policy

SMALL = ("--use_cpu", "true", "--bf16", "false", "--max_steps", "1", "--report_to", "none", "--eval_strategy", "no")
READ = [shape for shape in TRAINERS["trl"].layouts if shape != Shape.MESSAGES]


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return character_tokenizer(tiny_policy(tmp_path_factory.mktemp("policy"), vocabulary=len(WORDS)))


@pytest.fixture
def run(policy, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setenv("CI", "1")

    def command(shape, *more):
        release = opened(shape, tmp_path)
        trainer = TRAINERS["trl"]
        choice = choose(release.dataset, trainer, available=["default"])
        record = export(release, trainer, choice, out=tmp_path / "out")
        _, program, *arguments = record.command.split()
        monkeypatch.chdir(tmp_path / "out")
        monkeypatch.syspath_prepend(str(tmp_path / "out"))
        script = importlib.import_module(f"trl.scripts.{program}")
        parsed = script.make_parser().parse_args_and_config(
            [*arguments, "--model_name_or_path", str(policy), *SMALL, *more], fail_with_unknown_args=False
        )
        losses = []
        monkeypatch.setattr("transformers.Trainer.log", lambda _, logs, *rest: losses.append(logs))
        script.main(*parsed)
        return losses[-1]

    return command


@pytest.mark.filterwarnings("ignore")  # of the packages that GRPO imports, vLLM among them
@pytest.mark.parametrize("shape", READ)
def test_the_stock_command_trains_a_step(run, shape):
    more = ("--num_generations", "2", "--max_completion_length", "4") if shape == Shape.PROBLEMS else ()
    assert math.isfinite(run(shape, *more, "--per_device_train_batch_size", "2")["train_loss"])
