"""A tiny model with the simulated policy's own tokenizer, as a model folder that trainers load."""

from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from generators.engine.simulated.vocabulary import _ONE_TOKEN, SPECIAL, VOCABULARY_SIZE, SimulatedTokenizer
from tests.tiny_policy import tiny_policy

SIZE = VOCABULARY_SIZE - 0x110000 + 0x2300  # all words, and the characters up to the mathematical ones
CHAT = (
    "{% for message in messages %}<{{ message.role }}>{% if message.role == 'assistant' %}"
    "{% generation %}{{ message.content }}<eos>{% endgeneration %}"
    "{% else %}{{ message.content }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)


def simulated_policy(folder: Path) -> Path:
    """The policy's folder; its tokenizer gives the ids of the simulated policy's."""
    tiny_policy(folder, vocabulary=SIZE)
    pieces = {SimulatedTokenizer().piece(token_id): token_id for token_id in reversed(range(len(SPECIAL), SIZE))}
    inner = Tokenizer(models.WordLevel(pieces | SPECIAL, unk_token="<eos>"))
    one_token = _ONE_TOKEN.pattern.removesuffix(".") + r"[\s\S]"
    inner.pre_tokenizer = pre_tokenizers.Split(Regex(one_token), "isolated")
    inner.decoder = decoders.Fuse()
    PreTrainedTokenizerFast(
        tokenizer_object=inner,
        eos_token="<eos>",
        pad_token="<eos>",
        extra_special_tokens=list(SPECIAL)[1:],
        chat_template=CHAT,
    ).save_pretrained(folder)
    return folder
