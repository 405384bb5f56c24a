"""Full fine-tuning of a small model folder on token ids: seeded, resumable, one process, CPU or one GPU.

Knows nothing of problems or policies. For more than a small model, a trainer of its own is the better tool.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from generators.training.examples import Example
from generators.training.loop import Say, train
from generators.training.settings import TrainingSettings


def fine_tune(
    base: Path, examples: Sequence[Example], settings: TrainingSettings, *, into: Path, checkpoint: Path, say: Say
) -> list[float]:
    """Write the fine-tuned model beside `base`'s tokenizer into the folder `into`; give the loss of every step.

    Continues from `checkpoint` where an earlier call was cut off; raises ValueError where that file belongs to other
    settings or examples.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).to(device).train()
    model.get_input_embeddings().requires_grad_(False)  # a fifth of the weights, and what they know will do
    losses = train(model, examples, settings, checkpoint=checkpoint, described=repr(settings), say=say)
    model.to(torch.bfloat16).save_pretrained(into)
    AutoTokenizer.from_pretrained(base).save_pretrained(into)
    model.generation_config.save_pretrained(into)
    (into / "losses.json").write_text(json.dumps(losses))
    checkpoint.unlink(missing_ok=True)
    return losses
