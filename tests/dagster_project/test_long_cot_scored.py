"""Traces where something else than the pass rate and the verifier decides: a judge's ratings, a reward model."""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl

from dagster_project.settings import load_settings
from generators.engine.errors import RequestRefused
from generators.engine.protocol import Completion, Generation
from generators.engine.simulated import SimulatedPolicy
from generators.engine.simulated_statement import Statement
from generators.engine.simulated_vocabulary import EOS
from generators.prompts.query_criteria import CRITERIA
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
        return Generation(completions=(Completion(token_ids=ids, text=reply, finish_reason="eos"),) * request.n)


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
