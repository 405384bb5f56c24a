"""A round over a source with answers and one without: what each asset makes of the slice without."""

import json
import string
from types import SimpleNamespace

import dagster as dg
import polars as pl
import pytest
import torch
from tokenizers import Regex, pre_tokenizers
from transformers import LlamaForSequenceClassification, PreTrainedTokenizerFast
from upath import UPath

from dagster_project.partitions import Cell
from dagster_project.planning import plan
from dagster_project.resources.store import Store
from dagster_project.scorecard import read_scorecard, standing
from dagster_project.settings.file import SettingsError, load_settings
from generators.datasets import STAGES
from generators.engine.simulated.statement import SimulatedProblems
from releases.registry.local import LocalRegistry
from releases.verification.verify import verify
from tests.dagster_project.conftest import SETTINGS, metadata_of, runner
from tests.dagster_project.test_judging import JUDGE, listening
from tests.dagster_project.test_long_cot_scored import ScriptedRater, met
from tests.tiny_reward import made as tiny_classifier

NAME = "long_cot_traces"
CELL = Cell(round="r1", slice="queries-0")
NAMES = [stage.name for stage in STAGES]
VERDICTS = [stage.name for stage in STAGES if stage.needs_answers]
SOURCE = """
[[sources]]
kind = "file"
name = "queries"
path = "queries.jsonl"
columns = { prompt = "query", answer_format = "none" }
query_mix = "criteria"
"""
REWARD = '[reward]\nmodel = "{folder}"\n'
TRACES = 'near_examples = "verbatim"\n'
CHARACTERS = [*string.printable, "<pad>", "<end>", "<unk>"]


def queries(folder, n=16):
    made = SimulatedProblems(min_steps=3, max_steps=5, seed=5)
    prompts = [made.problem(index).prompt for index in range(n)]
    (folder / "queries.jsonl").write_text("".join(json.dumps({"query": prompt}) + "\n" for prompt in prompts))


