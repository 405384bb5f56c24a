"""The memory that a training needs, from the model's shape and its longest row."""

from collections.abc import Iterable, Mapping
from typing import Any

import psutil
import torch

LIBRARIES = 0.8e9  # bytes that Python holds once torch, transformers and TRL are loaded
# What the backward pass keeps of a token in a layer: the inputs of linear layers, norms and activations, in multiples
# of the hidden and of the intermediate size; and two attention weights a head for each token of the row. Fitted to
# trainings that were measured on a CPU.
_HIDDEN, _INTERMEDIATE, _ATTENTION = 15, 6, 2


def require_memory(model: Any, rows: Iterable[Mapping[str, Any]], *, micro_batch_size: int, max_length: int) -> str:
    """A sentence on what a training needs and what is free; raises ValueError if that is too little."""
    n_sequences, width = shape_of(rows, max_length)
    needed = needed_bytes(model, n_sequences * micro_batch_size, width)
    has_gpu = torch.cuda.is_available()
    free = torch.cuda.mem_get_info()[0] if has_gpu else psutil.virtual_memory().available
    needs = f"needs about {needed / 1e9:.1f} GB of the {'GPU' if has_gpu else 'machine'}'s memory"
    if needed > free:
        raise ValueError(
            f"micro_batch_size {micro_batch_size} with rows of up to {width} tokens {needs}, and {free / 1e9:.1f} GB "
            "are free: lower --micro-batch-size or --max-length"
        )
    return f"The training {needs}; {free / 1e9:.1f} GB are free"


def shape_of(rows: Iterable[Mapping[str, Any]], max_length: int) -> tuple[int, int]:
    """The sequences that a row becomes, and the tokens of the longest: a preference pair becomes two."""
    lengths, n_sequences = [0], 1
    for row in rows:
        if "prompt_ids" in row:
            n_sequences = 2
            lengths.append(len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"])))
        else:
            lengths.append(len(row["input_ids"]))
    return n_sequences, min(max_length, max(lengths))


def needed_bytes(model: Any, n_sequences: int, width: int) -> float:
    """The libraries, the weights, the gradients and optimizer state of what is trained, and the activations."""
    config = model.config.get_text_config()
    number = torch.finfo(model.dtype).bits // 8
    weights = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    per_layer = (
        _HIDDEN * config.hidden_size
        + _INTERMEDIATE * config.intermediate_size
        + _ATTENTION * config.num_attention_heads * width
    )
    layers = config.num_hidden_layers
    kept = per_layer + layers * config.hidden_size if model.is_gradient_checkpointing else per_layer * layers
    return float(LIBRARIES + weights + 12 * trained + number * kept * n_sequences * width)
