"""A tiny policy with a tokenizer that writes characters, and a place for whatever a run leaves behind."""

import string
from functools import partial
from pathlib import Path

import datasets
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from examples.common import Run
from generators.engine.embedded import embedded_model
from generators.engine.tokenizer import HFTokenizer
from tests.tiny_policy import tiny_policy

SPECIAL = ("<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>")
WORDS = (*SPECIAL, *string.printable, "ab")
CHAT = (
    "{{ bos_token }}{% for message in messages %}<|{{ message.role }}|>{{ message.content }}"
    "{% if message.role == 'assistant' %}</s>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def character_tokenizer(folder: Path) -> Path:
    """One id a character, save `ab`; `<s>` comes in front by itself, as with Llama's tokenizers."""
    vocabulary = {word: place for place, word in enumerate(WORDS)}
    inner = Tokenizer(models.BPE(vocabulary, [("a", "b")]))
    inner.pre_tokenizer = pre_tokenizers.Split("\n", "isolated")
    inner.decoder = decoders.Fuse()
    inner.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens=list(SPECIAL[2:]),
        chat_template=CHAT,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def policy(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("policy")
    return character_tokenizer(tiny_policy(folder, vocabulary=len(WORDS)))


@pytest.fixture(scope="session")
def tokenizer(policy) -> HFTokenizer:
    return HFTokenizer(policy)


@pytest.fixture(scope="session")
def hf(policy):
    """The same tokenizer as trainers hold it."""
    return AutoTokenizer.from_pretrained(policy)


@pytest.fixture(autouse=True)
def _here_only(monkeypatch, tmp_path):
    """Datasets are cached in the test's own folder, and TRL tells nobody that it runs."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    monkeypatch.setenv("CI", "1")


@pytest.fixture(scope="session")
def embedded(tmp_path_factory) -> Path:
    """A tiny policy with the tokenizer of the embedded one, which puts nothing in front."""
    folder = tiny_policy(tmp_path_factory.mktemp("embedded"), vocabulary=49_152)
    AutoTokenizer.from_pretrained(embedded_model()).save_pretrained(folder)
    return folder


@pytest.fixture
def run(policy, tmp_path):
    return partial(Run, model=str(policy), output=tmp_path / "trained", batch_size=2, rank=2)
