"""Full fine-tuning of a small model folder on token ids: seeded, resumable, one process, CPU or one GPU.

Knows nothing of problems or policies. For more than a small model, a trainer of its own is the better tool.
"""

import json
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generators.training.examples import Example, batches, shared_prefix

IGNORED = -100


@dataclass(frozen=True, slots=True, kw_only=True)
class FineTuneSettings:
    """AdamW with a linear warm-up over `warm_up_share` of the steps and a linear decay to zero.

    `beta2` is AdamW's: how long it remembers squared gradients; a training of a few hundred steps wants it short.
    """

    epochs: int = 1
    batch_size: int = 8
    learning_rate: float = 1e-4
    warm_up_share: float = 0.1
    beta2: float = 0.98
    seed: int = 0
    save_every: int = 50

    def __post_init__(self) -> None:
        for field in ("epochs", "batch_size", "save_every"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not 0 <= self.warm_up_share < 1:
            raise ValueError(f"warm_up_share must be from 0 to below 1, got {self.warm_up_share}")
        if not 0 < self.beta2 < 1:
            raise ValueError(f"beta2 must be above 0 and below 1, got {self.beta2}")

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of `step` (from 0) of `steps`."""
        warm = max(1, round(self.warm_up_share * steps))
        return self.learning_rate * min((step + 1) / warm, (steps - step) / max(1, steps - warm), 1.0)


def fine_tune(
    base: Path,
    examples: Sequence[Example],
    settings: FineTuneSettings,
    *,
    into: Path,
    checkpoint: Path,
    say: Callable[[str], None],
) -> list[float]:
    """Write the fine-tuned model beside `base`'s tokenizer into the folder `into`; give the loss of every step.

    Continues from `checkpoint` where an earlier call was cut off; raises ValueError where that file belongs to other
    settings or examples.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(settings.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).to(device).train()
    model.get_input_embeddings().requires_grad_(False)  # a fifth of the weights, and what they know will do
    learning = [weights for weights in model.parameters() if weights.requires_grad]
    optimiser = torch.optim.AdamW(
        learning, lr=settings.learning_rate, betas=(0.9, settings.beta2), weight_decay=0.0, fused=True
    )
    plan = _plan(examples, settings)
    losses = _resume(checkpoint, model, optimiser, settings, steps=len(plan))
    if losses:
        say(f"continuing at step {len(losses)} of {len(plan)}")
    began, tokens = time.monotonic(), 0
    for step in range(len(losses), len(plan)):
        for group in optimiser.param_groups:
            group["lr"] = settings.rate(step, len(plan))
        loss = _loss(model, plan[step], device)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        tokens += sum(len(example.token_ids) for example in plan[step])
        done = step + 1
        if done % 10 == 0 or done == len(plan):
            rate = tokens / (time.monotonic() - began)
            left = sum(len(example.token_ids) for batch in plan[done:] for example in batch) / rate
            say(f"step {done} of {len(plan)}: loss {losses[-1]:.3f}, {rate:.0f} tokens a second, {left:.0f} s left")
        if done % settings.save_every == 0 and done < len(plan):
            _save(checkpoint, model, optimiser, settings, losses, steps=len(plan))
    model.to(torch.bfloat16).save_pretrained(into)
    AutoTokenizer.from_pretrained(base).save_pretrained(into)
    model.generation_config.save_pretrained(into)
    (into / "losses.json").write_text(json.dumps(losses))
    checkpoint.unlink(missing_ok=True)
    return losses


def _plan(examples: Sequence[Example], settings: FineTuneSettings) -> list[list[Example]]:
    """The batch of every step; it follows from the seed, so a resumed run goes on where it was."""
    plan = []
    for epoch in range(settings.epochs):
        draw = random.Random(f"{settings.seed}/{epoch}")
        order = list(range(len(examples)))
        draw.shuffle(order)
        cut = batches(examples, order=order, size=settings.batch_size)
        draw.shuffle(cut)
        plan += cut
    return plan


def _loss(model: Any, batch: Sequence[Example], device: str) -> Any:
    """Mean cross-entropy of the solutions' tokens; logits are computed for those positions only.

    What all prompts begin with (the instruction) goes through the model once a batch and not once an example.
    """
    import torch

    shared = shared_prefix(batch)
    longest = max(len(example.token_ids) for example in batch) - shared
    ids = torch.zeros((len(batch), longest), dtype=torch.long)
    seen = torch.zeros((len(batch), shared + longest), dtype=torch.long)
    targets = torch.full((len(batch), longest), IGNORED, dtype=torch.long)
    for row, example in enumerate(batch):
        own, start = example.token_ids[shared:], example.solution_start - shared
        ids[row, : len(own)] = torch.tensor(own)
        seen[row, : shared + len(own)] = 1
        # The state at a position predicts the token after it.
        targets[row, start - 1 : len(own) - 1] = ids[row, start : len(own)]
    ids, seen, targets = ids.to(device), seen.to(device), targets.to(device)
    cache = None
    if shared:
        prefix = torch.tensor([batch[0].token_ids[:shared]], device=device)
        cache = model.base_model(input_ids=prefix, use_cache=True).past_key_values
        cache.batch_repeat_interleave(len(batch))
    states = model.base_model(input_ids=ids, attention_mask=seen, past_key_values=cache).last_hidden_state
    learnt = targets != IGNORED
    return torch.nn.functional.cross_entropy(model.lm_head(states[learnt]), targets[learnt])


def _save(
    checkpoint: Path, model: Any, optimiser: Any, settings: FineTuneSettings, losses: list[float], *, steps: int
) -> None:
    import torch

    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "settings": repr(settings),
        "steps": steps,
        "losses": losses,
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
    }
    scratch = checkpoint.with_name(f"{checkpoint.name}.tmp")
    torch.save(state, scratch)
    os.replace(scratch, checkpoint)


def _resume(checkpoint: Path, model: Any, optimiser: Any, settings: FineTuneSettings, *, steps: int) -> list[float]:
    import torch

    if not checkpoint.exists():
        return []
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    if (state["settings"], state["steps"]) != (repr(settings), steps):
        raise ValueError(
            f"{checkpoint} belongs to a training of {state['steps']} steps with {state['settings']}: delete it"
        )
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return list(state["losses"])
