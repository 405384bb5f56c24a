"""A randomly initialised reward model of a few thousand weights in a model folder; a test may name its words."""

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForSequenceClassification, PreTrainedTokenizerFast

SPACES = pre_tokenizers.WhitespaceSplit()
WORDS = [*"0123456789+=?", "What", "is", "It", "<pad>", "<end>", "<unk>"]
TEMPLATE = "{% for message in messages %}{{ message.role }} {{ message.content }} <end>{% endfor %}"


def made(folder, *, labels=1, template=TEMPLATE, pad="<pad>", head=8, words=WORDS, split=SPACES, positions=32):
    """A classifier of two layers with random weights."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=2 * head,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=positions,
        num_labels=labels,
    )
    LlamaForSequenceClassification(config).save_pretrained(folder)
    level = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<unk>"))
    level.pre_tokenizer = split
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=level, unk_token="<unk>", eos_token="<end>", pad_token=pad)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return folder
