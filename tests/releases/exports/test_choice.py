"""Which config a trainer gets of a dataset, and the sentence where it gets none."""

from dataclasses import replace

import pytest

from generators.dataset import Config
from generators.process_labels.dataset import DATASET as LABELS
from releases.errors import CannotExport, UnknownConfig
from releases.exports.choice import choose, refusal
from releases.exports.names import TrainerName
from releases.exports.shapes import Shape
from releases.exports.trainer import Trainer
from releases.exports.trainers import TRAINERS
from tests.releases.exports.literal import ROWS, dataset

TRL, VERL = TRAINERS[TrainerName.TRL], TRAINERS[TrainerName.VERL]


def config(name, shape, **changes):
    return replace(dataset(shape, **changes).configs[-1], name=name)


@pytest.fixture
def several():
    configs = (config("a", Shape.COMPLETION), config("b", Shape.MESSAGES), config("c", Shape.TOKENS))
    return replace(LABELS, configs=(LABELS.main, *configs))


def test_every_name_is_a_trainer():
    assert list(TRAINERS) == list(TrainerName)


def test_a_trainer_must_read_or_refuse_every_shape():
    with pytest.raises(ValueError, match="Half must either read or refuse messages, completion, text_completion"):
        Trainer(name=TrainerName.TRL, title="Half", layouts={}, refusals={Shape.TOKENS: "no"})


def test_token_ids_come_first_then_the_order_of_the_dataset(several):
    everything = [config.name for config in several.configs]
    assert choose(several, TRL, available=everything).config.name == "c"
    assert choose(several, VERL, available=everything).config.name == "a"
    assert choose(several, TRL, available=["b"]).config.name == "b"
    assert choose(several, TRL, available=everything, wanted="b").config.name == "b"


@pytest.mark.parametrize(
    ("wanted", "available", "error", "sentence"),
    [
        ("d", ["a"], UnknownConfig, "process_labels has no config d here; there are a"),
        ("b", ["a"], UnknownConfig, "process_labels has no config b here; there are a"),
        (
            "c",
            ["c"],
            CannotExport,
            "verl cannot train on c of process_labels: its loaders read chats only, and would learn what the labels "
            "mask; export it to trl, llamafactory or axolotl",
        ),
        (None, ["c"], CannotExport, "verl reads a, b of process_labels, and this version has no such rows"),
    ],
)
def test_what_cannot_be_exported_is_said_with_the_remedy(several, wanted, available, error, sentence):
    with pytest.raises(error) as told:
        choose(several, VERL, available=available, wanted=wanted)
    assert str(told.value) == sentence


def test_a_config_that_teaches_mistakes_is_never_exported():
    masked = replace(LABELS, configs=(LABELS.main, config("chat", Shape.MESSAGES, mislearnt="the mistakes too")))
    for trainer in TRAINERS.values():
        for wanted in ("chat", None):
            with pytest.raises(CannotExport, match="it would learn the mistakes too"):
                choose(masked, trainer, available=["chat"], wanted=wanted)
    assert refusal(masked, VERL) == "verl cannot train on process_labels: it would learn the mistakes too"


def test_a_config_for_reading_is_none_for_trainers():
    plain = replace(LABELS, configs=(Config(name="full", purpose="", schema=LABELS.main.schema),))
    with pytest.raises(CannotExport, match="it is for reading, and has more columns than a trainer takes"):
        choose(plain, TRL, available=["full"], wanted="full")


def test_every_shape_has_rows_here():
    assert set(ROWS) == set(Shape)
