"""The tokenizer of the laboratory's policy: a token for each word of its tasks, and bytes for every other text.

Its chat template knows no system turn: the policy is too small to follow an instruction, so it is not shown one.
"""

from pathlib import Path

from generators.problems.laboratory.chains import LABELS
from generators.problems.laboratory.law import AGAIN, WAIT

END = "<|end|>"
PROBLEM = "<|problem|>"
SOLUTION = "<|solution|>"
PADDING = "<|padding|>"
SPECIAL = (END, PROBLEM, SOLUTION, PADDING)
WORDS = (
    *("Chain: ", "Detour: ", "Slip: ", "Omission: ", "Carry:"),
    *("up ", "left ", "in ", " up ", " left ", " in "),
    *(f"{label}: " for label in LABELS),
    *(" is ", "again ", ", ", "; ", WAIT, AGAIN),
    *("The answer is \\boxed{", "}.", "<think>", "</think>"),
)
_TEMPLATE = (
    "{% for message in messages %}"
    f"{{% if message['role'] == 'user' %}}{PROBLEM}{{{{ message['content'] }}}}{SOLUTION}"
    f"{{% elif message['role'] == 'assistant' %}}{{{{ message['content'] }}}}{END}{{% endif %}}"
    "{% endfor %}"
)


def save_tokenizer(folder: Path) -> int:
    """Write the tokenizer into `folder`, in the format of `transformers`; returns its number of tokens."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in WORDS])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, pad_token=PADDING, clean_up_tokenization_spaces=False
    )
    wrapped.chat_template = _TEMPLATE
    wrapped.save_pretrained(folder)
    return len(wrapped)
