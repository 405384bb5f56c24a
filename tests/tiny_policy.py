"""A randomly initialised policy of a few thousand weights in a model folder, for tests that train or score.

Its words are numbers, 0 ends a text, and its solutions end with their answer.
"""

from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from filters.answers.checker import Verdict
from generators.records import Attempt, Problem

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
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="0",
        chat_template="{% for message in messages %}{{ message.content }} {% endfor %}",
    ).save_pretrained(folder)
    return folder


def tiny_attempts(n: int) -> list[tuple[Problem, list[Attempt]]]:
    """Problems that were solved twice and missed twice, with words that only right or only wrong solutions have."""
    return [(_problem(number), [_attempt(number, index) for index in range(4)]) for number in range(n)]


def _problem(number: int) -> Problem:
    return Problem(problem_id=f"p{number}", source="sums", prompt=f"What is {number} + 2?", answer="4")


def _attempt(number: int, index: int) -> Attempt:
    is_right = index < 2
    answer = 4 if is_right else 5
    ids = (10 + index, 6 if is_right else 7, answer)
    return Attempt(
        problem_id=f"p{number}",
        attempt_index=index,
        prompt_token_ids=(1, 2, 8 + number % 2),
        token_ids=(*ids, 0),
        text=" ".join(map(str, ids)),
        finish_reason="eos",
        verdict=Verdict.EQUAL if is_right else Verdict.DIFFERENT,
        extracted=str(answer),
    )
