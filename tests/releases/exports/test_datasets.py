"""The table of datasets and trainers, and every cell of it run on the releases of a simulated round."""

import pytest
from upath import UPath

from generators.datasets import DATASETS, dataset_of
from releases.errors import CannotExport
from releases.exports.choice import choose, readable
from releases.exports.export import export
from releases.exports.shapes import Shape
from releases.exports.table import losses, refusals, table
from releases.exports.trainers import TRAINERS
from releases.registry.local import LocalRegistry
from releases.verification.opened import open_release
from tests.releases.exports.loaders import IGNORED, learnt, load

PAIRS = dict.fromkeys(("trl", "openrlhf", "llamafactory", "axolotl", "open-instruct"), ("default",))
MATRIX = {
    "process_labels": {"axolotl": ("default", "truncated", "consensus")},
    "step_preference_pairs": PAIRS,
    "critical_token_pairs": PAIRS,
    "self_correction_traces": {
        "trl": ("tokens", "default"),
        "openrlhf": ("default",),
        "llamafactory": ("tokens",),
        "axolotl": ("tokens", "default"),
    },
    "long_cot_traces": {
        "trl": ("default", "messages", "pairs"),
        "verl": ("default", "messages"),
        "openrlhf": ("default", "messages", "pairs"),
        "llamafactory": ("default", "messages", "pairs"),
        "axolotl": ("default", "messages", "pairs"),
        "prime-rl": ("default", "messages"),
        "open-instruct": ("default", "messages", "pairs"),
    },
    "short_right": {
        "trl": ("default", "control", "longer_right", "longer_wrong"),
        "verl": ("default", "control"),
        "openrlhf": ("default", "control", "longer_right", "longer_wrong"),
        "llamafactory": ("default", "control", "longer_right", "longer_wrong"),
        "axolotl": ("default", "control", "longer_right", "longer_wrong"),
        "prime-rl": ("default", "control"),
        "open-instruct": ("default", "control", "longer_right", "longer_wrong"),
    },
    "problems": dict.fromkeys(("trl", "verl", "openrlhf", "axolotl", "open-instruct"), ("default",)),
    "attempts": {
        "trl": ("default", "unpaired"),
        "verl": ("default",),
        "openrlhf": ("default",),
        "llamafactory": ("default", "unpaired"),
        "axolotl": ("default",),
        "prime-rl": ("default",),
        "open-instruct": ("default",),
    },
    "contrast_pairs": PAIRS,
    "coverage": dict.fromkeys(("trl", "verl", "openrlhf", "axolotl", "open-instruct"), ("default",)),
}
UNSEEN = {"consensus"}  # configs of which the simulated round has no row, since no judge ran
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
    ("LLaMA-Factory", "problems", "its PPO scores by a reward model, and has no place for a rule"),
    (
        "prime-rl",
        "problems",
        "its reinforcement learning reads an environment of the package `verifiers`, not a dataset",
    ),
    ("verl", "contrast_pairs", "it has no loader of pairs"),
    ("prime-rl", "contrast_pairs", "it has SFT and reinforcement learning only"),
    ("LLaMA-Factory", "coverage", "its PPO scores by a reward model, and has no place for a rule"),
    (
        "prime-rl",
        "coverage",
        "its reinforcement learning reads an environment of the package `verifiers`, not a dataset",
    ),
]
CELLS = [
    (name, config, trainer)
    for name, cells in MATRIX.items()
    for trainer, configs in cells.items()
    for config in configs
    if config not in UNSEEN
]


@pytest.fixture(scope="module")
def releases(world):
    registry = LocalRegistry(UPath(world.settings.data_root) / "releases")
    return {name: open_release(registry.root / name / registry.versions(name)[0]) for name in MATRIX}


def test_each_trainer_reads_the_configs_of_the_table():
    for dataset in DATASETS:
        read = {name: readable(dataset.configs, trainer) for name, trainer in TRAINERS.items()}
        names = {name: tuple(choice.config.name for choice in choices) for name, choices in read.items() if choices}
        assert names == MATRIX[dataset.name]


def test_the_page_shows_the_table():
    lines = list(table())
    assert lines[0].count("|") == len(TRAINERS) + 2
    row = next(line for line in lines if line.startswith("| `self_correction_traces` |"))
    assert row.split(" | ")[1:4] == ["`tokens` SFT<br>`default` SFT", "–", "`default` SFT"]


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
        "process_labels loses the value of every step (`examples.prm` trains on it) "
        "in `default`, `truncated`, `consensus`",
        "critical_token_pairs loses the weight of every token (`examples.cdpo` trains with it) in `default`",
    ]


@pytest.mark.parametrize(("name", "config", "to"), CELLS)
def test_a_cell_is_exported_and_teaches_the_answers_alone(releases, name, config, to, tmp_path):
    opened, trainer = releases[name], TRAINERS[to]
    choice = choose(opened.dataset, trainer, available=opened.manifest.rows, wanted=config)
    export(opened, trainer, choice, out=tmp_path / "out")
    rows = load(tmp_path / "out")
    expected = [
        answers(row, choice.shape) for row in opened.parts[choice.config.name]["train"].rows.iter_rows(named=True)
    ]
    assert [taught(row, choice.shape) for row in rows] == expected


def answers(row, shape):
    """What a row teaches, by the columns of its config."""
    match shape:
        case Shape.MESSAGES:
            return [row["messages"][-1]["content"].strip()]
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


@pytest.mark.parametrize(("config", "to"), [cell[1:] for cell in CELLS if cell[0] == "self_correction_traces"])
def test_no_masked_mistake_is_learnt(releases, config, to, tmp_path):
    opened, trainer = releases["self_correction_traces"], TRAINERS[to]
    choice = choose(opened.dataset, trainer, available=opened.manifest.rows, wanted=config)
    export(opened, trainer, choice, out=tmp_path / "out")
    whole = opened.parts["full"]["train"].rows.to_dicts()
    assert any(row["masked_ends"] for row in whole)
    unmasked = [_unmasked(row, choice.shape) for row in whole]
    for row in load(tmp_path / "out"):
        unmasked.remove(taught(row, choice.shape)[0])


def _unmasked(row, shape):
    """What may be learnt of a row of `full`: the tokens without mask, or the text after the last masked stretch."""
    if shape == Shape.TOKENS:
        return [token for token, is_learnt in zip(row["token_ids"], row["loss_mask"], strict=True) if is_learnt]
    return row["text"][max(row["masked_ends"], default=0) :].strip()


@pytest.mark.parametrize("trainer", TRAINERS.values(), ids=lambda trainer: trainer.name)
def test_the_chats_of_self_corrections_teach_mistakes_and_are_refused(trainer):
    with pytest.raises(CannotExport, match="it would learn the mistakes too"):
        choose(dataset_of("self_correction_traces"), trainer, available=["messages"], wanted="messages")
