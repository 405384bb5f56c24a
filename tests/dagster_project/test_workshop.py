"""Stages of one run that do not wait for each other are made at the same time, and nobody can tell by their rows."""

import asyncio
from dataclasses import dataclass, field

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from dagster_project.settings.file import load_settings
from dagster_project.workshop import Workshop
from generators.datasets import STAGES, TURNS
from generators.engine.simulated.policy import SimulatedPolicy
from generators.stage import Output
from tests.dagster_project.conftest import SETTINGS, runner

CELL = Cell(round="r1", slice="sums-0")
STAGE = {stage.name: stage for stage in STAGES}


@dataclass(eq=False)
class FakeOrder:
    """An order whose stage waits `yields` turns of the loop; `opening` is called first, as by a workbench."""

    stage: object
    said: list
    yields: int = 0
    fails: bool = False
    opening: object = lambda: None
    discarded: bool = field(default=False, init=False)

    async def made(self):
        self.said.append(f"{self.stage.name} begins")
        self.opening()
        try:
            for _ in range(self.yields):
                await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.said.append(f"{self.stage.name} is ended")
            raise
        if self.fails:
            raise ValueError(self.stage.name)
        self.said.append(f"{self.stage.name} ends")
        return Output(rows=pl.DataFrame({"of": [self.stage.name]}), dropped=pl.DataFrame())

    def discard(self):
        self.discarded = True


class Run:
    """A run of all stages through one workshop, with fake orders; `traits` says what is special about some of them."""

    def __init__(self, finished=("problems", "attempts"), **traits):
        self.said, self.orders, self.workshop = [], {}, Workshop()
        self.traits = traits
        for name in finished:
            self.workshop.finish(name)

    def order(self, stage):
        traits = {"opening": lambda: self.workshop.begin_others(STAGES, self.order)} | self.traits.get(stage.name, {})
        self.orders[stage.name] = FakeOrder(stage, self.said, **traits)
        return self.orders[stage.name]

    def take(self, name):
        output = self.workshop.make(self.workshop.begun(name) or self.order(STAGE[name]))
        self.workshop.finish(name)
        return output.rows["of"].item()


@pytest.fixture
def opened():
    """Opens runs, and closes their workshops at the end."""
    runs = []

    def run(**traits):
        runs.append(Run(**traits))
        return runs[-1]

    yield run
    for one in runs:
        one.workshop.close()


def test_turns_are_taken_by_what_waits_for_them_and_models_are_loaded_before_others_draw():
    assert TURNS == (
        "problems",
        "attempts",
        "process_labels",
        "contrastive_models",
        "critical_token_pairs",
        "step_preference_pairs",
        "self_correction_traces",
        "long_cot_traces",
        "contrast_pairs",
        "coverage",
        "short_right",
    )


def test_what_needs_only_finished_tables_is_begun_with_the_first_that_opens_the_engine(opened):
    run = opened(process_labels={"yields": 5}, long_cot_traces={"yields": 2})
    assert run.take("process_labels") == "process_labels"
    assert run.said == [
        "process_labels begins",
        "long_cot_traces begins",
        "long_cot_traces ends",
        "process_labels ends",
    ]
    assert run.take("long_cot_traces") == "long_cot_traces"
    assert len(run.said) == 4


def test_a_stage_that_loads_a_model_waits_until_nothing_else_is_drawn(opened):
    trained = {"opening": lambda: None}
    run = opened(process_labels={"yields": 1}, long_cot_traces={"yields": 9}, contrastive_models=trained)
    run.take("process_labels")
    run.take("contrastive_models")
    assert run.said[-4:] == [
        "process_labels ends",
        "long_cot_traces ends",
        "contrastive_models begins",
        "contrastive_models ends",
    ]


def test_a_stage_is_not_begun_before_its_needs_are_finished(opened):
    run = opened(finished=("problems",), attempts={"yields": 1})
    run.take("attempts")
    assert run.said == ["attempts begins", "attempts ends"]


