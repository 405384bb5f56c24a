"""A person at the UI, in a real browser: materialise everything, look at what was made, switch the schedule on."""

import pytest
from playwright.sync_api import expect

from dagster_project.checks import FAILED_ITEMS
from generators.datasets import DATASETS, STAGES
from tests.chromium import NEEDS_CHROMIUM, chromium
from tests.deployment.dagster_services import LOCATION, DagsterServices
from tests.deployment.policy_server import PolicyServer
from tests.deployment.processes import wait_for
from tests.deployment.settings import write_settings

PATIENCE_MS = 120_000
ROUND_MS = 600_000
GRAPH_PAGE = f"/locations/{LOCATION}/asset-groups/datasets/lineage"
ROUND = "by-hand"
TABLES = [stage.name for stage in STAGES]
IN_THE_GRAPH = [stage.name for stage in STAGES if stage.group == "datasets"]
RELEASES = [f"{dataset.name}_release" for dataset in DATASETS]
ASSETS = len(TABLES) + len(RELEASES)
VIEWPORT = {"width": 1400, "height": 1000}
WIDE = {"width": 1680, "height": 1250}
GRAPH = {"x": 250, "y": 170, "width": 1420, "height": 1070}

pytestmark = [*NEEDS_CHROMIUM, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def services(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    with PolicyServer(folder) as policy:
        settings = write_settings(folder, policy.url, cron="* * * * *")
        with DagsterServices(folder / "dagster", {"STEPMILL_SETTINGS": str(settings)}) as running:
            yield running


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(services, browser):
    """A page without memory: the UI shows at first what the browser knew before."""
    page = browser.new_page(viewport=VIEWPORT, device_scale_factor=1.5, base_url=services.url)
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    yield page
    page.close()


@pytest.fixture
def picture(request, page):
    """Takes a picture of an address where the option --screenshots names a folder."""
    folder = request.config.getoption("--screenshots")

    def take(name, address, *, viewport=VIEWPORT, clip=None):
        if folder:
            page.set_viewport_size(viewport)
            page.goto(address)
            page.reload()  # the graph is laid out again with everything that the first look loaded
            page.wait_for_timeout(30_000)  # everything is there, and has moved into place
            page.screenshot(path=f"{folder}/{name}.png", clip=clip)

    return take


def ask_for_everything_downstream_of_problems(page):
    """Open the dialog that materialises the whole graph, from the page of its first asset."""
    page.goto("/assets/problems")
    page.locator("a[href*='view=lineage']").first.click()
    page.get_by_text("Downstream", exact=True).click()
    page.get_by_role("button", name="All", exact=True).click()  # the depth of the graph
    page.get_by_role("button", name="Materialize all").click()
    dialog = page.get_by_role("dialog").filter(has_text=f"Launch runs to materialize {ASSETS} assets")
    expect(dialog.get_by_text("Add a partition")).to_be_visible()  # the partitions are there
    return dialog


def add_the_round(page):
    """Add the round in the dialog. It takes the UI a moment to find what it added, so the dialog is opened again."""
    dialog = ask_for_everything_downstream_of_problems(page)
    dialog.get_by_text("Add a partition").click()
    page.get_by_placeholder("name").fill(ROUND)
    page.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text(ROUND)


def materialise_everything(page):
    dialog = ask_for_everything_downstream_of_problems(page)
    every = dialog.get_by_role("button", name="All", exact=True)
    every.first.click()  # rounds, of which there is one
    every.last.click()  # slices
    expect(dialog).to_contain_text(ROUND)
    dialog.get_by_role("button", name="Launch backfill").click()
    expect(dialog).to_be_hidden()


def test_a_person_materialises_a_whole_round_and_sees_it_finish(page, picture):
    add_the_round(page)
    materialise_everything(page)
    page.goto("/runs?view=backfills")
    page.locator("a[href*='/runs/b/']").first.click()
    expect(page.get_by_text("100% completed", exact=True)).to_have_count(ASSETS, timeout=ROUND_MS)
    expect(page.get_by_text("In progress", exact=True)).to_have_count(1)  # the column's name, and no more the status


def test_the_graph_of_the_datasets_shows_every_name_in_full(page, picture):
    page.set_viewport_size(WIDE)
    page.goto(GRAPH_PAGE)
    for table in IN_THE_GRAPH:
        expect(page.get_by_text(table, exact=True).first).to_be_visible()
    for release in (f"{table}_release" for table in IN_THE_GRAPH if f"{table}_release" in RELEASES):
        expect(page.get_by_text(release, exact=True).first).to_be_visible()
    picture("asset_graph", GRAPH_PAGE, viewport=WIDE, clip=GRAPH)


@pytest.mark.parametrize("asset", [*TABLES, *RELEASES])
def test_the_first_screen_of_an_asset_has_its_counts_its_picture_and_three_rows(page, asset):
    page.goto(f"/assets/{asset}")
    rows = page.locator("tr", has=page.get_by_text("three_rows", exact=True)).locator("li")
    expect(rows).to_have_count(3)
    counts = page.locator("tr", has=page.get_by_text("headline", exact=True))
    drawn = page.locator("img[src^='data:image/']").first
    expect(drawn).to_be_visible()
    assert drawn.bounding_box()["width"] > 100
    for shown in (page.get_by_text("Row count", exact=True), counts, drawn, rows.last):
        box = shown.bounding_box()
        assert box["y"] > 0
        assert box["y"] + box["height"] <= VIEWPORT["height"]


@pytest.mark.parametrize("asset", ["attempts", "process_labels"])
def test_an_asset_shows_its_cost_its_rows_in_full_and_its_checks(page, picture, asset):
    page.goto(f"/assets/{asset}")
    for told in ("tokens_generated", "dropped", "settings_file", "sample_rows"):
        expect(page.get_by_text(told, exact=True).first).to_be_visible()
    behind_a_link = page.locator("tr", has_text="sample_rows").get_by_text("[Show Markdown]")
    if behind_a_link.count():  # long rows
        behind_a_link.click()
    for row in ("Row 1", "Row 2", "Row 3"):
        expect(page.get_by_text(row, exact=True).first).to_be_visible()
    page.goto(f"/assets/{asset}?view=checks")
    expect(page.get_by_text("Succeeded").first).to_be_visible()
    expect(page.get_by_text(FAILED_ITEMS.description)).to_be_visible()
    expect(page.get_by_text(f"{ROUND}|sums-0", exact=True).first).to_be_visible()
    picture(f"{asset}_page", f"/assets/{asset}")


def test_a_release_shows_its_version_and_its_card(page, picture):
    page.goto("/assets/process_labels_release")
    for told in ("v0.1.0", "card"):
        expect(page.get_by_text(told, exact=True).first).to_be_visible()
    picture("release_page", "/assets/process_labels_release")


def test_a_person_switches_the_schedule_on_and_sees_its_round(services, page, picture):
    page.goto(f"/locations/{LOCATION}/schedules/weekly_round")
    switch = page.locator("label", has=page.get_by_role("checkbox")).first
    switch.click()
    opened = wait_for("round of a tick", lambda: services.rounds() - {ROUND}, within_s=300)
    switch.click()
    expect(page.get_by_role("checkbox").first).not_to_be_checked()
    page.goto("/assets/problems?view=partitions")
    for key in opened:
        expect(page.get_by_text(key).first).to_be_visible()
    picture("schedule_page", f"/locations/{LOCATION}/schedules/weekly_round")
