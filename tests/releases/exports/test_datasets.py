"""The table of datasets and trainers, and every cell of it run on the releases of a simulated round."""

from collections import Counter

import pytest
from upath import UPath

from generators.datasets import DATASETS, dataset_of
from releases.errors import CannotExport
from releases.exports.choice import best, choose
from releases.exports.export import export
from releases.exports.shapes import Shape
from releases.exports.table import losses, refusals
from releases.exports.trainers import TRAINERS
from releases.registry.local import LocalRegistry
from releases.verification.opened import open_release
from tests.releases.exports.loaders import IGNORED, learnt, load

PAIRS = dict.fromkeys(("trl", "openrlhf", "llamafactory", "axolotl", "open-instruct"), "default")
MATRIX = {
    "process_labels": {"axolotl": "default"},
    "step_preference_pairs": PAIRS,
    "critical_token_pairs": PAIRS,
    "self_correction_traces": {"trl": "tokens", "openrlhf": "default", "llamafactory": "tokens", "axolotl": "tokens"},
    "long_cot_traces": dict.fromkeys(TRAINERS, "default"),
}
REFUSALS = [
    ("TRL", "process_labels", "it has no trainer of process reward models any more (`examples.prm` is one)"),
    ("verl", "process_labels", "it trains no process reward model"),
    ("OpenRLHF", "process_labels", "it has had no trainer of process reward models since March 2026"),
    ("LLaMA-Factory", "process_labels", "it has no stage for process reward models"),
    ("prime-rl", "process_labels", "it trains no process reward model"),
    ("open-instruct", "process_labels", "it trains no process reward model"),
    ("verl", "step_preference_pairs", "it has no loader of pairs"),
    ("prime-rl", "step_preference_pairs", "it has SFT and reinforcement learning only"),
    ("verl", "critical_token_pairs", "it has no loader of pairs"),
    ("prime-rl", "critical_token_pairs", "it has SFT and reinforcement learning only"),
    (
        "verl",
        "self_correction_traces",
        "it puts its chat template around prompts, and these are templated up to the mistake",
    ),
    (
        "prime-rl",
        "self_correction_traces",
        "it makes a user's message of every prompt, and these are templated up to the mistake",
    ),
    ("open-instruct", "self_correction_traces", "it reads chats only, and would learn the mistakes in them"),
]
CELLS = [(name, trainer) for name, configs in MATRIX.items() for trainer in configs]


@pytest.fixture(scope="module")
def releases(world):
    registry = LocalRegistry(UPath(world.settings.data_root) / "releases")
    return {name: open_release(registry.root / name / registry.versions(name)[0]) for name in MATRIX}


def test_each_trainer_gets_the_config_of_the_table():
    for dataset in DATASETS:
        choices = {name: best(dataset, trainer) for name, trainer in TRAINERS.items()}
        assert {name: choice.config.name for name, choice in choices.items() if choice} == MATRIX[dataset.name]


def test_what_a_trainer_cannot_train_on_is_said_with_the_reason_and_the_remedy():
    remedies = {name: f"export it to {_either(list(configs))}" for name, configs in MATRIX.items()}
    assert list(refusals()) == [
        f"{title} cannot train on {name}: {reason}; {remedies[name]}" for title, name, reason in REFUSALS
    ]


def _either(names):
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def test_what_is_lost_is_said():
    assert list(losses()) == [
        "process_labels loses the value of every step (`examples.prm` trains on it) in `default`, `truncated`, `consensus`",
        "critical_token_pairs loses the weight of every token (`examples.cdpo` trains with it) in `default`",
    ]


@pytest.mark.parametrize(("name", "to"), CELLS)
def test_a_cell_is_exported_and_teaches_the_answers_alone(releases, name, to, tmp_path):
    opened, trainer = releases[name], TRAINERS[to]
    choice = choose(opened.dataset, trainer, available=opened.manifest.rows)
    export(opened, trainer, choice, out=tmp_path / "out")
    rows = load(tmp_path / "out")
    expected = [
        answers(row, choice.shape) for row in opened.parts[choice.config.name]["train"].rows.iter_rows(named=True)
    ]
    assert [taught(row, choice.shape) for row in rows] == expected


def answers(row, shape):
    """What a row teaches, by the columns of its config."""
    match shape:
        case Shape.COMPLETION:
            return [row["completion"][-1]["content"].strip()]
        case Shape.TEXT_COMPLETION:
            return [row["completion"].strip()]
        case Shape.PREFERENCE | Shape.UNPAIRED:
            sides = ("chosen", "rejected") if shape == Shape.PREFERENCE else ("completion",)
            return [row[side][-1]["content"].strip() for side in sides]
        case Shape.TOKENS:
            return [[token for token in row["labels"] if token != IGNORED]]
    return [""]


def taught(row, shape):
    """What a trainer learns of a row."""
    if shape == Shape.TOKENS:
        return [[token for token, is_learnt in sequence if is_learnt] for sequence in row]
    return [learnt(sequence) for sequence in row]


@pytest.mark.parametrize("to", MATRIX["self_correction_traces"])
def test_no_masked_mistake_is_learnt(releases, to, tmp_path):
    opened, trainer = releases["self_correction_traces"], TRAINERS[to]
    choice = choose(opened.dataset, trainer, available=opened.manifest.rows)
    export(opened, trainer, choice, out=tmp_path / "out")
    whole = opened.parts["full"]["train"].rows.to_dicts()
    assert any(row["masked_ends"] for row in whole)
    if choice.shape == Shape.TOKENS:
        unmasked = Counter(
            tuple(token for token, kept in zip(row["token_ids"], row["loss_mask"], strict=True) if kept)
            for row in whole
        )
    else:
        unmasked = Counter((row["text"][max(row["masked_ends"], default=0) :].strip(),) for row in whole)
    learned = Counter(
        tuple(taught(row, choice.shape)[0]) if choice.shape == Shape.TOKENS else tuple(taught(row, choice.shape))
        for row in load(tmp_path / "out")
    )
    assert learned <= unmasked


@pytest.mark.parametrize("trainer", TRAINERS.values(), ids=str)
def test_the_chats_of_self_corrections_teach_mistakes_and_are_refused(trainer):
    with pytest.raises(CannotExport, match="it would learn the mistakes too"):
        choose(dataset_of("self_correction_traces"), trainer, available=["messages"], wanted="messages")
