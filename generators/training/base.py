"""The base model: the policy's own weights, on which adapters are trained and scores are computed.

`transformers` loads it onto one device.
"""

import gc
from dataclasses import dataclass
from typing import Any, Literal, get_args

from generators.training.errors import NoWeights

Dtype = Literal["float32", "bfloat16"]


def has_gpu() -> bool:
    """Whether this machine has a GPU to train and score on."""
    import torch

    return bool(torch.cuda.is_available())


def release_gpu_memory() -> None:
    """Release the GPU memory that models in this process no longer use."""
    import torch

    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()


def check_dtype(dtype: str) -> None:
    """Raise ValueError unless base models can be loaded in `dtype`."""
    if dtype not in get_args(Dtype):
        raise ValueError(f"dtype must be one of {', '.join(get_args(Dtype))}, got {dtype!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The identity of a base model: its weights, tokenizer and vocabulary; `model` is a local folder or a Hub id.

    `name` changes when the weights do. `vocabulary` is the number of token ids that the model has.
    """

    name: str
    model: str
    revision: str | None
    tokenizer_sha256: str
    vocabulary: int

    def load(self, *, dtype: Dtype, device: str) -> Any:
        """The model in eval mode; raises NoWeights if its logits are more than a linear head over its states."""
        import torch
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(self.model, revision=self.revision, dtype=getattr(torch, dtype))
        model = model.to(device).eval()
        probe = torch.arange(min(8, self.vocabulary), device=device)[None]
        head = model.get_output_embeddings()
        with torch.no_grad():
            states, logits = model.base_model(input_ids=probe).last_hidden_state, model(input_ids=probe).logits
            is_linear = isinstance(head, torch.nn.Linear) and torch.allclose(head(states), logits, rtol=1e-3, atol=1e-3)
        if not is_linear:
            raise NoWeights(
                f"{self.name} ({type(model).__name__}) does more to its logits than a linear head does (it scales or "
                "caps them), which contrastive models do not support: use a policy of another architecture"
            )
        return model
