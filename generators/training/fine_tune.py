"""Full fine-tuning of a small model on token ids: seeded, resumable, one process, CPU or one GPU.

For anything larger than a small model, use a dedicated trainer.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from generators.training.examples import Example
from generators.training.loop import Say, solution_loss, train
from generators.training.settings import TrainingSettings


def fine_tune(
    base: Path, examples: Sequence[Example], settings: TrainingSettings, *, into: Path, checkpoint: Path, say: Say
) -> list[float]:
    """Write the fine-tuned model and `base`'s tokenizer into the folder `into`; returns the loss of every step.

    Resumes an interrupted call from `checkpoint`; raises ValueError if that file belongs to other settings or another
    number of steps.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).to(device).train()
    model.get_input_embeddings().requires_grad_(False)  # a fifth of the weights, and good enough as they are
    losses = train(
        model,
        examples,
        settings,
        loss=solution_loss,
        checkpoint=checkpoint,
        described=repr(settings),
        say=say,
    )
    model.to(torch.bfloat16).save_pretrained(into)
    AutoTokenizer.from_pretrained(base).save_pretrained(into)
    model.generation_config.save_pretrained(into)
    (into / "losses.json").write_text(json.dumps(losses))
    checkpoint.unlink(missing_ok=True)
    return losses
