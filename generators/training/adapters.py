"""Train one LoRA adapter of a base model on solutions, and keep it under a key of everything that shaped it.

It runs in one process on one device; a base model that does not fit one device is not supported.
"""

import hashlib
import importlib.metadata
import json
from dataclasses import asdict, dataclass
from math import cos, pi
from pathlib import Path

from generators.engine.model_folder import make_once
from generators.training.adapter_folder import Origin, write_origin
from generators.training.base import Base, Dtype, check_dtype
from generators.training.examples import Example
from generators.training.loop import Say, solution_loss, train
from generators.training.settings import TrainingSettings

VERSION = "1"  # bump when a change here or in the loop would change the weights


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSettings(TrainingSettings):
    """The paper's training: LoRA on the feed-forward layers with cosine decay; its 100 warm-up steps were about 2 %.

    Examples with more than `max_tokens` tokens are left out. `bfloat16` halves the base model's memory; the trained
    weights stay in float32.
    """

    batch_size: int = 6
    learning_rate: float = 3e-4
    warm_up_share: float = 0.02
    beta2: float = 0.999
    rank: int = 8
    alpha: int = 16
    dropout: float = 0.1
    targets: tuple[str, ...] = ("gate_proj", "down_proj", "up_proj")
    max_tokens: int = 1024
    dtype: Dtype = "float32"

    def __post_init__(self) -> None:
        TrainingSettings.__post_init__(self)
        for field in ("rank", "alpha"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        if self.max_tokens < 2:
            raise ValueError(f"max_tokens must be at least 2, got {self.max_tokens}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be from 0 to below 1, got {self.dropout}")
        if not self.targets:
            raise ValueError("targets must name at least one layer, got ()")
        check_dtype(self.dtype)

    def decay(self, left: float) -> float:
        """Half a cosine period, from 1 to 0."""
        return (1 - cos(pi * left)) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterTraining:
    """The training of an adapter called `name`, which is kept in a folder under `root`."""

    name: str
    base: Base
    examples: tuple[Example, ...]
    settings: AdapterSettings
    root: Path

    def __post_init__(self) -> None:
        if not self.fitting():
            raise ValueError(
                f"{self.name} must hold an example of at most max_tokens={self.settings.max_tokens} tokens, got none "
                f"among {len(self.examples)}"
            )
        highest = max(max(example.token_ids) for example in self.examples)
        if highest >= self.base.vocabulary:
            raise ValueError(
                f"{self.name} holds the token id {highest}, and {self.base.name} knows {self.base.vocabulary}: the "
                "examples were made with another tokenizer"
            )

    def fitting(self) -> list[Example]:
        """The examples of at most `max_tokens` tokens."""
        return [example for example in self.examples if len(example.token_ids) <= self.settings.max_tokens]

    def folder(self) -> Path:
        """Where the adapter is kept; its name covers everything that determines the weights."""
        base = (self.base.name, self.base.tokenizer_sha256)
        key = [VERSION, importlib.metadata.version("peft"), base, asdict(self.settings)]
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode())
        for example in self.examples:
            digest.update(json.dumps([example.token_ids, example.solution_start]).encode())
        return self.root / f"{self.name}-{digest.hexdigest()[:16]}"

    def run(self, device: str, say: Say) -> None:
        """Train on `device`, resuming an interrupted call; the folder appears complete or not at all."""
        folder = self.folder()
        checkpoint = folder.parent / f".{folder.name}.checkpoint"

        def make(into: Path) -> None:
            self._fill(into, checkpoint, device, lambda line: say(f"{self.name} model: {line}"))

        make_once(folder, make, version=VERSION)
        checkpoint.unlink(missing_ok=True)

    def _fill(self, into: Path, checkpoint: Path, device: str, say: Say) -> None:
        import peft
        import torch

        settings, fitting = self.settings, self.fitting()
        n_left_out = len(self.examples) - len(fitting)
        if n_left_out:
            say(f"{n_left_out} of {len(self.examples)} examples have more than {settings.max_tokens} tokens: left out")
        base = self.base.load(dtype=settings.dtype, device=device)
        torch.manual_seed(settings.seed)
        lora = peft.LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            lora_dropout=settings.dropout,
            target_modules=list(settings.targets),
            task_type="CAUSAL_LM",
        )
        model = peft.get_peft_model(base, lora).train()
        losses = train(
            model.get_base_model(),
            fitting,
            settings,
            loss=solution_loss,
            checkpoint=checkpoint,
            described=checkpoint.name,
            say=say,
        )
        model.save_pretrained(str(into), save_embedding_layers=False)
        origin = Origin(
            base=self.base.name,
            tokenizer_sha256=self.base.tokenizer_sha256,
            vocabulary=self.base.vocabulary,
            peft=peft.__version__,
            settings=repr(settings),
            n_examples=len(fitting),
            n_left_out=n_left_out,
            losses=tuple(losses),
        )
        write_origin(into, origin)