def test_what_went_wrong_before_its_turn_is_raised_at_its_turn(opened):
    run = opened(process_labels={"yields": 3}, long_cot_traces={"fails": True})
    assert run.take("process_labels") == "process_labels"
    with pytest.raises(ValueError, match="long_cot_traces"):
        run.take("long_cot_traces")


def test_what_was_begun_and_never_taken_is_ended_and_discarded_with_the_run(opened):
    run = opened(process_labels={"yields": 1}, long_cot_traces={"yields": 10**9})
    run.take("process_labels")
    run.workshop.close()
    assert run.said[-1] == "long_cot_traces is ended"
    assert run.orders["long_cot_traces"].discarded


def interrupt(kind):
    raise kind


def test_an_interruption_ends_the_stage_whose_turn_it_is_before_it_is_raised(opened):
    run = opened(process_labels={"yields": 10**9})
    order = run.order(STAGE["process_labels"])
    order.opening = lambda: asyncio.get_running_loop().call_soon(interrupt, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run.workshop.make(order)
    assert run.said == ["process_labels begins", "process_labels is ended"]


def test_an_interruption_that_strikes_another_stage_ends_the_run_as_well(opened):
    class Interruption(BaseException):
        pass

    run = opened(process_labels={"yields": 10**9})
    order = run.order(STAGE["process_labels"])
    ahead = FakeOrder(STAGE["long_cot_traces"], run.said, opening=lambda: interrupt(Interruption))
    order.opening = lambda: run.workshop.begin_others([ahead.stage], lambda stage: ahead)
    with pytest.raises(Interruption):
        run.workshop.make(order)
    assert run.said[-1] == "process_labels is ended"


def tables(settings):
    store = Store(data_root=settings.data_root)
    return {
        schema.name: pl.read_parquet(str(store.table(schema.name, CELL)))
        for stage in STAGES
        for schema in (stage.schema, *stage.beside)
    }


@pytest.fixture
def two_settings(tmp_path):
    both = []
    for name in ("together", "apart"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stepmill.toml").write_text(SETTINGS.format(policy=""))
        both.append(load_settings(tmp_path / name / "stepmill.toml"))
    return both


def test_a_slice_made_in_one_run_has_the_rows_of_one_made_table_by_table(two_settings):
    together, apart = two_settings
    with dg.DagsterInstance.ephemeral() as instance:
        make = runner(instance)
        assert make(together, "slice", "r1", "sums-0").success
        for stage in STAGES:
            assert make(apart, "slice", "r1", "sums-0", only=[stage.name]).success
    one, other = tables(together), tables(apart)
    assert one.keys() == other.keys()
    for name in one:
        assert_frame_equal(one[name], other[name])


def test_the_launchpad_reaches_a_stage_that_is_begun_before_its_turn(settings, make):
    config = {"ops": {"long_cot_traces": {"config": {"n": 2}}}}
    assert make(settings, "slice", "r1", "sums-0", config).success
    recipe = Store(data_root=settings.data_root).read_recipe("long_cot_traces", CELL)
    assert recipe["settings"]["n"] == 2


def test_stages_draw_side_by_side_and_together_keep_within_the_slots(tmp_path, make, monkeypatch):
    (tmp_path / "stepmill.toml").write_text(SETTINGS.format(policy="in_flight = 8"))
    settings = load_settings(tmp_path / "stepmill.toml")
    running, peak, generate = 0, 0, SimulatedPolicy.generate

    async def counted(policy, request):
        nonlocal running, peak
        running += request.n
        peak = max(peak, running)
        try:
            await asyncio.sleep(0)
            return await generate(policy, request)
        finally:
            running -= request.n

    monkeypatch.setattr(SimulatedPolicy, "generate", counted)
    begun = []
    monkeypatch.setattr(
        Workshop,
        "begin_others",
        lambda self, *given, begin=Workshop.begin_others: (begin(self, *given), begun.append(list(self._begun))),
    )
    assert make(settings, "slice", "r1", "sums-0").success
    assert peak == 8
    assert ["long_cot_traces"] in begun
    assert any({"step_preference_pairs", "self_correction_traces"} <= set(names) for names in begun)
