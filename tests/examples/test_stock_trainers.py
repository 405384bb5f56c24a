"""The stock trainers of TRL on every config that has a format for them: each takes a step, and only answers are learnt.

The rows are those of a simulated round, and the model has the simulated policy's tokenizer.
"""

import math

import pytest
import trl
from datasets import Dataset
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
)

from examples.common import load_release
from generators.datasets import DATASETS
from generators.formats import Format
from releases.registry.local import LocalRegistry
from releases.trl import OTHERS, READERS, lines
from tests.examples.simulated_policy import simulated_policy

IGNORED = -100
CONFIGS = [(dataset, config) for dataset in DATASETS for config in dataset.configs if config.format]
TRAINED = [
    pytest.param(dataset.name, config, reader, id=f"{dataset.name}/{config.name}: {reader.trainer}")
    for dataset, config in CONFIGS
    for reader in READERS.get(config.format, ())
]
LEARNT = [
    pytest.param(dataset.name, config, id=f"{dataset.name}/{config.name}")
    for dataset, config in CONFIGS
    if config.format in READERS
]


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    return simulated_policy(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="session")
def tokenizer(simulated):
    return AutoTokenizer.from_pretrained(simulated)


@pytest.fixture
def rows_of(world):
    def load(dataset, config):
        folder = LocalRegistry(world.store.releases).open(dataset, "v0.1.0").path
        if not (folder / "data" / config).exists():
            pytest.skip("the round has no rows of this config")
        return load_release(str(folder), config)["train"]

    return load


def trainer_of(reader, rows, simulated, tokenizer, folder):
    """The trainer as the card's lines make it, but for a single step on a CPU."""
    settings = {"output_dir": str(folder), "report_to": [], "use_cpu": True, "bf16": False, "max_steps": 1}
    model = str(simulated)
    if reader.trainer == "RewardTrainer":
        model = AutoModelForSequenceClassification.from_pretrained(simulated, num_labels=1, pad_token_id=0)
    return getattr(trl, reader.trainer)(
        model=model,
        args=getattr(trl, reader.config)(per_device_train_batch_size=2, **settings, **reader.settings),
        train_dataset=rows,
        processing_class=tokenizer,
    )


@pytest.mark.parametrize(("dataset", "config", "reader"), TRAINED)
def test_a_stock_trainer_takes_a_step(dataset, config, reader, rows_of, simulated, tokenizer, tmp_path):
    trainer = trainer_of(reader, rows_of(dataset, config.name), simulated, tokenizer, tmp_path)
    assert math.isfinite(trainer.train().training_loss)


@pytest.mark.parametrize(("dataset", "config"), LEARNT)
def test_prompts_are_given_and_answers_are_learnt_to_their_end(
    dataset, config, rows_of, simulated, tokenizer, tmp_path
):
    rows = rows_of(dataset, config.name)
    prepared = trainer_of(READERS[config.format][0], rows, simulated, tokenizer, tmp_path).train_dataset
    assert len(prepared) == len(rows) > 0
    for row, ready in zip(rows, prepared, strict=True):
        for given, learnt, said in sides(config.format, row, ready, tokenizer):
            assert tokenizer.decode(given) == prompt_of(row, tokenizer)
            assert tokenizer.decode(learnt) == said


def sides(format, row, ready, tokenizer):
    """For each answer of a row: the ids without loss and those with loss, and what should be learnt."""
    match format:
        case Format.PREFERENCE:
            for side in ("chosen", "rejected"):
                yield ready["prompt_ids"], ready[f"{side}_ids"], ended(row[side])
        case Format.UNPAIRED:
            yield ready["prompt_ids"], ready["completion_ids"], ended(row["completion"])
        case Format.COMPLETION:
            yield *parts(ready), ended(row["completion"])
        case Format.MESSAGES:
            yield *parts(ready), ended(row["messages"][-1:])
        case Format.TOKENS:
            assert (ready["input_ids"], ready["labels"]) == (row["input_ids"], row["labels"])


def parts(ready):
    """The ids in front of those with loss, and these; nothing without loss comes after them."""
    start = sum(label == IGNORED for label in ready["labels"])
    assert ready["labels"] == [IGNORED] * start + ready["input_ids"][start:]
    return ready["input_ids"][:start], ready["input_ids"][start:]


def ended(answer):
    return f"{answer if isinstance(answer, str) else answer[0]['content']}<eos>"


def prompt_of(row, tokenizer):
    if isinstance(row.get("prompt"), str):
        return row["prompt"]
    chat = row["prompt"] if "prompt" in row else row["messages"][:-1]
    return tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)


@pytest.mark.parametrize("config", ["default", "tokens"])
def test_no_token_of_a_mistake_has_a_loss(config, rows_of, simulated, tokenizer, tmp_path):
    full = {
        (*row["prompt_token_ids"], *row["token_ids"]): [0] * len(row["prompt_token_ids"]) + row["loss_mask"]
        for row in rows_of("self_correction_traces", "full")
    }
    rows = rows_of("self_correction_traces", config)
    format = Format.COMPLETION if config == "default" else Format.TOKENS
    prepared = trainer_of(READERS[format][0], rows, simulated, tokenizer, tmp_path).train_dataset
    assert len(prepared) > 0
    for ready in prepared:
        is_learnable = full[tuple(ready["input_ids"])]  # the very ids of the policy
        given = [label for label, learnable in zip(ready["labels"], is_learnable, strict=True) if not learnable]
        assert set(given) == {IGNORED}


