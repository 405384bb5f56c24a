"""The base model: the policy's own weights, on which adapters are trained and scores are computed.

Knows nothing of adapters or servers. `transformers` loads it, onto one device.
"""

import gc
from dataclasses import dataclass
from typing import Any, Literal, get_args

from generators.training.errors import NoWeights

Dtype = Literal["float32", "bfloat16"]


def has_gpu() -> bool:
    """Whether models are trained and scored on a GPU here."""
    import torch

    return bool(torch.cuda.is_available())


def give_memory_back() -> None:
    """Leave to others the GPU memory that models held here before."""
    import torch

    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()


def check_dtype(dtype: str) -> None:
    """Raise ValueError unless `dtype` is one that base models are loaded in."""
    if dtype not in get_args(Dtype):
        raise ValueError(f"dtype must be one of {', '.join(get_args(Dtype))}, got {dtype!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """Which weights, tokenizer and vocabulary it is; `model` is a local folder or a Hub id.

    `name` changes when the weights do. `vocabulary` counts the token ids that the model knows.
    """

    name: str
    model: str
    revision: str | None
    tokenizer_sha256: str
    vocabulary: int

    def load(self, *, dtype: Dtype, device: str) -> Any:
        """The model without dropout; raises NoWeights where its logits are more than a linear head over its states."""
        import torch
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained(self.model, revision=self.revision, dtype=getattr(torch, dtype))
        model = model.to(device).eval()
        probe = torch.arange(min(8, self.vocabulary), device=device)[None]
        head = model.get_output_embeddings()
        with torch.no_grad():
            states, logits = model.base_model(input_ids=probe).last_hidden_state, model(input_ids=probe).logits
            plain = isinstance(head, torch.nn.Linear) and torch.allclose(head(states), logits, rtol=1e-3, atol=1e-3)
        if not plain:
            raise NoWeights(
                f"{self.name} ({type(model).__name__}) does more to its logits than a linear head does (it scales or "
                "caps them), which contrastive models do not support: use a policy of another architecture"
            )
        return model
