"""What every dataset of the list must do, whatever it holds."""

import json
import re
from collections import Counter
from dataclasses import replace

import dagster as dg
import polars as pl
import pytest
from datasets import List, load_dataset
from upath import UPath

from dagster_project.checks import declared_checks
from dagster_project.partitions import Cell
from dagster_project.planning import plan
from dagster_project.release_asset import draft_of
from dagster_project.resources.store import Store
from dagster_project.round import StoredRound
from dagster_project.scorecard import read_cost, read_scorecard, standing
from dagster_project.slice_asset import launchpad
from filters.equations.stated import refuted
from generators.datasets import DATASETS, STAGES, in_order
from generators.formats import Format
from releases import problem_ranges
from releases.comparison.versions import diff
from releases.drafting import drafted
from releases.errors import NothingToRelease
from releases.manifest import read_manifest
from releases.registry.local import LocalRegistry
from releases.verification.verify import verify
from tests.dagster_project.conftest import metadata_of, runner
from tests.releases.forgery import with_value

ROUND = "r1"
LARGEST_PICTURE = 250_000


def cells(world, round_key=ROUND):
    return [Cell(round=round_key, slice=key) for key in world.settings.slices()]


def version(world, dataset, number):
    return LocalRegistry(world.store.releases).open(dataset.name, f"v0.{number}.0").path


def tables_of(dataset):
    return (dataset.stage.schema, *dataset.stage.beside)


def test_every_run_succeeds(world):
    assert {key: result.success for key, result in world.results.items()} == dict.fromkeys(world.results, True)


def test_every_table_of_a_slice_obeys_its_schema(world, dataset):
    for cell in cells(world):
        for schema in tables_of(dataset):
            table = world.store.read(world.store.table(schema.name, cell))
            assert schema.validate(table).equals(table)
        dropped = world.store.read(world.store.dropped(dataset.name, cell))
        assert set(dataset.stage.dropped.columns) <= set(dropped.columns)
        assert dropped["reason"].null_count() == 0


def test_a_scorecard_has_every_declared_check(world, dataset):
    for cell in cells(world):
        card = read_scorecard(world.store, dataset.name, cell)
        checks = {check.name for check in card.checks}
        assert {check.name for check in declared_checks(dataset.stage)} == checks
        assert all(check.why and check.remedy for check in card.checks)
        assert card.rows == world.store.read(world.store.table(dataset.name, cell)).height


def test_a_recipe_holds_all_settings_and_what_they_resolved_to(world, dataset):
    section = world.settings.of(dataset.stage)
    for cell in cells(world):
        recipe = world.store.read_recipe(dataset.name, cell)
        assert recipe["settings"] == section.recipe()
        assert type(section).model_validate(recipe["settings"]).recipe() == section.recipe()
        if dataset.stage.samples:
            resolved = json.dumps(recipe["config"])
            assert '"temperature"' in resolved and '"max_tokens"' in resolved


def test_a_release_needs_the_stages_whose_tables_it_publishes_or_joins(dataset):
    stages = [stage for stage in STAGES if stage.name in dataset.stages]
    owned = {schema.name for stage in stages for schema in (stage.schema, *stage.beside)}
    assert len(stages) == len(dataset.stages)
    assert {name for config in dataset.measured for name in config.tables} <= owned


def test_a_problem_without_an_answer_can_be_dropped_whole(dataset):
    row = dict.fromkeys(dataset.stage.dropped.columns) | {"problem_id": "p", "reason": "no_answer_to_verify"}
    if dataset.stage.needs_answers:
        dropped = dataset.stage.dropped.frame([row | ({"detail": ""} if "detail" in row else {})])
        assert dropped["reason"].to_list() == ["no_answer_to_verify"]


def test_every_setting_says_what_it_is(dataset):
    fields = dataset.stage.settings.model_fields
    assert [name for name, field in fields.items() if not field.description] == []


