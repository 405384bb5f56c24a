"""What a card says about trainers: who reads each config, and the lines that train on it."""

import pytest

from generators.formats import Format
from releases.card import HubAddress, write_card
from releases.trl import lines, readers
from tests.releases.long_cot_rows import draft_of, tables

HUB = HubAddress(repository="lab/long_cot_traces")


@pytest.fixture
def card(facts, registry):
    draft = draft_of(facts, *tables(), test=0)
    release = registry.publish(draft)
    return lambda address=None: write_card(draft, registry.manifest(draft.dataset, release.version), address)


def test_each_config_names_its_trainer_with_three_lines(card):
    told = card()
    assert told.count("TRL's `SFTTrainer` reads it as it is.\n\n```python\n") == 2
    assert told.count("TRL's `DPOTrainer` and `RewardTrainer` read it as it is.\n\n```python\n") == 1
    assert (
        "from trl import DPOConfig, DPOTrainer\n"
        'rows = load_dataset("long_cot_traces/v0.1.0", "pairs", split="train")\n'
        'DPOTrainer("path/to/the/policy", args=DPOConfig(max_length=None), train_dataset=rows).train()\n```\n'
    ) in told


def test_on_the_hub_the_lines_load_the_version(card):
    load = 'load_dataset("lab/long_cot_traces", "default", split="train", revision="v0.1.0")'
    assert card(HUB).count(f"rows = {load}\n") == 2  # to load it, and to train on it


def test_a_chat_is_learnt_in_the_assistants_messages_alone():
    code = lines(Format.MESSAGES, load="rows", model="lab/policy")
    assert 'SFTTrainer("lab/policy", args=SFTConfig(max_length=None, assistant_only_loss=True), ' in code


@pytest.mark.parametrize(
    ("format", "said"),
    [(None, ""), (Format.STEPWISE, "`examples.prm` trains a process reward model"), (Format.TOKENS, "`SFTTrainer`")],
)
def test_every_format_has_a_sentence_and_everything_has_none(format, said):
    assert said in readers(format) and bool(readers(format)) == bool(said)


def test_without_a_trainer_of_trl_there_are_no_lines():
    assert [lines(format, load="rows", model="policy") for format in (None, Format.STEPWISE)] == ["", ""]
