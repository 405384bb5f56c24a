"""A randomly initialised policy of a few thousand weights in a model folder, for tests that train or score."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

torch.set_num_threads(1)  # such small tensors gain nothing from a second thread, and wait for it on a busy machine


def tiny_policy(folder: Path, *, vocabulary: int = 16, hidden: int = 16, layers: int = 1, seed: int = 0) -> Path:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    words = {str(n): n for n in range(vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="0"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="0").save_pretrained(folder)
    return folder