def test_the_launchpad_shows_the_knobs_with_the_settings_as_defaults(world, dataset):
    section = world.settings.of(dataset.stage)
    shown = launchpad(dataset.name, section).model_fields
    assert set(shown) == set(type(section).knobs())
    assert {name: field.default for name, field in shown.items()} == {name: getattr(section, name) for name in shown}


def test_a_slice_that_lost_part_of_its_ledger_and_its_tables_is_made_again_as_it_was(world, copied_world, dataset):
    store, cell = Store(data_root=copied_world.data_root), cells(world)[0]
    before = {schema.name: store.read(store.table(schema.name, cell)) for schema in tables_of(dataset)}
    drawn_before = read_cost(store, dataset.name, cell).rollouts
    parts = sorted(store.ledger_folder("simulated", cell).glob("part-*.parquet"))
    for part in (parts[0], *parts[1::2]):  # the first one has all attempts
        part.unlink()
    for schema in tables_of(dataset):
        store.table(schema.name, cell).unlink()
    with dg.DagsterInstance.ephemeral() as instance:
        assert runner(instance)(copied_world, "slice", cell.round, cell.slice, only=[dataset.name]).success
    for name, table in before.items():
        assert store.read(store.table(name, cell)).equals(table), name
    drawn = read_cost(store, dataset.name, cell).rollouts - drawn_before
    assert (drawn > 0) == dataset.stage.samples


def test_a_release_passes_every_check_and_each_looked_at_something(world, dataset):
    report = verify(version(world, dataset, 1))
    assert report.findings == ()
    assert [name for name, checked in report.checks.items() if not checked.n] == []


def test_a_release_holds_every_config_with_its_declared_columns(world, dataset):
    folder = version(world, dataset, 1)
    manifest = read_manifest((folder / "manifest.json").read_bytes(), where=str(folder))
    assert set(manifest.rows) <= {config.name for config in dataset.configs}
    assert {config.name for config in dataset.measured} <= set(manifest.rows)
    for config in dataset.configs:
        if config.name in manifest.rows:
            rows = pl.read_parquet(f"{folder}/data/{config.name}/*.parquet")
            assert rows.columns == list(config.schema.columns)
    for config in dataset.measured:
        tables = [world.store.read(world.store.table(config.table, cell)) for cell in cells(world)]
        assert sum(manifest.rows[config.name].values()) == sum(table.height for table in tables) > 0


def test_the_card_shows_one_of_the_rows(world, dataset):
    folder = version(world, dataset, 1)
    *_, picture = draft_of(dataset, StoredRound(settings=world.settings, store=world.store, key=ROUND)).pictures
    assert (folder / "pictures" / picture.name).read_bytes() == picture.png
    assert len(picture.png) < LARGEST_PICTURE
    assert f"![One row of this release as `stepmill view` shows it](pictures/{picture.name})" in (
        (folder / "README.md").read_text()
    )


def test_a_trainer_reads_the_default_config_and_everything_is_in_full(dataset):
    full, default = dataset.main, dataset.config("default")
    assert (full.name, full.format) == ("full", None)
    assert default is not None and default.format is not None
    assert len({config.name for config in dataset.configs}) == len(dataset.configs)
    for config in dataset.configs:
        if config.format not in (None, Format.PROBLEMS):  # further columns lead trainers astray
            assert set(config.schema.columns) == set(config.format.columns)


def test_shuffled_tables_make_the_released_content_after_a_later_round_too_and_empty_ones_no_release(world, dataset):
    stored = StoredRound(settings=world.settings, store=world.store, key=ROUND)
    folder = version(world, dataset, 1)
    manifest = read_manifest((folder / "manifest.json").read_bytes(), where=str(folder))

    def draft(change):
        names = {name for config in dataset.measured for name in config.tables}
        tables = {name: change(stored.rows(name).only()) for name in names}
        return drafted(dataset, tables, manifest.facts, dataset.parameters_of(stored))

    shuffled = draft(lambda rows: rows.sample(fraction=1.0, shuffle=True, seed=1))
    assert shuffled.content == manifest.content
    with pytest.raises(NothingToRelease, match="there are no rows to release"):
        draft(pl.DataFrame.clear)