def test_step_pairs_begin_with_the_steps_that_they_share(rows_of):
    pairs, stored = (rows_of("step_preference_pairs", config) for config in ("default", "full"))
    for pair, row in zip(pairs, stored, strict=True):
        for side in ("chosen", "rejected"):
            assert pair[side][0]["content"] == row["initial_reason_steps"] + row[f"full_{side}"]


STEPWISE = [(dataset.name, config.name) for dataset, config in CONFIGS if config.format is Format.STEPWISE]


@pytest.mark.parametrize(("dataset", "config"), STEPWISE)
def test_stepwise_rows_are_as_axolotl_reads_them(dataset, config, rows_of):
    """Its `stepwise_supervised` takes a text, and as many labels as there are texts of steps, each by `int`."""
    rows = rows_of(dataset, config)
    assert len(rows) > 0
    for row in rows:
        assert [type(value) for value in row.values()] == [str, list, list]
        assert list(row) == ["prompt", "completions", "labels"]
        assert {type(step) for step in row["completions"]} == {str}
        assert {type(label) for label in row["labels"]} == {int}
        assert {IGNORED} != set(row["labels"]) <= {1, 0, IGNORED}
        assert len(row["completions"]) == len(row["labels"]) > 0


MASKED = {"prompt": "1 + 2 + 3?", "completions": ["1 + 2 = 3", "3 + 3 = 6", "6"], "labels": [1, IGNORED, 0]}


def as_trainers_tokenize(row, tokenizer):
    """As TRL's PRMTrainer did, and axolotl does: the `int` of a label on the last token of its step and separator."""
    separator = tokenizer.encode("\n", add_special_tokens=False)
    ids = tokenizer(row["prompt"], add_special_tokens=False)["input_ids"]
    labels = [IGNORED] * len(ids)
    for step, label in zip(row["completions"], row["labels"], strict=True):
        written = [*tokenizer(step, add_special_tokens=False)["input_ids"], *separator]
        ids = [*ids, *written]
        labels += [IGNORED] * (len(written) - 1) + [int(label)]
    return {"input_ids": ids, "labels": labels}


@pytest.fixture
def step_classifier(simulated, tokenizer):
    """The model and the collator that TRL's PRMTrainer and axolotl hand to the trainer of transformers."""
    model = AutoModelForTokenClassification.from_pretrained(simulated, num_labels=2, pad_token_id=0)
    return model, DataCollatorForTokenClassification(tokenizer)


@pytest.mark.parametrize(("dataset", "config"), STEPWISE)
def test_a_step_on_stepwise_rows_has_a_loss(dataset, config, rows_of, step_classifier, tokenizer, tmp_path):
    model, collator = step_classifier
    rows = Dataset.from_list([*rows_of(dataset, config), MASKED])
    prepared = rows.map(as_trainers_tokenize, fn_kwargs={"tokenizer": tokenizer}, remove_columns=rows.column_names)
    assert {IGNORED, 0, 1} == {label for row in prepared for label in row["labels"]}
    args = TrainingArguments(
        output_dir=str(tmp_path), report_to=[], use_cpu=True, max_steps=1, per_device_train_batch_size=2
    )
    trainer = Trainer(model=model, args=args, train_dataset=prepared, data_collator=collator)
    assert math.isfinite(trainer.train().training_loss)


def test_a_masked_step_has_no_loss(step_classifier, tokenizer):
    model, collator = step_classifier
    batch = collator([as_trainers_tokenize(row, tokenizer) for row in (MASKED, {**MASKED, "labels": [0, 1, IGNORED]})])
    given = model(**batch)
    given.logits.retain_grad()
    given.loss.backward()
    has_loss = given.logits.grad.abs().sum(-1) > 0
    assert has_loss.equal(batch["labels"] != IGNORED)
    assert has_loss.sum(-1).tolist() == [2, 2]
    at_labels = given.logits[has_loss].log_softmax(-1).gather(1, batch["labels"][has_loss].unsqueeze(1))
    assert given.loss.item() == pytest.approx(-at_labels.mean().item(), abs=1e-5)


def test_every_format_has_a_trainer_or_a_sentence():
    assert READERS.keys() | OTHERS.keys() == set(Format)
    assert not READERS.keys() & OTHERS.keys()


@pytest.mark.parametrize("format", READERS)
def test_the_lines_of_the_card_are_python_that_names_what_trl_has(format):
    code = lines(format, load='load_dataset("release", split="train")', model="policy")
    assert len(code.splitlines()) == 3
    compile(code, "card", "exec")
    for reader in READERS[format]:
        assert reader.settings.keys() <= getattr(trl, reader.config).__dataclass_fields__.keys()
        assert hasattr(trl, reader.trainer)
