"""Two rounds of two slices that a real daemon opens, makes and publishes, with nobody at the UI."""

from collections import Counter

import pytest
from datasets import load_dataset

from dagster_project.rounds import ROUND_TAG
from dagster_project.sensors import PUBLISHED_BY
from dagster_project.sensors import PUBLISHING as SENSOR
from generators import datasets
from tests.deployment.dagster_services import ENDED, DagsterServices
from tests.deployment.policy_server import PolicyServer
from tests.deployment.processes import wait_for
from tests.deployment.settings import write_settings

DATASETS = [dataset.name for dataset in datasets.DATASETS]

pytestmark = pytest.mark.timeout(2400)


def open_another(services):
    """Switch the schedule on until a tick of it has opened a round; a tick that is under way may open one more."""
    before = services.rounds()
    with services.schedule_on("weekly_round"):
        wait_for("round of a tick", lambda: services.rounds() - before, within_s=300)


def publications(services):
    """How often each round was published by the sensor, by what became of it."""
    tagged = [(status, tags) for _, status, tags in services.runs() if tags.get(PUBLISHED_BY) == SENSOR]
    return Counter((tags["dagster/partition"], status) for status, tags in tagged)


def are_published(services):
    """Every round that is open was published, or failed to be."""
    ended = {key for key, status in publications(services) if status in ENDED}
    return ended >= services.rounds()


def test_a_daemon_makes_two_rounds_and_publishes_each_of_them_once(tmp_path):
    with PolicyServer(tmp_path) as policy:
        settings = write_settings(tmp_path, policy.url, size=40, shards=2, cron="* * * * *")
        with DagsterServices(tmp_path / "dagster", {"STEPMILL_SETTINGS": str(settings)}) as services:
            services.switch_sensor_on(SENSOR)
            for _ in range(2):
                open_another(services)
                wait_for("publication", lambda: are_published(services), within_s=900)
            rounds = sorted(services.rounds(), key=lambda key: (len(key), key))
            runs, published = services.runs(), publications(services)
    assert len(rounds) >= 2
    made = Counter((tags[ROUND_TAG], status) for job, status, tags in runs if job == "slice")
    assert made == {(key, "SUCCESS"): 2 for key in rounds}
    assert published == {(key, "SUCCESS"): 1 for key in rounds}
    for dataset in DATASETS:
        folder = tmp_path / "data" / "releases" / dataset
        for version, key in zip(("v0.1.0", "v0.2.0"), rounds, strict=False):
            rows = load_dataset(str(folder / version), "full", cache_dir=str(tmp_path / "cache"))
            assert {one for split in rows.values() for one in split["round"]} == {key}
