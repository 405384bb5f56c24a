"""Traces where something else than the pass rate and the verifier decides: a judge's ratings, a reward model."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl
import pytest

from dagster_project.settings.file import SettingsError, load_settings
from generators.engine.errors import RequestRefused
from generators.engine.protocol import Completion, Generation, Usage
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.statement import Statement
from generators.engine.simulated.vocabulary import EOS
from generators.long_cot_traces.behaviour_prompt import MEANINGS
from generators.long_cot_traces.behaviours import KINDS
from generators.long_cot_traces.query_criteria import CRITERIA
from tests.dagster_project.conftest import SETTINGS, metadata_of
from tests.dagster_project.test_judging import JUDGE, listening

NAME = "long_cot_traces"
LINES = "least_criteria = 6\n"


def met(prompt):
    """How many criteria the scripted judge says that a problem meets; None where it refuses."""
    start = Statement.find(prompt).start
    return None if start % 5 == 0 else 5 + start % 3


class ScriptedRater(SimulatedPolicy):
    """Rates the problem in a prompt as `met` says, and gives every rated one the topic arithmetic."""

    async def generate(self, request):
        text = self.tokenizer.decode(request.prefix)
        count = met(text)
        if count is None:
            raise RequestRefused("this problem cannot be rated")
        lines = [f"{name}: {'yes' if place < count else 'no'}" for place, name in enumerate(CRITERIA)]
        reply = "\n".join(lines) if "specificity" in text else "arithmetic"
        ids = (*self.tokenizer.encode(reply), EOS)
        usage = Usage(prompt=len(request.prefix), generated=len(ids) * request.n)
        return Generation(
            completions=(Completion(token_ids=ids, text=reply, finish_reason="eos"),) * request.n, usage=usage
        )


def settings_with(folder, sections, source=""):
    file = folder / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="").replace("shards = 2", source) + LINES + sections)
    return load_settings(file)


def table(settings, asset=NAME):
    return pl.read_parquet(f"{settings.data_root}/tables/{asset}/r1/sums-0.parquet")


def test_a_judge_chooses_the_problems_of_a_source_that_wants_criteria(tmp_path, monkeypatch, make):
    monkeypatch.setenv("JUDGE_KEY", "secret")
    with listening(ScriptedRater()) as url:
        settings = settings_with(tmp_path, JUDGE.format(url=url, further=""), 'query_mix = "criteria"')
        result = make(settings, "slice", "r1", "sums-0", only=["problems", "attempts", NAME])
    assert result.success
    mixed = {row["problem_id"]: row for row in table(settings, "query_mix").iter_rows(named=True)}
    told = {None: "refused", 5: "too_few_criteria", 6: "criteria_met", 7: "criteria_met"}
    asked = {row["problem_id"]: met(row["prompt"]) for row in table(settings, "problems").iter_rows(named=True)}
    assert {name: row["why"] for name, row in mixed.items()} == {name: told[count] for name, count in asked.items()}
    assert set(told.values()) == {row["why"] for row in mixed.values()}
    kept = {name for name, row in mixed.items() if row["is_kept"]}
    assert set(table(settings, "long_cot_samples")["problem_id"]) == kept
    rows = table(settings)
    assert set(rows["topic"]) == {"arithmetic"} and rows["difficulty"].null_count() == 0
    made = metadata_of(result, NAME)
    answered = sum(count is not None for count in asked.values()) + len(kept)
    assert (made["judge"], made["judge_rollouts_drawn"]) == ("judge@weights-1", answered)


@contextmanager
def scoring():
    """The URL of a reward server that likes large boxed numbers."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = float(re.findall(r"[0-9]+", body["messages"][1]["content"])[-1])
            answer = json.dumps({"data": [{"index": 0, "data": [number]}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(10)


def without_answers(settings):
    path = f"{settings.data_root}/tables/problems/r1/sums-0.parquet"
    pl.read_parquet(path).with_columns(answer=pl.lit("")).write_parquet(path)


def test_problems_without_an_answer_are_scored_by_the_reward_model(tmp_path, make):
    with scoring() as url:
        settings = settings_with(tmp_path, f'[reward]\nurl = "{url}"\nmodel = "likes-numbers"\n')
        assert make(settings, "slice", "r1", "sums-0", only=["problems", "attempts"]).success
        without_answers(settings)
        assert make(settings, "slice", "r1", "sums-0", only=[NAME]).success
    samples, rows = table(settings, "long_cot_samples"), table(settings)
    scores = sorted(samples["score"])
    least = scores[int(0.3 * len(scores))]
    assert samples.filter(pl.col("reason") == "below_percentile")["score"].max() < least
    best = samples.group_by("problem_id").agg(pl.col("score").max()).filter(pl.col("score") >= least)
    assert sorted(rows.select("problem_id", "score").rows()) == sorted(best.rows())
    assert set(rows["scored_by"]) == {"likes-numbers"} and rows["verdict"].null_count() == rows.height


def test_without_a_reward_model_a_problem_without_an_answer_ends_the_run_with_the_remedy(tmp_path, make):
    settings = settings_with(tmp_path, "")
    assert make(settings, "slice", "r1", "sums-0", only=["problems", "attempts"]).success
    without_answers(settings)
    (failure,) = make(settings, "slice", "r1", "sums-0", only=[NAME]).get_step_failure_events()
    assert "add a section [reward]" in failure.step_failure_data.error.message


class ScriptedCounter(SimulatedPolicy):
    """Counts as many places of a kind as the kind's own place, and refuses problems that start at an even number."""

    async def generate(self, request):
        text = self.tokenizer.decode(request.prefix)
        if Statement.find(text).start % 2 == 0:
            raise RequestRefused("these thoughts cannot be judged")
        kind = next(kind for kind in KINDS if MEANINGS[kind] in text)
        reply = f"<count>{KINDS.index(kind)}</count>" if kind != "backtracking" else "Some."
        ids = (*self.tokenizer.encode(reply), EOS)
        usage = Usage(prompt=len(request.prefix), generated=len(ids) * request.n)
        return Generation(
            completions=(Completion(token_ids=ids, text=reply, finish_reason="eos"),) * request.n, usage=usage
        )


def test_a_judge_counts_behaviours_besides_the_rules_and_a_refusal_loses_no_row(tmp_path, monkeypatch, make):
    monkeypatch.setenv("JUDGE_KEY", "secret")
    with listening(ScriptedCounter()) as url:
        settings = settings_with(tmp_path, "judge_behaviours = true\n" + JUDGE.format(url=url, further=""))
        result = make(settings, "slice", "r1", "sums-0", only=["problems", "attempts", NAME])
    assert result.success
    rows = table(settings)
    refused = [Statement.find(prompt).start % 2 == 0 for prompt in rows["prompt"]]
    assert 0 < sum(refused) < rows.height
    told = [None if silent else {"verification": 0, "subgoal_setting": 2, "backward_chaining": 3} for silent in refused]
    for kind in KINDS:
        assert rows[f"judge_n_{kind}"].to_list() == [one and one.get(kind) for one in told]
    assert set(rows["behaviour_judge"]) == {"judge@weights-1"}
    made = metadata_of(result, NAME)
    counted = {one.data["behaviour"]: one.data for one in made["judged_behaviours"].records}
    assert counted["subgoal_setting"]["by_judge"] == 2 * (rows.height - sum(refused))
    assert counted["backtracking"]["without_a_number"] == rows.height
    assert made["behaviour_judge_rollouts_drawn"] == len(KINDS) * (rows.height - sum(refused))


def test_without_a_judge_its_counts_are_null_and_asking_for_them_is_refused_when_the_settings_are_read(world, tmp_path):
    rows = table(world.settings)
    for name in ("behaviour_judge", *(f"judge_n_{kind}" for kind in KINDS)):
        assert rows[name].null_count() == rows.height > 0
    with pytest.raises(SettingsError, match=r"judge_behaviours must be false without a section \[judge\], got true"):
        settings_with(tmp_path, "judge_behaviours = true\n")
