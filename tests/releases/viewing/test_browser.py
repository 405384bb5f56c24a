"""The file in a real browser without a network: the first row, its colours, filters, and the way to other rows."""

import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import expect
from upath import UPath

from generators.datasets import DATASETS
from releases.verification.opened import open_release
from tests.chromium import NEEDS_CHROMIUM, chromium
from tests.releases.forgery import with_value
from tests.releases.viewing.conftest import HOSTILE, release_of, written

pytestmark = NEEDS_CHROMIUM
SIZE = {"width": 1400, "height": 1000}
LARGEST_PICTURE = 200_000
# Rows whose pictures show most; of a dataset without one, the first row.
SHOWN = {
    "process_labels": (pl.col("first_error") >= 2) & (pl.col("hard_labels").list.first()),
    "step_preference_pairs": ~pl.col("is_final_step") & (pl.col("initial_reason_steps") != ""),
    "critical_token_pairs": pl.col("critical_confirmed").list.any(),
    "self_correction_traces": pl.col("masked_starts").list.len() > 0,
    "long_cot_traces": pl.col("behaviours").list.len() > 0,
}


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened_page(browser, tmp_path):
    """Opens the HTML of a release offline; what goes to the console or to a network fails the test at its end."""
    context = browser.new_context(viewport=SIZE, offline=True)
    wrong = []
    context.on("request", lambda request: wrong.append(request.url) if not request.url.startswith("file:") else None)

    def show(release, address="", **options):
        file = tmp_path / f"{release.manifest.dataset}.html"
        file.write_bytes(written(release, **options)[0])
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"file://{file}{address}")
        expect(page.locator("html[data-row]")).to_be_attached()
        return page

    yield show
    context.close()
    assert wrong == []


def row_of(release, number=0, config=None):
    return release.rows(config or release.main).row(number, named=True)


def text_of(locator):
    return locator.evaluate("node => node.textContent")


def joined(text):
    """A text as it is compared: without white space, and without the signs of line breaks and special tokens."""
    return re.sub(r"[\s\u21b5\u25aa]", "", text)


def rounded(value):
    """Two digits behind the point, as a browser rounds them."""
    return str(Decimal(value).quantize(Decimal("0.01"), ROUND_HALF_UP))


def tones(locator):
    return locator.evaluate_all("nodes => nodes.map((node) => getComputedStyle(node).borderLeftColor)")


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_the_first_row_is_read_filtered_and_left_by_key(world, dataset, opened_page):
    release = release_of(world, dataset)
    page, total = opened_page(release), release.rows(release.main).height
    expect(page.get_by_label("Problem", exact=True)).to_contain_text(row_of(release)["prompt"])
    expect(page.locator("output")).to_have_text(f"1 / {total}")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Problem", exact=True)).to_contain_text(row_of(release, 1)["prompt"])
    assert page.url.endswith(f"#{release.main}/2")
    page.keyboard.press("ArrowLeft")
    n_test = release.manifest.rows[release.main]["test"]
    page.get_by_label("Filter by column").select_option("split")
    page.get_by_label("split is").select_option("test")
    expect(page.locator("output")).to_have_text(re.compile(rf"^\d+ / {n_test} matching, of {total}$"))
    expect(page.get_by_label("Other columns")).to_contain_text("test")
    page.get_by_label("Remove the filter by split").click()
    expect(page.locator("output")).to_contain_text(f"/ {total}")


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_every_config_is_drawn_and_its_address_opens_it_again(world, dataset, opened_page):
    release = release_of(world, dataset)
    for config in release.manifest.rows:
        page = opened_page(release, f"#{config}/1")
        expect(page.get_by_label("Config").locator("option:checked")).to_have_text(config)
        expect(page.locator("section.panel").last).to_be_visible()
        page.close()


def test_steps_are_coloured_by_value_with_their_interval_and_joined_to_a_tree(world, opened_page):
    release = release_of(world, DATASETS[0])
    page, row = opened_page(release), row_of(release)
    steps = page.locator(".step")
    for number, (text, value) in enumerate(zip(row["steps"], row["soft_labels"], strict=True)):
        expect(steps.nth(number).locator(".written")).to_contain_text(text.strip())
        expect(steps.nth(number).locator(".share")).to_have_text(rounded(value))
        low, high = (rounded(row[f"values_{end}"][number]) for end in ("low", "high"))
        expect(steps.nth(number).locator(".counts")).to_contain_text(f"{low}\u2009\u2013\u2009{high}")
    assert len(set(tones(steps))) == len({round(2 * value, 2) for value in row["soft_labels"]})
    rows = release.rows(release.main).filter(problem_id=row["problem_id"])
    nodes = set(rows["node_ids"].explode())
    expect(page.locator(".node")).to_have_count(1 + len(nodes))  # the problem itself
    page.locator(".node .link").first.click()
    expect(page.locator("output")).not_to_have_text(re.compile("^1 /"))


def test_the_first_error_is_marked(world, opened_page):
    release = release_of(world, DATASETS[0])
    wrong = release.rows(release.main).with_row_index().filter(pl.col("first_error") > 0).row(0, named=True)
    page = opened_page(release, f"#{release.main}/{wrong['index'] + 1}")
    marked = page.locator(".step.first-wrong")
    expect(marked).to_have_count(1)
    expect(marked).to_contain_text("first error")
    expect(marked.locator(".place")).to_contain_text(str(wrong["first_error"] + 1))


def named(name):
    return next(dataset for dataset in DATASETS if dataset.name == name)


