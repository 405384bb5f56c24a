"""What a training needs is said before it starts, and too little memory is refused."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from examples.memory import needed_bytes, require_memory, shape_of
from generators.engine.embedded import embedded_model

PAIR = {"prompt_ids": [1] * 5, "chosen_ids": [1] * 2, "rejected_ids": [1] * 4}
SHAPES = [
    ([{"input_ids": [1] * 7}, {"input_ids": [1] * 3}], 10, (1, 7)),
    ([{"input_ids": [1] * 7}], 4, (1, 4)),
    ([PAIR], 10, (2, 9)),
]


@pytest.mark.parametrize(("rows", "max_length", "shape"), SHAPES)
def test_a_row_is_as_long_as_its_longest_sequence(rows, max_length, shape):
    assert shape_of(rows, max_length) == shape


def demo_policy():
    """The demo's policy as a training of an adapter holds it."""
    return AutoModelForCausalLM.from_pretrained(embedded_model(), dtype=torch.float32).requires_grad_(False)


# Peak resident memory of `--steps 2 --micro-batch-size 1` on releases of the demo, two AVX-512 cores, 2026-11-27.
MEASURED = [("step_dpo", 2, 540, 5.1), ("sft", 1, 585, 3.0)]


@pytest.mark.parametrize(("script", "n_sequences", "width", "gigabytes"), MEASURED)
def test_the_need_is_near_what_trainings_took(script, n_sequences, width, gigabytes):
    assert needed_bytes(demo_policy(), n_sequences, width) / 1e9 == pytest.approx(gigabytes, rel=0.25)


def test_gradient_checkpointing_needs_less():
    model = demo_policy()
    plain = needed_bytes(model, 2, 540)
    model.gradient_checkpointing_enable()
    assert needed_bytes(model, 2, 540) < plain / 2


def test_rows_that_cannot_fit_are_refused_with_what_to_lower(policy):
    model = AutoModelForCausalLM.from_pretrained(policy)
    rows = [{"input_ids": [1] * 8}]
    assert "GB are free" in require_memory(model, rows, micro_batch_size=1, max_length=8)
    with pytest.raises(ValueError, match="micro_batch_size 1000000000000 with rows of up to 8 tokens needs about"):
        require_memory(model, rows, micro_batch_size=10**12, max_length=8)
