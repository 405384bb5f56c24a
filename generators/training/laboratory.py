"""The laboratory's policy: a small Llama, trained from scratch on solutions as the law of its tasks draws them.

`make laboratory` builds it once and keeps it under a key of everything that went into it. It learns from the part
`policy` of the problems. Most solutions are plain. Others have thoughts before them, or follow an earlier attempt and
the request to begin again; there, most errors are noticed.
"""

import hashlib
import json
import random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from generators.engine.errors import EngineMisconfigured
from generators.engine.model_folder import check_folder, make_once, models_folder
from generators.engine.tokenizer import HFTokenizer
from generators.problems import prompt as solve
from generators.problems.laboratory.law import AGAIN, Task, attempt, kept
from generators.problems.laboratory.problems import LaboratoryProblems
from generators.problems.laboratory.tasks import NAMES, TASKS
from generators.training.examples import Example
from generators.training.laboratory_tokenizer import save_tokenizer
from generators.training.loop import solution_loss, train
from generators.training.settings import TrainingSettings

VERSION = "2"  # bump when a change here, in the tasks or in the training loop would change the weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Laboratory:
    """The size of the model, how many problems of each task it learns from, and what their solutions look like.

    `thoughts` and `again` are shares of the solutions, in which an error is noticed with probability `notice`.
    """

    layers: int = 3
    heads: int = 3
    head_size: int = 32
    inner: int = 256
    context: int = 1024
    problems_per_task: int = 8000
    thoughts: float = 0.2
    again: float = 0.08
    notice: float = 0.75
    training: TrainingSettings = field(
        default_factory=lambda: TrainingSettings(batch_size=16, learning_rate=2e-3, save_every=500)
    )


def laboratory_model(cache: Path | None = None, laboratory: Laboratory | None = None) -> Path:
    """The folder of the laboratory's policy; raises EngineMisconfigured if it has not been built."""
    folder = _folder(cache, laboratory or Laboratory())
    if not folder.exists():
        raise EngineMisconfigured("policy.model is 'laboratory', which has not been built yet: run `make laboratory`")
    check_folder(folder)
    return folder


def make_laboratory(
    say: Callable[[str], None], cache: Path | None = None, laboratory: Laboratory | None = None
) -> Path:
    """Build the laboratory's policy if it is missing; an interrupted call resumes where it stopped."""
    laboratory = laboratory or Laboratory()
    folder = _folder(cache, laboratory)
    if not folder.exists():
        checkpoint = folder.parent / f".{folder.name}.checkpoint"
        make_once(folder, lambda into: _fill(into, laboratory, checkpoint, say), version=VERSION)
        checkpoint.unlink(missing_ok=True)
    check_folder(folder)
    return folder


def examples_of(laboratory: Laboratory, tokenizer: HFTokenizer) -> list[Example]:
    """What the policy learns from, in the order of the tasks."""
    examples = []
    for name in NAMES:
        problems = LaboratoryProblems(name=name, task=name, part="policy", size=laboratory.problems_per_task)
        draw = random.Random(f"{laboratory.training.seed}/{name}")
        examples += [_example(TASKS[name](), prompt, draw, laboratory, tokenizer) for prompt in problems.prompts()]
    return examples


def _example(
    task: Task[Any], prompt: str, draw: random.Random, laboratory: Laboratory, tokenizer: HFTokenizer
) -> Example:
    head = tokenizer.chat(solve.messages(prompt))
    kind = draw.random()
    if kind < laboratory.thoughts:
        *thoughts, answer = attempt(task, prompt, draw, notice=laboratory.notice)
        thought = "\n".join(line.text for line in thoughts)
        solution = "\n".join([*kept(thoughts), answer.text])
        head += tokenizer.encode("<think>\n")
        text = f"{thought}\n</think>\n\n{solution}"
    else:
        begins_again = kind > 1 - laboratory.again
        text = _drawn(task, prompt, draw, notice=laboratory.notice if begins_again else None)
        if begins_again:
            earlier = tokenizer.encode(_drawn(task, prompt, draw))
            if draw.random() < 0.5:
                earlier = earlier[: draw.randrange(1, len(earlier))]
            ends_a_line = tokenizer.decode(earlier).endswith("\n")
            head += (*earlier, *tokenizer.encode(f"{'' if ends_a_line else chr(10)}{AGAIN}\n"))
    return Example((*head, *tokenizer.encode(text), tokenizer.end_of_turn), len(head))


def _drawn(task: Task[Any], prompt: str, draw: random.Random, *, notice: float | None = None) -> str:
    return "\n".join(line.text for line in attempt(task, prompt, draw, notice=notice))


def _fill(into: Path, laboratory: Laboratory, checkpoint: Path, say: Callable[[str], None]) -> None:
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    vocabulary = save_tokenizer(into)
    tokenizer = HFTokenizer(into)
    end, padding = tokenizer.end_of_turn, tokenizer.encode_whole("<|padding|>")[0]
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=laboratory.heads * laboratory.head_size,
        intermediate_size=laboratory.inner,
        num_hidden_layers=laboratory.layers,
        num_attention_heads=laboratory.heads,
        num_key_value_heads=laboratory.heads,
        max_position_embeddings=laboratory.context,
        tie_word_embeddings=True,
        # At the library's defaults of 0.02 and 10,000, small models take many times as many steps to learn to copy.
        initializer_range=0.1,
        rope_parameters={"rope_type": "default", "rope_theta": 100.0},
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=padding,
    )
    say(f"drawing solutions of {laboratory.problems_per_task} problems of each task")
    examples = examples_of(laboratory, tokenizer)
    torch.manual_seed(laboratory.training.seed)
    model = LlamaForCausalLM(config).train()
    say(f"training {model.num_parameters()} weights on {sum(len(e.token_ids) for e in examples)} tokens")
    losses = train(
        model,
        examples,
        laboratory.training,
        loss=solution_loss,
        checkpoint=checkpoint,
        described=repr(laboratory),
        say=say,
    )
    model.generation_config = GenerationConfig(eos_token_id=end, pad_token_id=padding)
    model.save_pretrained(into)
    (into / "losses.json").write_text(json.dumps(losses))


def _folder(cache: Path | None, laboratory: Laboratory) -> Path:
    tasks = {name: asdict(TASKS[name]()) for name in NAMES}  # type: ignore[call-overload]
    content = json.dumps([VERSION, tasks, asdict(laboratory)], sort_keys=True)
    return models_folder(cache) / f"laboratory-{hashlib.sha256(content.encode()).hexdigest()[:12]}"


if __name__ == "__main__":
    print(make_laboratory(lambda line: print(line, file=sys.stderr, flush=True)))
