import asyncio
import json
import re
import threading
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import dagster as dg
import polars as pl
import pytest
from upath import UPath

from dagster_project.settings.file import load_settings
from generators.engine.errors import RequestRefused
from generators.engine.protocol import Completion, Generation, Usage
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.server import SimulatedServer
from generators.engine.simulated.statement import Statement
from generators.engine.simulated.vocabulary import EOS
from generators.process_labels.dataset import DATASET
from releases.registry.local import LocalRegistry
from tests.dagster_project.conftest import SETTINGS, metadata_of, runner

JUDGE = """
[judge]
urls = ["{url}"]
model = "judge"
revision = "weights-1"
tokenizer = "simulated"
api_key_env = "JUDGE_KEY"
{further}
"""


def says(prompt, steps):
    """What the scripted judge says of a solution: the truth, another step, or nothing, by the problem's start."""
    statement = Statement.find(prompt)
    stated = [int(re.findall(r"[0-9]+", step)[-1]) for step in steps]
    true = [*statement.totals[1:], statement.answer]
    wrong = [place for place, (one, other) in enumerate(zip(stated, true, strict=True)) if one != other]
    truth = wrong[0] if wrong else -1
    match statement.start % 6:
        case 0:
            return "refused"
        case 1:
            return "no_verdict"
        case 2:
            return 0 if truth else -1
        case _:
            return truth


def kind(label, said):
    if label is None or said is None:
        return "silent"
    return "differ" if label != said else "both_none" if label < 0 else "same_step"


class ScriptedJudge(SimulatedPolicy):
    """Says of the solution in a prompt what `says` says, and counts its answers."""

    answered = 0

    async def generate(self, request):
        text = self.tokenizer.decode(request.prefix)
        said = says(text, re.findall(r"<paragraph_\d+>\n(.*?)\n</paragraph_\d+>", text, re.DOTALL))
        if said == "refused":
            raise RequestRefused("this solution cannot be judged")
        reply = f"\\boxed{{{said}}}" if isinstance(said, int) else "I cannot tell."
        ids = (*self.tokenizer.encode(reply), EOS)
        self.answered += request.n
        usage = Usage(prompt=len(request.prefix), generated=len(ids) * request.n)
        return Generation(
            completions=(Completion(token_ids=ids, text=reply, finish_reason="eos"),) * request.n, usage=usage
        )


