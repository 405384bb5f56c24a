"""Log probabilities of tokens by a plain forward pass, for losses that are computed by hand."""

import torch


def awakened(model):
    """The model with an adapter that does something: a new one leaves the policy as it is."""
    torch.manual_seed(1)
    for name, weights in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.5)
    return model


@torch.no_grad()
def log_probs(model, prompt_ids, completion_ids):
    """One number for each token of the completion."""
    logits = model(input_ids=torch.tensor([[*prompt_ids, *completion_ids]])).logits[0].log_softmax(-1)
    first = len(prompt_ids) - 1
    return [float(logits[first + place, token_id]) for place, token_id in enumerate(completion_ids)]


def log_ratios(model, prompt_ids, completion_ids):
    """The same with the adapter less without it."""
    ours = log_probs(model, prompt_ids, completion_ids)
    with model.disable_adapter():
        return [one - other for one, other in zip(ours, log_probs(model, prompt_ids, completion_ids), strict=True)]


def loss_of(trainer, rows):
    """What the trainer makes of the rows in one batch."""
    return trainer.compute_loss(trainer.model.eval(), trainer.data_collator(rows)).item()
