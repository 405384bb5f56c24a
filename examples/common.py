"""Shared code of the examples: the run's settings, loading a release and the policy, and running the training.

The examples train a LoRA adapter, with base weights in float32 on a CPU and in bfloat16 on a GPU.
"""

import json
import sys
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, DatasetDict, load_dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed

from examples.memory import require_memory
from generators.models.policy import EMBEDDED, SIMULATED, Policy, identify
from releases.manifest import FILE_NAME

IGNORED = -100  # the label that losses ignore
TRAINED = Path("trained")  # where adapters go, each into a folder of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training: the policy, the length, the hyperparameters, and the output folder of the adapter.

    Without `steps`, the training takes `epochs` passes over the rows. A step learns from `batch_size` rows, of which
    `micro_batch_size` are in memory at a time.
    """

    model: str = EMBEDDED
    model_revision: str | None = None
    output: Path = TRAINED / "run"
    steps: int | None = None
    epochs: int = 1
    batch_size: int = 8
    micro_batch_size: int = 1
    learning_rate: float = 1e-5
    max_length: int = 1024
    rank: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        for field in ("epochs", "batch_size", "micro_batch_size", "max_length", "rank"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        if self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"batch_size must be a multiple of micro_batch_size {self.micro_batch_size}, got {self.batch_size}"
            )
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if self.model == SIMULATED:
            raise ValueError(f"model must have weights to train, got {self.model!r}: name a folder or a Hub id")


def arguments(about: str, **defaults: Any) -> ArgumentParser:
    """A command-line parser for a release and a run, with a script's `defaults`; scripts add options for their loss."""
    parser = ArgumentParser(description=about, formatter_class=ArgumentDefaultsHelpFormatter)
    parser.add_argument("--release", required=True, help="a version's folder, a dataset's folder, or a Hub repository")
    parser.add_argument("--revision", help="the version, if the release is not a version's folder")
    parser.add_argument("--model", help="embedded, warmed_up, laboratory, a model folder, or a Hub id")
    parser.add_argument("--model-revision", help="the revision of a Hub id")
    parser.add_argument("--output", type=Path, help="a new folder for the adapter; by default a free one in trained/")
    parser.add_argument("--steps", type=int, help="number of training steps; overrides --epochs")
    parser.add_argument("--epochs", type=int, help="passes over the rows")
    parser.add_argument("--batch-size", type=int, help="rows per step and device")
    parser.add_argument("--micro-batch-size", type=int, help="rows in memory at a time")
    parser.add_argument("--learning-rate", type=float, help="the peak learning rate, with warm-up and decay")
    parser.add_argument("--max-length", type=int, help="maximum tokens per row")
    parser.add_argument("--rank", type=int, help="rank of the adapter")
    parser.add_argument("--seed", type=int, help="seed of the adapter's initial weights and the order of the rows")
    standard = {field.name: field.default for field in fields(Run)} | {"output": None}
    parser.set_defaults(**{**standard, **defaults})
    return parser


def run_of(options: Namespace, script: str) -> Run:
    """The run given by the command-line options of a script; raises ValueError if its output folder is in use."""
    given = {field.name: getattr(options, field.name) for field in fields(Run)}
    if options.output is None:
        return Run(**given | {"output": free_folder(TRAINED / script)})
    if options.output.exists() and any(options.output.iterdir()):
        raise ValueError(f"output must be a new folder, and {options.output} holds an earlier training: name another")
    return Run(**given)


def free_folder(folder: Path) -> Path:
    """The folder, or the first of `<folder>-2`, `<folder>-3`, ... that does not exist."""
    names = (folder.with_name(f"{folder.name}{f'-{number}' if number > 1 else ''}") for number in count(1))
    return next(name for name in names if not name.exists())