def test_a_second_round_asks_the_same_problems_and_draws_other_rollouts(world):
    first, second = (
        pl.concat([world.store.read(world.store.table("attempts", cell)) for cell in cells(world, key)])
        for key in ("r1", "r2")
    )
    assert first["problem_id"].to_list() == second["problem_id"].to_list()
    assert first["text"].to_list() != second["text"].to_list()


def test_a_second_run_draws_nothing_and_makes_the_same_tables(copied_world):
    store, cell = Store(data_root=copied_world.data_root), Cell(round=ROUND, slice=next(iter(copied_world.slices())))
    paths = [store.table(schema.name, cell) for dataset in DATASETS for schema in tables_of(dataset)]
    before = [store.read(path) for path in paths]
    for path in paths:
        path.unlink()
    with dg.DagsterInstance.ephemeral() as instance:
        again = runner(instance)(copied_world, "slice", cell.round, cell.slice)
    assert again.success
    sampled = [dataset.name for dataset in DATASETS if dataset.stage.samples]
    assert {name: metadata_of(again, name)["rollouts_drawn"] for name in sampled} == dict.fromkeys(sampled, 0)
    assert all(store.read(path).equals(table) for path, table in zip(paths, before, strict=True))


def test_a_manifest_holds_the_settings_of_every_stage(world, dataset):
    folder = version(world, dataset, 1)
    settings = json.loads((folder / "manifest.json").read_text())["facts"]["settings"]
    assert set(settings) == {*dataset.stages, "export"}
    assert settings[dataset.name]["settings"] == world.settings.of(dataset.stage).recipe()


def test_a_card_describes_every_column(world, dataset):
    folder = version(world, dataset, 1)
    card = (folder / "README.md").read_text()
    released = json.loads((folder / "manifest.json").read_text())["rows"]
    for config in dataset.configs:
        if config.name in released:
            for name, column in config.schema.columns.items():
                assert f"| `{name}` | {column.words} | {column.meaning}".replace("\n", " ") in card
    for limit in dataset.card.limits:
        assert limit in card


