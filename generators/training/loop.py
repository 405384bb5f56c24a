"""The training loop: any loss over batches of items, with AdamW; seeded, resumable, one process, one device.

On a CPU, an interrupted and resumed training ends with exactly the same weights as an uninterrupted one. On a GPU, they
agree as closely as its kernels are reproducible.
"""

import os
import random
import time
from collections.abc import Callable, Sequence
from itertools import count
from math import ceil
from pathlib import Path
from typing import Any, TypeVar

from generators.training.examples import Example, Item, batches, shared_prefix
from generators.training.settings import TrainingSettings

Say = Callable[[str], None]
IGNORED = -100
T = TypeVar("T", bound=Item)


def train(
    model: Any,
    items: Sequence[T],
    settings: TrainingSettings,
    *,
    loss: Callable[[Any, Sequence[T]], Any],
    checkpoint: Path,
    described: str,
    say: Say,
    n_steps: int | None = None,
) -> list[float]:
    """Train the weights of `model` that require a gradient; returns the loss of every step.

    It takes `n_steps` steps, by default those of the settings' epochs. Resumes an interrupted call from `checkpoint`,
    which at the end holds the trained weights. `described` identifies the training: raises ValueError if the checkpoint
    belongs to another one. The caller deletes the checkpoint.
    """
    import torch

    trainable = {name: weights for name, weights in model.named_parameters() if weights.requires_grad}
    optimiser = torch.optim.AdamW(
        trainable.values(), lr=settings.learning_rate, betas=(0.9, settings.beta2), weight_decay=0.0, fused=True
    )
    steps = plan(items, settings, n_steps)
    losses = _resume(checkpoint, trainable, optimiser, described, steps=len(steps))
    if losses:
        say(f"continuing at step {len(losses)} of {len(steps)}")
    began, tokens = time.monotonic(), 0
    for step in range(len(losses), len(steps)):
        torch.manual_seed(random.Random(f"{settings.seed}/step {step}").getrandbits(63))  # dropout, resumed or not
        for group in optimiser.param_groups:
            group["lr"] = settings.rate(step, len(steps))
        value = loss(model, steps[step])
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(trainable.values(), 1.0)
        optimiser.step()
        losses.append(float(value.detach()))
        tokens += _tokens(steps[step])
        done = step + 1
        if done % 10 == 0 or done == len(steps):
            rate = tokens / (time.monotonic() - began)
            left_s = sum(_tokens(batch) for batch in steps[done:]) / rate
            say(f"step {done} of {len(steps)}: loss {losses[-1]:.3f}, {rate:.0f} tokens a second, {left_s:.0f} s left")
        if done % settings.save_every == 0 or done == len(steps):
            _save(checkpoint, trainable, optimiser, described, losses, steps=len(steps))
    return losses


def plan(items: Sequence[T], settings: TrainingSettings, n_steps: int | None = None) -> list[list[T]]:
    """The batch of every step; it follows from the seed, so a resumed run continues where it stopped.

    With `n_steps`, the items are passed as often as it takes.
    """
    n_steps = settings.epochs * ceil(len(items) / settings.batch_size) if n_steps is None else n_steps
    steps: list[list[T]] = []
    for epoch in count():
        if len(steps) >= n_steps:
            break
        draw = random.Random(f"{settings.seed}/{epoch}")
        order = list(range(len(items)))
        draw.shuffle(order)
        cut = batches(items, order=order, size=settings.batch_size)
        draw.shuffle(cut)
        steps += cut
    return steps[:n_steps]


def solution_loss(model: Any, batch: Sequence[Example]) -> Any:
    """Mean cross-entropy over the solutions' tokens."""
    import torch

    logits, targets = at_solutions(model, batch)
    return torch.nn.functional.cross_entropy(logits, targets[targets != IGNORED])


def at_solutions(model: Any, batch: Sequence[Example]) -> tuple[Any, Any]:
    """Logits at the positions before the solutions' tokens, and the targets of all positions, `IGNORED` elsewhere.

    Targets are (batch, longest); logits are (number of targets that are not ignored, vocabulary), in float32. The
    prefix that all prompts share (the instruction) goes through the model once per batch, not once per example.
    """
    import torch

    shared = shared_prefix(batch)
    longest = max(len(example.token_ids) for example in batch) - shared
    ids = torch.zeros((len(batch), longest), dtype=torch.long)
    mask = torch.zeros((len(batch), shared + longest), dtype=torch.long)
    targets = torch.full((len(batch), longest), IGNORED, dtype=torch.long)
    for row, example in enumerate(batch):
        own, start = example.token_ids[shared:], example.solution_start - shared
        ids[row, : len(own)] = torch.tensor(own)
        mask[row, : shared + len(own)] = 1
        # The state at a position predicts the token after it.
        targets[row, start - 1 : len(own) - 1] = ids[row, start : len(own)]
        if example.learnt is not None:
            targets[row, start - 1 : len(own) - 1][~torch.tensor(example.learnt)] = IGNORED
    ids, mask, targets = ids.to(model.device), mask.to(model.device), targets.to(model.device)
    cache = None
    if shared:
        prefix = torch.tensor([batch[0].token_ids[:shared]], device=model.device)
        cache = model.base_model(input_ids=prefix, use_cache=True).past_key_values
        cache.batch_repeat_interleave(len(batch))
    states = model.base_model(input_ids=ids, attention_mask=mask, past_key_values=cache).last_hidden_state
    is_target = targets != IGNORED
    logits = model.get_output_embeddings()(states[is_target])
    return logits.float(), targets


def _tokens(batch: Sequence[Item]) -> int:
    return sum(map(len, batch))


def _save(
    checkpoint: Path, trainable: dict[str, Any], optimiser: Any, described: str, losses: list[float], *, steps: int
) -> None:
    import torch

    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "described": described,
        "steps": steps,
        "losses": losses,
        "weights": {name: weights.detach() for name, weights in trainable.items()},
        "optimiser": optimiser.state_dict(),
    }
    scratch = checkpoint.with_name(f"{checkpoint.name}.tmp")
    torch.save(state, scratch)
    os.replace(scratch, checkpoint)


def _resume(checkpoint: Path, trainable: dict[str, Any], optimiser: Any, described: str, *, steps: int) -> list[float]:
    import torch

    if not checkpoint.exists():
        return []
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if (state.get("described"), state["steps"]) != (described, steps):
        raise ValueError(
            f"{checkpoint} belongs to a training of {state['steps']} steps with {state.get('described')}: delete it"
        )
    with torch.no_grad():
        for name, weights in trainable.items():
            weights.copy_(state["weights"][name])
    optimiser.load_state_dict(state["optimiser"])
    return list(state["losses"])
