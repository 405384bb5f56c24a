import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from generators.engine.simulated.vocabulary import SimulatedTokenizer
from generators.engine.tokenizer import HFTokenizer
from generators.sampling.templated import is_stable, templated

WORDS = ("<s>", "</s>", "<|user|>", "a", "b", "ab", "\n")
CHAT = [{"role": "user", "content": "7 8"}]


@pytest.fixture
def small(tmp_path):
    """A tokenizer of three letters that puts `<s>` in front by itself and merges `a` and `b`."""
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    inner = Tokenizer(models.BPE(vocabulary, [("a", "b")]))
    inner.pre_tokenizer = pre_tokenizers.Split("\n", "isolated")
    inner.decoder = decoders.Fuse()
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    folder = tmp_path / "small"
    PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", extra_special_tokens=["<|user|>"]
    ).save_pretrained(folder)
    return HFTokenizer(folder)


def test_special_tokens_are_written_out_and_read_again(small):
    assert small.encode_whole("<|user|>a") == (0, 2, 3)
    assert small.encode("a") == (3,)
    assert small.decode_whole((0, 2, 3, 1)) == "<s><|user|>a</s>"
    assert small.decode((0, 2, 3, 1)) == "a"


def test_what_the_tokenizer_puts_in_front_by_itself_is_left_out_of_the_template(small):
    prompt = templated((0, 2, 3), "b\n", small)
    assert prompt == "<|user|>ab\n"
    assert small.encode_whole(prompt)[0] == 0 and small.encode_whole(prompt).count(0) == 1


def test_a_prompt_without_it_stays_whole(small):
    assert templated((2, 3), "", small) == "<|user|>a"


# what stands behind `<|user|>`, the completion, and the ids of both
BOUNDARIES = [
    ("a\n", "b", (3, 6), (4,), True),
    ("a", "b", (3,), (4,), False),
    ("a\n", "ab", (6, 3), (3, 4), False),
    ("a\n", "ab", (3, 6), (5,), True),
]


@pytest.mark.parametrize(("text", "completion", "ids", "completion_ids", "stable"), BOUNDARIES)
def test_a_boundary_is_stable_where_the_texts_give_the_ids_back(small, text, completion, ids, completion_ids, stable):
    prompt_ids = (0, 2, *ids)
    found = is_stable(
        f"<|user|>{text}",
        completion,
        prompt_token_ids=prompt_ids,
        completion_token_ids=completion_ids,
        tokenizer=small,
    )
    assert found is stable


def test_a_chat_of_the_simulated_policy_comes_back_from_its_text():
    tokenizer = SimulatedTokenizer()
    ids = tokenizer.chat(CHAT)
    assert tokenizer.encode_whole("") == ()
    assert tokenizer.decode_whole(ids) == "<user>7 8<assistant>"
    assert tokenizer.encode_whole(templated(ids, "1\n", tokenizer)) == (*ids, *tokenizer.encode("1\n"))
