"""The row that is pictured, and pictures of rows that are hard to draw."""

from io import BytesIO

import matplotlib
import polars as pl
import pytest
from PIL import Image

from generators.datasets import DATASETS, dataset_of
from generators.view import OF_TRAINERS, Steps
from releases.picturing.choice import MOST, chosen
from releases.picturing.colours import declared, tone, washed
from releases.picturing.row_picture import CAPTION, NAME, row_picture
from releases.viewing.shown import panels_of
from tests.releases.viewing.conftest import HOSTILE

LABELS = dataset_of("process_labels")
MOST_BYTES = 250_000
LONG = f"设 $x^2$ = \\frac{{1}}{{2}} $a_b 𝑥 عربي {HOSTILE} " + "many words and more words " * 80 + "oneword" * 90
STEPS = Steps(texts="steps", labels="hard_labels", first_wrong="first_error")


def steps_of(*rows):
    columns = {"steps": pl.List(pl.String), "hard_labels": pl.List(pl.Boolean), "first_error": pl.Int64}
    return pl.DataFrame(rows, columns, orient="row")


RIGHT = (["Two and two is four.", "Four and one is five.", "So it is five."], [True, True, True], -1)
WRONG = (["Two and two is four.", "Four and one is six.", "So it is six.\n"], [True, False, False], 1)
LATE = ([f"Step {number} of this solution.\n" for number in range(9)], [True] * 8 + [False], 8)
CHINESE = (["二加二等于四。" * 9, "四加一等于六。", "所以是六。"], [True, False, False], 1)
WORDY = (["Two and two is four. " * MOST, "Four and one is six.", "So it is six."], [True, False, False], 1)
BRIEF = (["4", "6", "6"], [True, False, False], 1)


@pytest.mark.parametrize(
    ("rows", "number"),
    [
        ((RIGHT, WRONG, WRONG), 1),
        ((LATE, WRONG), 1),
        ((CHINESE, RIGHT), 1),
        ((WORDY, RIGHT), 1),
        ((BRIEF, WRONG), 1),
        ((RIGHT,), 0),
        ((CHINESE,), 0),
    ],
)
def test_the_row_shows_right_and_wrong_steps_and_is_of_moderate_length(rows, number):
    assert chosen(steps_of(*rows), [STEPS], []) == number


def test_a_row_that_says_more_beside_the_problem_comes_first():
    rows = pl.DataFrame({"prompt": ["What is two and two?"] * 3, "pass_rate": [None, None, 0.5]})
    assert chosen(rows, [], ["pass_rate"]) == 2


@pytest.fixture
def rows(true_draft):
    """Published rows of process labels."""
    return true_draft.tables[LABELS.main.name].splits["train"]


def pictured(dataset, rows, columns=None, **options):
    columns = columns or dataset.main.schema.columns
    return row_picture(dataset, rows, columns, policy="tiny", texts_of=lambda _: None, **options)


def with_texts(rows, text):
    """The rows with a text in place of every one that is written."""
    texts = ("prompt", "extracted", "steps", "stop_reasons")
    replaced = [
        pl.col(name).list.eval(pl.lit(text)) if dtype == pl.List(pl.String) else pl.lit(text).alias(name)
        for name, dtype in rows.schema.items()
        if name in texts
    ]
    return rows.with_columns(replaced)


def test_hostile_and_long_texts_are_drawn_without_a_warning(rows):
    picture = pictured(LABELS, with_texts(rows, LONG))
    assert len(picture.png) < MOST_BYTES
    image = Image.open(BytesIO(picture.png))
    assert image.width == 1200 and image.height < 2500


def test_a_picture_has_the_colours_of_its_steps(rows):
    row = rows[chosen(rows, LABELS.view.panels, [])]
    image = Image.open(BytesIO(pictured(LABELS, row).png)).convert("RGB")
    colours = {colour for _, colour in image.getcolors(1 << 24)}
    tones = [tone(share) for share in row["soft_labels"][0]]
    expected = [*tones, *(washed(one, 0.11) for one in tones), declared()["page"], declared()["sheet"]]
    assert {tuple(round(part * 255) for part in colour) for colour in expected} <= colours


def test_equal_rows_give_equal_bytes_whatever_the_user_has_set_in_matplotlib(rows):
    first = pictured(LABELS, rows)
    with matplotlib.rc_context({"font.family": "serif", "font.size": 30, "figure.dpi": 40, "text.parse_math": True}):
        assert pictured(LABELS, rows) == first
    assert (first.name, first.caption) == (NAME, CAPTION)


@pytest.mark.parametrize("panel", OF_TRAINERS, ids=lambda panel: panel.to_json()["kind"])
def test_the_shapes_that_trainers_read_are_drawn(panel):
    values = {
        "completions": [["Two and two is four.\n", "So it is five.\n"]],
        "labels": [[1, -100]],
        "chosen": [[{"role": "assistant", "content": "It is four."}]],
        "rejected": [[{"role": "assistant", "content": "It is five."}]],
        "messages": [[{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "It is four."}]],
        "completion": ["It is four."],
        "text": ["It is four."],
        "input_ids": [[5, 6, 7]],
    }
    names = panel.columns()
    rows = pl.DataFrame(
        {name: [[-100, 6, 7]] if "input_ids" in names and name == "labels" else values[name] for name in names}
    )
    dataset = dataset_of("problems")
    schema = dict.fromkeys(names, next(iter(dataset.main.schema.columns.values())))
    assert panels_of(dataset, frozenset(names))[0].to_json()["kind"] == panel.to_json()["kind"]
    assert pictured(dataset, rows, schema).png.startswith(b"\x89PNG")


def test_every_dataset_declares_columns_that_a_row_can_be_chosen_by():
    for dataset in DATASETS:
        empty = dataset.main.schema.empty()
        one = pl.concat([empty, pl.DataFrame({name: [None] for name in empty.columns}, schema=empty.schema)])
        assert chosen(one, panels_of(dataset, frozenset(empty.columns)), []) == 0
