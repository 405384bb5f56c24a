"""What every trainer learns of an export, by its own loader restated: the answers, and nothing else."""

import pytest

from releases.exports.choice import choose
from releases.exports.export import export
from releases.exports.shapes import Shape
from releases.exports.trainers import TRAINERS
from tests.releases.exports.chatml import render
from tests.releases.exports.literal import ANSWERS, LEFT_OUT, MISTAKE, QUESTIONS, WRONG, asked, frame, opened, said
from tests.releases.exports.loaders import given, learnt, load

READ = [
    pytest.param(trainer, shape, id=f"{trainer.name} {shape}")
    for trainer in TRAINERS.values()
    for shape in Shape
    if shape in trainer.layouts
]
RIGHT = [[answer.strip()] for answer in ANSWERS]
LEARNT = {
    Shape.MESSAGES: RIGHT,
    Shape.COMPLETION: RIGHT,
    Shape.TEXT_COMPLETION: [["No: it is 4."], ["It is 4, of course."]],
    Shape.PREFERENCE: [[right.strip(), wrong.strip()] for right, wrong in zip(ANSWERS, WRONG, strict=True)],
    Shape.UNPAIRED: [[ANSWERS[0].strip()], [WRONG[1].strip()]],
    Shape.STEPWISE: [[""], [""]],
    Shape.PROBLEMS: [[""], [""]],
}

CHATS = [render(asked(question), generation=True) for question in QUESTIONS]
GIVEN = {
    Shape.TEXT_COMPLETION: [MISTAKE] * 2,
    Shape.STEPWISE: ["What is 2 + 2?2 + 2 is 5.\nSo 5.", "What is 3 + 3?3 + 3 is 6.So 6."],
}


@pytest.fixture
def exported(tmp_path):
    def of(trainer, shape, **changes):
        release = opened(shape, tmp_path / "release", **changes)
        choice = choose(release.dataset, trainer, available=["default"])
        return export(release, trainer, choice, out=tmp_path / "export"), tmp_path / "export"

    return of


@pytest.mark.parametrize(("trainer", "shape"), [read for read in READ if read.values[1] != Shape.TOKENS])
def test_the_answers_are_learnt_and_nothing_of_the_prompt(exported, trainer, shape):
    rows = load(exported(trainer, shape)[1])
    assert [[learnt(sequence) for sequence in row] for row in rows] == LEARNT[shape]
    assert [[given(sequence) for sequence in row] for row in rows] == [
        [text] * len(row) for text, row in zip(GIVEN.get(shape, CHATS), rows, strict=True)
    ]


@pytest.mark.parametrize("trainer", [trainer for trainer in TRAINERS.values() if Shape.TOKENS in trainer.layouts])
def test_of_token_ids_exactly_the_labels_are_learnt(exported, trainer):
    assert load(exported(trainer, Shape.TOKENS)[1]) == [
        [[(1, False), (2, False), (3, False), (4, True), (0, True)]],
        [[(1, False), (2, False), (5, True), (0, True)]],
    ]


def test_the_labels_of_steps_stand_where_each_step_ends_and_a_masked_one_is_not_learnt(exported):
    ((first,), (second,)) = load(exported(TRAINERS["axolotl"], Shape.STEPWISE)[1])
    assert first == [(QUESTIONS[0], False), ("2 + 2 is 5.", False), ("\n", False), ("So 5.", False), ("\n", True)]
    assert second == [(QUESTIONS[1], False), ("3 + 3 is 6.", False), ("\n", True), ("So 6.", False), ("\n", True)]


@pytest.mark.parametrize(("trainer", "shape"), READ)
def test_no_row_of_the_test_split_is_trained_on(exported, trainer, shape):
    if shape in (Shape.TOKENS, Shape.TEXT_COMPLETION):
        splits = {"train": frame(shape), "test": frame(shape).head(1).vstack(frame(shape))}
    else:
        name = "messages" if shape == Shape.MESSAGES else "prompt"
        rows = frame(shape).head(1).to_dicts()
        rows[0][name] = LEFT_OUT if shape == Shape.STEPWISE else asked(LEFT_OUT) + said("18")[: shape == Shape.MESSAGES]
        splits = {"train": frame(shape), "test": frame(shape).clear().vstack(_like(rows, shape))}
    rows = load(exported(trainer, shape, splits=splits)[1])
    assert len(rows) == 2
    assert LEFT_OUT not in str(rows)


@pytest.mark.parametrize(("trainer", "shape"), READ)
def test_without_a_test_split_nothing_names_one(exported, trainer, shape):
    _, folder = exported(trainer, shape, splits={"train": frame(shape)})
    texts = [file.read_text() for file in folder.iterdir() if file.is_file() and file.name != "reward.py"]
    assert not any("test.parquet" in text or "_test" in text or '"test"' in text for text in texts)
    assert len(load(folder)) == 2


def _like(rows, shape):
    empty = frame(shape).clear()
    return type(empty)(rows, schema=empty.schema)