def test_both_steps_of_a_pair_stand_side_by_side_after_the_steps_before(world, opened_page):
    release = release_of(world, named("step_preference_pairs"))
    page, row = opened_page(release), row_of(release)
    for side in ("chosen", "rejected"):
        expect(page.locator(f".of-pair.{side} .share")).to_have_text(rounded(row[f"{side}_value"]))
        assert joined(text_of(page.locator(f".of-pair.{side} .written"))) == joined(row[f"full_{side}"])
    boxes = [page.locator(f".of-pair.{side}").bounding_box() for side in ("chosen", "rejected")]
    assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]
    page.set_viewport_size({"width": 600, "height": 900})
    boxes = [page.locator(f".of-pair.{side}").bounding_box() for side in ("chosen", "rejected")]
    assert boxes[0]["x"] == boxes[1]["x"] and boxes[0]["y"] < boxes[1]["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 600


def test_tokens_are_shaded_by_weight_and_the_tested_ones_listed(world, opened_page):
    release = release_of(world, named("critical_token_pairs"))
    page, row = opened_page(release), row_of(release)
    tokens = page.locator(".of-pair.rejected .token")
    expect(tokens).to_have_count(len(row["rejected_token_ids"]) - row["response_start"])
    assert joined(text_of(page.locator(".of-pair.chosen .tokens"))) == joined(row["chosen"])
    shades = tokens.evaluate_all("nodes => nodes.map((node) => getComputedStyle(node).backgroundColor)")
    weights = row["rejected_weights"][row["response_start"] :]
    by_weight = sorted(zip(weights, shades, strict=True))
    assert by_weight[0][1] != by_weight[-1][1]
    expect(page.locator(".token.tested")).to_have_count(len(row["critical_positions"]))
    expect(page.locator("table.tested tr")).to_have_count(1 + len(row["critical_positions"]))


def test_weights_stand_in_a_strip_where_no_tokenizer_is_known(world, opened_page):
    release = release_of(world, named("critical_token_pairs"))
    page, row = opened_page(release, tokenizers=lambda _: None), row_of(release)
    expect(page.locator(".of-pair.rejected .written")).to_have_text(row["rejected"])
    expect(page.locator(".of-pair.rejected .strip .token")).to_have_count(
        len(row["rejected_token_ids"]) - row["response_start"]
    )
    expect(page.get_by_text("The texts of these tokens were not known").first).to_be_visible()


def test_masked_stretches_are_struck(world, opened_page):
    release = release_of(world, named("self_correction_traces"))
    page, row = opened_page(release), row_of(release)
    struck = "".join(
        row["text"][start:end] for start, end in zip(row["masked_starts"], row["masked_ends"], strict=True)
    )
    assert "".join(page.locator("del").all_text_contents()) == struck
    expect(page.locator(".trigger")).to_have_count(row["n_triggers"])
    assert page.locator("del").first.evaluate("node => getComputedStyle(node).textDecorationLine") == "line-through"


def test_thoughts_and_solution_are_read_in_full(world, opened_page):
    release = release_of(world, named("long_cot_traces"))
    page, row = opened_page(release), row_of(release)
    for name in ("internal_thoughts", "external_solution"):
        assert text_of(page.get_by_label(name.replace("_", " ")).locator(".written")) == row[name]


def test_a_range_and_a_text_filter_together_leave_the_rows_that_match_both(world, opened_page):
    release = release_of(world, DATASETS[0])
    page, rows = opened_page(release), release.rows(release.main)
    word = rows["prompt"][0].split()[2]
    matching = rows.filter(pl.col("prompt").str.contains(word, literal=True), pl.col("n_attempts_right") >= 2)
    page.get_by_label("Filter by column").select_option("prompt")
    page.get_by_label("prompt contains").fill(word)
    page.get_by_label("Filter by column").select_option("n_attempts_right")
    page.get_by_label("n_attempts_right at least").fill("2")
    expect(page.locator("output")).to_contain_text(f"/ {matching.height} matching, of {rows.height}")
    page.get_by_label("prompt contains").fill("no such words")
    expect(page.get_by_text("No row matches these filters.")).to_be_visible()


def test_hostile_text_is_seen_and_does_nothing(registry, true_draft, opened_page):
    main = next(iter(true_draft.tables))
    draft = true_draft
    for split in true_draft.tables[main].splits:
        for column, value in (("prompt", HOSTILE), ("steps", [HOSTILE, HOSTILE]), ("extracted", HOSTILE)):
            draft = with_value(draft, main, split, 0, column, value)
    page = opened_page(open_release(registry.publish(draft).path))
    seen = "</script>\u241b[31m\u2407\u27e8U+202E\u27e9"
    assert text_of(page.locator(".problem .written")).endswith(seen)
    expect(page.locator(".step .written").first).to_contain_text(seen)
    assert page.evaluate("window.hacked") is None and page.locator("#page img").count() == 0


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.name)
def test_pictures_for_the_docs(request, world, dataset, browser, tmp_path):
    folder = request.config.getoption("--screenshots")
    if not folder:
        pytest.skip("draws pictures where --screenshots names a folder")
    root = request.config.getoption("--releases")
    release = open_release(UPath(root) / dataset.name / "v0.1.0") if root else release_of(world, dataset)
    rows = release.rows(release.main).with_row_index()
    number = rows.filter(SHOWN.get(dataset.name, True))["index"].first() or 0
    file = tmp_path / "view.html"
    file.write_bytes(written(release)[0])
    page = browser.new_page(viewport=SIZE)
    page.goto(f"file://{file}#{release.main}/{number + 1}")
    expect(page.locator(".body")).to_be_visible()
    page.wait_for_timeout(500)  # the tree comes last
    picture = Path(folder) / f"view_{dataset.name}.png"
    height = page.locator(".body").evaluate("node => node.getBoundingClientRect().bottom")
    page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": SIZE["width"], "height": min(1000, height + 24)})
    page.close()
    assert picture.stat().st_size < LARGEST_PICTURE