@contextmanager
def listening(policy):
    """The URL of a server over `policy`, on an event loop of its own thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = SimulatedServer(policy, model="judge", api_key="secret")
    try:
        asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
        yield server.url
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture(scope="module")
def judged_round(tmp_path_factory):
    """A released round whose solutions the scripted judge judged: settings, results by slice, metadata, the URL."""
    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("JUDGE_KEY", "secret")
        make = runner(instance)
        with listening(ScriptedJudge()) as url:
            settings = settings_with(tmp_path_factory.mktemp("judged"), JUDGE.format(url=url, further=""))
            results = {key: make(settings, "slice", "r1", key, only=DATASET.stages) for key in settings.slices()}
            released = make(settings, "release", "r1", only=["process_labels_release"])
    metadata = metadata_of(released, "process_labels_release")
    return SimpleNamespace(settings=settings, results=results, metadata=metadata, url=url)


@pytest.fixture
def judge(monkeypatch):
    """A scripted judge and the address that it answers at."""
    monkeypatch.setenv("JUDGE_KEY", "secret")
    scripted = ScriptedJudge()
    with listening(scripted) as url:
        yield scripted, url


def settings_with(folder, section):
    file = folder / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="").replace("size = 12", "size = 24") + section)
    return load_settings(file)


def labels(settings, slice_key="sums-[01]"):
    return pl.read_parquet(f"{settings.data_root}/tables/process_labels/r1/{slice_key}.parquet")


def release(settings):
    return LocalRegistry(UPath(settings.data_root) / "releases").latest("process_labels").path


def published(settings, config):
    return pl.read_parquet(f"{release(settings)}/data/{config}/*.parquet")


def test_rows_carry_what_the_judge_said_and_a_refusal_stops_no_other_row(judged_round):
    rows = labels(judged_round.settings)
    assert set(rows["judge"]) == {"judge@weights-1"}
    outcomes = [(row["judge_first_error"], row["judge_outcome"]) for row in rows.iter_rows(named=True)]
    without_error = {"refused": (None, "failed"), "no_verdict": (None, "no_verdict")}
    replies = [says(row["prompt"], row["steps"]) for row in rows.iter_rows(named=True)]
    assert outcomes == [without_error.get(reply, (reply, "judged")) for reply in replies]
    assert set(rows["judge_outcome"]) == {"judged", "no_verdict", "failed"}


def test_consensus_holds_exactly_the_solutions_on_which_judge_and_labels_agree(judged_round):
    settings = judged_round.settings
    rows = published(settings, "full").to_dicts()
    agreed = [row for row in rows if row["first_error"] == says(row["prompt"], row["steps"])]
    ends = [row["first_error"] + 1 or len(row["steps"]) for row in agreed]
    expected = [
        (row["prompt"], [step.strip() for step in row["steps"][:end]], list(map(int, row["hard_labels"][:end])))
        for row, end in zip(agreed, ends, strict=True)
    ]
    assert 0 < len(agreed) < len(rows)
    assert any(row["first_error"] < 0 for row in agreed) and any(row["first_error"] >= 0 for row in agreed)
    assert sorted(published(settings, "consensus").rows()) == sorted(expected)
    dropped = {"label_not_sure", "judge_no_verdict", "judge_disagrees"}
    manifest = json.loads((release(settings) / "manifest.json").read_text())
    stage = manifest["facts"]["stages"][-1]
    assert (stage["name"], stage["kept"]) == ("release: consensus", len(agreed))
    assert stage["kept"] + sum(stage["dropped"].values()) == len(rows)
    assert {"judge_no_verdict", "judge_disagrees"} <= set(stage["dropped"]) <= dropped
    assert "arXiv:2501.07301" in judged_round.metadata["card"]


def test_a_run_again_asks_the_judge_for_nothing_and_gives_the_same_rows_from_the_second_on(tmp_path, judge, make):
    scripted, url = judge
    settings = settings_with(tmp_path, JUDGE.format(url=url, further="temperature = 0.5\nvotes = 3"))
    first = metadata_of(make(settings, "slice", "r1", "sums-0", only=DATASET.stages), "process_labels")
    before = labels(settings, "sums-0")
    n_refused = before["judge_outcome"].eq("failed").sum()
    assert first["judge_rollouts_drawn"] == 3 * (before.height - n_refused) > 0
    scripted.answered = 0
    made = []
    for _ in range(2):
        again = metadata_of(make(settings, "slice", "r1", "sums-0", only=DATASET.stages), "process_labels")
        assert (again["judge_rollouts_drawn"], scripted.answered) == (0, 0)
        made.append(labels(settings, "sums-0"))
    second, third = made
    assert third.equals(second)
    assert second["judge_first_error"].equals(before["judge_first_error"])


def test_metadata_recipe_and_manifest_tell_who_judged_and_how_far_both_agree(judged_round):
    settings, made = judged_round.settings, metadata_of(judged_round.results["sums-0"], "process_labels")
    rows = published(settings, "full").filter(pl.col("slice") == "sums-0")
    agreement = {record.data["what"]: record.data["rows"] for record in made["judge_agreement"].records}
    assert Counter(agreement) == Counter(
        kind(*pair) for pair in rows.select("first_error", "judge_first_error").iter_rows()
    )
    assert made["judge"] == "judge@weights-1"
    facts = json.loads((release(settings) / "manifest.json").read_text())["facts"]
    judged_with = facts["settings"]["process_labels"]["config"]["by_slice"]["sums-0"]["judge"]
    assert {name: judged_with[name] for name in ("judge", "votes", "max_tokens")} == {
        "judge": "judge@weights-1",
        "votes": 1,
        "max_tokens": 2048,
    }
    ledger = pl.read_parquet(f"{settings.data_root}/ledger/judge@weights-1/r1/*/part-*.parquet")
    assert facts["tokens"]["judge_rollouts"] == ledger.height > 0
    assert facts["policy"] == "simulated"
    assert judged_round.url not in json.dumps(facts)


def test_the_policy_judges_itself_where_the_judge_has_no_servers(tmp_path, make):
    settings = settings_with(tmp_path, "[judge]\n")
    made = metadata_of(make(settings, "slice", "r1", "sums-0", only=DATASET.stages), "process_labels")
    assert set(labels(settings, "sums-0")["judge"]) == {"simulated"}
    assert made["judge_rollouts_drawn"] > 0
    assert [folder.name for folder in UPath(settings.data_root, "ledger").iterdir()] == ["simulated"]


def test_without_a_judge_its_columns_are_null(world):
    made = metadata_of(world.results["r1", "sums-0"], "process_labels")
    rows = labels(world.settings, "sums-0")
    assert rows.select("judge_first_error", "judge_outcome", "judge").null_count().row(0) == (rows.height,) * 3
    assert not any(name.startswith("judge") for name in made)


def test_a_judges_key_that_is_refused_ends_the_run_with_its_address(tmp_path, judge, monkeypatch, make):
    monkeypatch.setenv("JUDGE_KEY", "stolen")
    settings = settings_with(tmp_path, JUDGE.format(url=judge[1], further=""))
    result = make(settings, "slice", "r1", "sums-0", only=DATASET.stages)
    (failure,) = result.get_step_failure_events()
    assert f"{judge[1]} refused" in str(failure.step_failure_data.error.message)