def settings_with(folder, sections, source=SOURCE, traces=TRACES):
    """The simulated source of other tests in one slice, the file of queries beside it."""
    file = folder / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="").replace("shards = 2\n", source) + traces + sections)
    return load_settings(file)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A round that was made and released: its settings, its store, the results by slice and job."""
    folder = tmp_path_factory.mktemp("round")
    queries(folder)
    classifier = tiny_classifier(
        folder / "classifier", words=CHARACTERS, split=pre_tokenizers.Split(Regex("."), "isolated"), positions=4096
    )
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("JUDGE_KEY", "secret")
        make = runner(instance)
        with listening(ScriptedRater()) as url:
            sections = JUDGE.format(url=url, further="") + REWARD.format(folder=classifier)
            settings = settings_with(folder, sections)
            results = {key: make(settings, "slice", "r1", key) for key in settings.slices()}
            released = make(settings, "release", "r1")
    return SimpleNamespace(
        settings=settings,
        store=Store(data_root=settings.data_root),
        results=results,
        released=released,
        classifier=classifier,
    )


def table(world, asset, cell=CELL):
    return world.store.read(world.store.table(asset, cell))


def published(world, dataset):
    return LocalRegistry(UPath(world.settings.data_root) / "releases").latest(dataset).path


def test_both_slices_and_every_release_succeed(world):
    assert {key: result.success for key, result in world.results.items()} == {"sums-0": True, "queries-0": True}
    assert world.released.success
    for dataset in ("process_labels", NAME):
        assert verify(published(world, dataset)).findings == ()


def test_the_problems_have_blank_answers_and_their_check_says_why_none_was_verified(world):
    problems = table(world, "problems")
    assert problems.height == 16 and set(problems["answer"]) == {""}
    checks = {one.name: one for one in read_scorecard(world.store, "problems", CELL).checks}
    assert checks["gold_answers"].passed and "the source has no answers" in checks["gold_answers"].why


@pytest.mark.parametrize("asset", VERDICTS)
def test_what_needs_a_verdict_is_empty_with_every_problem_dropped_and_every_check_passed(world, asset):
    assert table(world, asset).is_empty()
    dropped = world.store.read(world.store.dropped(asset, CELL))
    assert sorted(dropped["problem_id"]) == sorted(table(world, "problems")["problem_id"])
    assert set(dropped["reason"]) == {"no_answer_to_verify"}
    told = [one for one in world.results["queries-0"].get_asset_check_evaluations() if one.asset_key.path == [asset]]
    specs = {spec.name for spec in read_scorecard(world.store, asset, Cell(round="r1", slice="sums-0")).checks}
    assert {one.check_name for one in told} == specs
    for one in told:
        assert one.passed
        assert one.check_name == "schema" or one.description.startswith("the source has no answers")
    assert metadata_of(world.results["queries-0"], asset)["set_aside"].startswith("the source has no answers")


def test_no_token_is_drawn_but_for_traces_and_ratings(world):
    store = world.store
    for asset in VERDICTS:
        cost = json.loads(store.cost(asset, CELL).read_text())
        assert (cost["rollouts"], cost["tokens"]) == (0, 0)
    made = metadata_of(world.results["queries-0"], NAME)
    ledger = pl.read_parquet(f"{store.ledger_folder('simulated', CELL)}/part-*.parquet")
    assert ledger.height == made["rollouts_drawn"] == table(world, "long_cot_samples").height


def test_scores_are_the_reward_models_own_on_the_external_solutions(world):
    model = LlamaForSequenceClassification.from_pretrained(world.classifier).eval()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(world.classifier)
    rows = table(world, NAME)
    assert rows.height > 0 and set(rows["scored_by"]) == {"classifier"}
    for prompt, solution, score in rows.select("prompt", "external_solution", "score").iter_rows():
        text = f"user {prompt} <end>assistant {solution} <end>"
        with torch.inference_mode():
            alone = float(model(torch.tensor([tokenizer.encode(text)])).logits[0, 0])
        assert score == pytest.approx(alone, abs=1e-5)


def test_the_best_sample_of_each_query_stays_where_it_reaches_the_percentile_of_the_slice(world):
    samples, rows = table(world, "long_cot_samples"), table(world, NAME)
    came = samples.filter(pl.col("stage").is_null() | pl.col("stage").is_in(["score", "best"]))
    least = sorted(came["score"])[int(0.3 * came.height)]
    assert samples.filter(pl.col("reason") == "below_percentile").height == int(0.3 * came.height) > 0
    best = came.group_by("problem_id").agg(pl.col("score").max()).filter(pl.col("score") >= least)
    assert sorted(rows.select("problem_id", "score").rows()) == sorted(best.rows())
    assert rows["verdict"].null_count() == rows["difficulty"].null_count() == rows.height
    asked = {row["problem_id"] for row in table(world, "problems").to_dicts() if (met(row["prompt"]) or 0) >= 5}
    assert set(samples["problem_id"]) == asked


def test_the_release_holds_both_kinds_of_rows_and_manifests_tell_what_was_set_aside(world):
    rows = pl.read_parquet(f"{published(world, NAME)}/data/full/*.parquet")
    blank = rows.filter(pl.col("answer") == "")
    assert set(blank["source"]) == {"queries"} and set(blank["scored_by"]) == {"classifier"}
    assert blank.sort("problem_id").equals(table(world, NAME).sort("problem_id"))
    assert set(rows.filter(pl.col("answer") != "")["scored_by"]) == {"verifier"}
    facts = json.loads((published(world, "process_labels") / "manifest.json").read_text())["facts"]
    stages = {one["name"]: one for one in facts["stages"]}
    assert stages["attempts"]["dropped"] == {"no_answer_to_verify": 16}
    assert stages["process_labels"]["dropped"]["no_answer_to_verify"] == 16
    assert facts["settings"]["attempts"]["settings"]["n"] == 4
    assert [one["name"] for one in facts["sources"]] == ["sums"]


def test_the_round_stands_to_be_published_and_the_next_one_can_be_planned(world):
    cells = [Cell(round="r1", slice=key) for key in world.settings.slices()]
    found = standing(world.store, cells, NAMES)
    assert (found.unmade, found.failed) == ((), ())
    forecast = plan(world.settings, world.store)
    assert forecast.unknown == ()
    assert {one.asset for one in forecast.assets if one.slice == "queries-0" and one.tokens} == {NAME}


BAD = [
    (SOURCE.replace('query_mix = "criteria"\n', ""), "", "sources.1: query_mix of source queries must be 'criteria'"),
    (SOURCE, "", r"query_mix = 'criteria' needs a section \[judge\], got none for queries"),
    (
        SOURCE,
        "[judge]\n",
        r"answer_format = 'none'\) need a section \[reward\], .* got none for queries: add it, or name",
    ),
    (
        SOURCE,
        'examples = "attempts"\n[judge]\n[reward]\nmodel = "m"\n',
        r"long_cot_traces.examples must be 'general', .* \(queries\) are not attempted, got 'attempts'$",
    ),
]


@pytest.mark.parametrize(("source", "sections", "message"), BAD)
def test_settings_that_cannot_score_a_source_without_answers_are_refused_when_they_are_read(
    tmp_path, source, sections, message
):
    text = SETTINGS.format(policy="").replace("shards = 2\n", source).replace('examples = "short"\n', "")
    (tmp_path / "stepmill.toml").write_text(text + sections)
    with pytest.raises(SettingsError, match=message):
        load_settings(tmp_path / "stepmill.toml")
