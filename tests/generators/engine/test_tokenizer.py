import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import bytes_to_unicode

from generators.engine.byte_level import ByteTable
from generators.engine.tokenizer import HFTokenizer
from generators.engine.vocabulary import PADDING

TEXT = "Ann has 3 apples, Bob has 4. Ça fait 7 pommes à eux deux: naïve 😀 数学 Ω ≤ 2. " * 3


def byte_level():
    """A small tokenizer of GPT-2's kind, with special and plain added tokens, one of them outside of its alphabet."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator([TEXT], trainers.BpeTrainer(vocab_size=330, initial_alphabet=alphabet))
    tokenizer.add_special_tokens([AddedToken("<|end|>", special=True), AddedToken("<|im start|>", special=True)])
    tokenizer.add_tokens([AddedToken("<think>"), AddedToken("答え 7"), AddedToken(" é ")])
    return tokenizer


PLAIN = byte_level()
SIZE = PLAIN.get_vocab_size()
LETTERS = bytes_to_unicode()


def saved(folder, **config):
    wrapped = PreTrainedTokenizerFast(tokenizer_object=PLAIN, eos_token="<|end|>")
    wrapped.save_pretrained(folder)
    if config:
        (folder / "config.json").write_text(str(config).replace("'", '"'))
    return HFTokenizer(folder), wrapped


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory):
    return saved(tmp_path_factory.mktemp("byte_level"))


@settings(max_examples=300, deadline=None)
@given(ids=st.lists(st.integers(0, SIZE - 1), max_size=40))
def test_the_table_decodes_any_ids_as_the_library_does(tokenizers, ids):
    ours, library = tokenizers
    assert ours.decode(ids) == library.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=12) | st.text(max_size=12).map(lambda text: text.encode(errors="replace")))
def test_broken_characters_are_replaced_as_the_library_replaces_them(tokenizers, content):
    ours, library = tokenizers
    ids = [PLAIN.token_to_id(LETTERS[byte]) for byte in content]
    assert ours.decode(ids) == library.decode(ids, skip_special_tokens=True) == content.decode(errors="replace")


def test_ids_of_the_padding_have_no_text(tokenizers):
    ours, library = tokenizers
    ids = [SIZE + 7, *PLAIN.encode("Ann").ids, SIZE + 900]
    assert ours.decode(ids) == library.decode(ids, skip_special_tokens=True) == "Ann"


@pytest.mark.parametrize("decoder", [decoders.Metaspace(), decoders.WordPiece(), decoders.BPEDecoder(), None])
def test_other_vocabularies_are_decoded_by_the_library(tmp_path, decoder):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.train_from_iterator([TEXT], trainers.BpeTrainer(vocab_size=200))
    if decoder is not None:
        tokenizer.decoder = decoder
    assert ByteTable.of(tokenizer) is None
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    wrapped.save_pretrained(tmp_path)
    ids = random.Random(1).choices(range(tokenizer.get_vocab_size()), k=200)
    expected = wrapped.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert HFTokenizer(tmp_path).decode(ids) == expected


def test_a_byte_level_vocabulary_has_a_table():
    assert ByteTable.of(PLAIN) is not None


def test_pieces_are_the_piece_of_each_id(tokenizers):
    ours, _ = tokenizers
    ids = PLAIN.encode(TEXT).ids
    assert ours.pieces(ids) == [ours.piece(token_id) for token_id in ids]


@pytest.mark.parametrize(
    ("config", "vocabulary"),
    [
        ({"vocab_size": SIZE + 64}, SIZE + 64),
        ({"vocab_size": SIZE - 1}, SIZE),
        ({"text_config": {"vocab_size": SIZE + 128}}, SIZE + 128),
        ({"hidden_size": 8}, SIZE + PADDING),
        ({}, SIZE + PADDING),
    ],
)
def test_the_vocabulary_is_the_models_where_it_is_known(tmp_path, config, vocabulary):
    tokenizer, _ = saved(tmp_path, **config)
    assert tokenizer.vocabulary == vocabulary