def load_release(release: str, config: str, *, revision: str | None = None) -> DatasetDict:
    """Load the splits of one config; raises ValueError if the version is not named or does not exist.

    `release` is a version's folder, or, with `revision`, a dataset's folder in a registry or its repository on the Hub.
    """
    folder = Path(release)
    if not folder.is_dir():
        if revision is None:
            raise ValueError(
                f"revision must name a version of {release}, which is no folder here and so a repository on the Hub, "
                "got None: set it to a tag such as v0.1.0"
            )
        return load_dataset(release, config, revision=revision)
    version = folder / revision if revision else folder
    if not (version / FILE_NAME).is_file():
        raise ValueError(f"release must be a version's folder, and {version} has no {FILE_NAME}: name one in revision")
    return load_dataset(str(version.resolve()), config)


def policy_of(run: Run) -> Policy:
    """The policy to train."""
    return identify(run.model, revision=run.model_revision)


def load_policy(run: Run) -> tuple[Any, Any]:
    """Set the seed, and load the policy's weights and its tokenizer."""
    set_seed(run.seed)
    policy = policy_of(run)
    model = AutoModelForCausalLM.from_pretrained(policy.model, revision=policy.revision, dtype=dtype())
    return model, AutoTokenizer.from_pretrained(policy.model, revision=policy.revision)


def dtype() -> torch.dtype:
    """The dtype to load weights in."""
    return torch.bfloat16 if torch.cuda.is_available() else torch.float32


def lora(run: Run, **overrides: Any) -> LoraConfig:
    """A LoRA config for every linear layer except the head."""
    defaults = {"target_modules": "all-linear", "lora_dropout": 0.0, "task_type": "CAUSAL_LM"}
    return LoraConfig(r=run.rank, lora_alpha=2 * run.rank, **{**defaults, **overrides})


def trainer_settings(run: Run) -> dict[str, Any]:
    """The settings shared by all trainers, by the names of `transformers.TrainingArguments`."""
    has_gpu = torch.cuda.is_available()
    return {
        "output_dir": str(run.output),
        "max_steps": run.steps or -1,
        "num_train_epochs": run.epochs,
        "per_device_train_batch_size": run.micro_batch_size,
        "per_device_eval_batch_size": run.micro_batch_size,
        "gradient_accumulation_steps": run.batch_size // run.micro_batch_size,
        "learning_rate": run.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.1,  # a share of all steps
        "seed": run.seed,
        "bf16": has_gpu,
        "gradient_checkpointing": has_gpu,
        "dataloader_pin_memory": has_gpu,
        "save_strategy": "no",
        "report_to": "none",
    }


def likelihood_option(parser: ArgumentParser) -> None:
    """Add the option of the likelihood term, which keeps a training on few pairs from collapse (docs/data_value.md)."""
    parser.add_argument(
        "--likelihood", type=float, default=1.0, help="weight of an added cross-entropy on the chosen side"
    )


def preference_losses(likelihood: float) -> dict[str, Any]:
    """DPO's loss and the weighted likelihood term (arXiv 2404.19733, eq. 1), by the names of `trl.DPOConfig`."""
    return {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, likelihood]} if likelihood else {}


def fit(trainer: Any, run: Run, *, rows: Dataset, held_out: Dataset | None) -> dict[str, float]:
    """Train, save the adapter, and return the final figures, including those on `held_out`."""
    n_rows = len(trainer.train_dataset)
    if not n_rows:
        raise ValueError(
            f"max_length must leave something to learn in a row, got {run.max_length} and {len(rows)} rows"
        )
    if n_rows < len(rows):
        n_dropped = len(rows) - n_rows
        print(f"{n_dropped} of {len(rows)} rows have nothing to learn within max_length={run.max_length}: left out")
    print(
        require_memory(
            trainer.model, trainer.train_dataset, micro_batch_size=run.micro_batch_size, max_length=run.max_length
        )
    )
    figures = dict(trainer.train().metrics)
    if held_out is not None:
        figures |= trainer.evaluate(held_out)
    trainer.save_model(str(run.output))
    print(json.dumps({"output": str(run.output), "rows": n_rows, **figures}))
    return figures


def start(main: Callable[[], None]) -> None:
    """Run a script; what the user can mend is one sentence on standard error, and exit code 2."""
    try:
        main()
    except ValueError as wrong:
        print(f"{Path(sys.argv[0]).stem}: {wrong}", file=sys.stderr)
        sys.exit(2)