def test_datasets_loads_every_split_of_every_config_as_it_was_released(world, dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(world.store.releases.path)
    folder = version(world, dataset, 1)
    for config, splits in json.loads((folder / "manifest.json").read_text())["rows"].items():
        loaded = load_dataset(f"{dataset.name}/v0.1.0", config, cache_dir=str(tmp_path))
        assert {split: rows.num_rows for split, rows in loaded.items()} == splits
        for split, rows in loaded.items():
            assert rows.to_list() == pl.read_parquet(f"{folder}/data/{config}/{split}-*.parquet").to_dicts()
            assert {name: in_words(feature) for name, feature in rows.features.items()} == documented(dataset, config)
            streamed = load_dataset(f"{dataset.name}/v0.1.0", config, split=split, streaming=True)
            assert streamed.features == rows.features
            assert list(streamed) == rows.to_list()


def in_words(feature):
    """The type of a feature in the words of the card, which also tell what may be null."""
    if isinstance(feature, List):
        return f"list of {in_words(feature.feature)}"
    if isinstance(feature, dict):
        return f"{{{', '.join(f'{name}: {in_words(part)}' for name, part in feature.items())}}}"
    return feature.dtype


def documented(dataset, config):
    columns = dataset.config(config).schema.columns
    return {name: re.sub(r" or null| \(nullable\)", "", column.words) for name, column in columns.items()}


def test_rows_of_two_versions_stand_in_the_same_order(world, dataset):
    stored = StoredRound(settings=world.settings, store=world.store, key=ROUND)
    parameters = dataset.parameters_of(stored)
    facts = read_manifest((version(world, dataset, 1) / "manifest.json").read_bytes(), where="v0.1.0").facts
    tables = {name: stored.rows(name).only() for config in dataset.measured for name in config.tables}
    whole = drafted(dataset, tables, facts, parameters)
    held = pl.concat(whole.tables[dataset.main.name].splits.values())
    half = sorted(held["problem_id"].unique())[::2]
    last_slice = held.filter(pl.col("slice") == held["slice"].max())["problem_id"].to_list()
    for problems in (half, last_slice):
        fewer = {name: rows.filter(pl.col("problem_id").is_in(problems)) for name, rows in tables.items()}
        part = drafted(dataset, fewer, facts, parameters)
        for config, table in part.tables.items():
            for split, rows in table.splits.items():
                assert in_both(whole.tables[config].splits[split], rows) == in_both(
                    rows, whole.tables[config].splits[split]
                )


def in_both(rows, others):
    there = set(map(repr, others.rows()))
    return [row for row in dict.fromkeys(map(repr, rows.rows())) if row in there]


def changed(value):
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1000
        case str():
            return f"{value}?"
        case list() if value:
            return [*value[:-1], changed(value[-1])]
        case dict():
            return {name: changed(item) for name, item in value.items()}
    return None


def forged(draft, config, column):
    """The draft with one value of a column changed in the first row that has one."""
    for split, rows in draft.tables[config].splits.items():
        for row, value in enumerate(rows[column].to_list()):
            is_open = rows.schema[column] == pl.List(pl.String) and value and value[-1] is None
            other = [*value[:-1], "?"] if is_open else changed(value)
            if value is not None and other is not None:
                return with_value(draft, config, split, row, column, other)
    return None


def test_every_recomputed_column_and_every_derived_config_is_checked(world, dataset, tmp_path):
    stored = StoredRound(settings=world.settings, store=world.store, key=ROUND)
    draft = draft_of(dataset, stored)
    columns = [
        (config.name, column)
        for config in dataset.measured
        for column in config.recompute(
            draft.tables[config.name].splits["train"].head(1), dataset.parameters_of(stored)
        ).columns
    ]
    columns += [(c.name, next(iter(c.schema.columns))) for c in dataset.derived if c.name in draft.tables]
    assert columns
    for number, (config, column) in enumerate(columns):
        forgery = forged(draft, config, column)
        if forgery is None:  # nothing to change: every value is null or an empty list
            values = [value for rows in draft.tables[config].splits.values() for value in rows[column].to_list()]
            assert not any(values), (config, column)
            continue
        folder = LocalRegistry(UPath(tmp_path / str(number))).publish(forgery).path
        findings = verify(folder).findings
        assert any(finding.column == column or config in finding.file for finding in findings), (config, column)


RIGHT_SIDES = {
    "attempts": [("default", "completion")],
    "step_preference_pairs": [("full", "chosen"), ("full", "full_chosen"), ("full", "initial_reason_steps")],
    "long_cot_traces": [("full", "internal_thoughts"), ("full", "external_solution")],
    "critical_token_pairs": [("full", "chosen")],
    "contrast_pairs": [("full", "chosen"), ("default", "chosen")],
    "short_right": [("default", "completion"), ("control", "completion"), ("longer_right", "rejected")],
}


def test_no_right_side_states_a_false_equation(world, dataset):
    stored = StoredRound(settings=world.settings, store=world.store, key=ROUND)
    draft = draft_of(dataset, stored)
    for config, column in RIGHT_SIDES.get(dataset.name, []):
        for rows in draft.tables[config].splits.values():
            texts = [value if isinstance(value, str) else value[-1]["content"] for value in rows[column].to_list()]
            assert [text for text in texts if refuted(text)] == []


def test_a_release_that_is_made_again_shows_the_same_rows(world, dataset):
    with dg.DagsterInstance.ephemeral() as instance:
        again = runner(instance)(world.settings, "release", ROUND, only=[f"{dataset.name}_release"])
    before, after = (
        metadata_of(result, f"{dataset.name}_release") for result in (world.results[ROUND, "release"], again)
    )
    assert (after["dagster/row_count"], after["version"]) == (before["dagster/row_count"], before["version"])
    assert not after["is_new"]


def test_two_rounds_are_two_versions_that_can_be_compared(world, dataset):
    first, second = version(world, dataset, 1), version(world, dataset, 2)
    found = diff(first, second)
    assert not found.is_equal
    main = next(config for config in found.configs if config.config == dataset.main.name)
    assert main.key == dataset.main.schema.key
    assert len(main.added) + len(main.changed) > 0
    assert "## What changed since v0.1.0" in (second / "README.md").read_text()


def test_a_plan_covers_every_stage_that_samples(world):
    planned = {asset.asset for asset in plan(world.settings, world.store).assets}
    assert planned == {stage.name for stage in STAGES if stage.samples}


def test_a_round_stands_ready_to_be_published(world):
    state = standing(world.store, cells(world), [stage.name for stage in STAGES])
    assert (state.unmade, state.failed) == ((), ())


def test_a_slice_without_a_problem_gives_empty_tables(small_world, dataset):
    store = small_world.store
    empty = next(cell for cell in cells(small_world) if store.read(store.table("problems", cell)).is_empty())
    for schema in tables_of(dataset):
        assert store.read(store.table(schema.name, empty)).equals(schema.empty())


def test_a_stage_that_a_dataset_publishes_stands_in_the_list_once():
    assert len({stage.name for stage in STAGES}) == len(STAGES)
    assert {dataset.name for dataset in DATASETS} <= {stage.name for stage in STAGES}


def test_an_unknown_need_is_refused():
    stage = replace(STAGES[0], needs=("poems",))
    with pytest.raises(ValueError, match="no order of the stages satisfies: problems needs poems"):
        in_order((stage,))


def test_a_stage_that_leaves_out_a_need_of_its_needs_is_refused():
    stages = (*STAGES[:2], replace(STAGES[2], needs=("attempts",)))
    with pytest.raises(ValueError, match="contrastive_models must name the needs of its needs too: add problems"):
        in_order(stages)


def test_what_follows_from_problems_apart_is_what_follows_from_them_together(world, dataset):
    stored = StoredRound(settings=world.settings, store=world.store, key=ROUND)
    draft, parameters = draft_of(dataset, stored), dataset.parameters_of(stored)
    for base in dataset.measured:
        rows = draft.tables[base.name].computed().only()
        apart = rows.partition_by("problem_id", maintain_order=True)
        for config in dataset.derived_from(base):
            whole = config.derive(rows, parameters)
            parts = [config.derive(part, parameters) for part in apart]
            assert pl.concat([part.kept for part in parts]).equals(whole.kept), config.name
            assert sum((Counter(part.counts()) for part in parts), Counter()) == Counter(whole.counts()), config.name
        recomputed = pl.concat([base.recompute(part, parameters) for part in apart])
        assert recomputed.equals(base.recompute(rows, parameters))
    main = draft.tables[dataset.main.name].computed().only()
    for count in (dataset.label_counts, dataset.counts):
        added = sum((Counter(count(part)) for part in main.partition_by("problem_id")), Counter())
        assert +added == +Counter(count(main))


def test_a_column_that_an_older_stepmill_did_not_write_is_read_as_null_where_it_is_named(copied_world):
    store = Store(data_root=copied_world.data_root)
    stored = StoredRound(settings=copied_world, store=store, key=ROUND)
    path = store.table("attempts", stored.cells[0])
    store.write(path, store.read(path).drop("found_by"))
    rows = stored.rows("attempts")
    first, second = rows.blocks("found_by")
    assert first["found_by"].null_count() == first.height and second["found_by"].null_count() < second.height
    assert rows.height == first.height + second.height


def test_a_slice_that_is_read_in_parts_gives_the_same_version(world, dataset, monkeypatch):
    stored = StoredRound(settings=world.settings, store=world.store, key=ROUND)
    whole = draft_of(dataset, stored)
    first = next(stored.slices(dataset))[dataset.main.table]
    monkeypatch.setattr(problem_ranges, "PART_BYTES", int(first.estimated_size()) // 3)
    has_slices = all("slice" in dataset.table_schema(config).columns for config in dataset.measured)
    assert len(list(stored.slices(dataset))) > (2 if has_slices else 0)
    parted = draft_of(dataset, stored)
    assert (parted.content, parted.facts) == (whole.content, whole.facts)
