"""`stepmill check` on settings that cannot work: each thing in one sentence, and exit code 2."""

import asyncio
import json
import re
import socket

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from dagster_project.preflight.report import check as look
from dagster_project.settings.file import load_settings
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.server import SimulatedServer
from generators.engine.simulated.statement import SimulatedProblems

SUMS = [SimulatedProblems(min_steps=2, max_steps=3).problem(index) for index in range(10)]
REAL = [{"question": f"Ann has {n} apples and buys 3. How many has she?", "answer": str(n + 3)} for n in range(10)]
SIMULATED = """
[policy]
model = "simulated"

[[sources]]
kind = "simulated"
name = "sums"
size = 12
licence = "mit"

[long_cot_traces]
examples = "short"
"""
OWN = """
[policy]
model = "{model}"

[[sources]]
kind = "file"
name = "own"
path = "own.jsonl"
columns = {{ prompt = "question" }}
licence = "mit"

[long_cot_traces]
examples = "{examples}"
max_tokens = 400
"""


@pytest.fixture
def check(tmp_path):
    """Runs the command on a settings file with this text, beside a file of problems."""

    def run(text, *arguments, rows=REAL):
        (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (tmp_path / "stepmill.toml").write_text(text)
        return CliRunner().invoke(app, ["check", "--settings", str(tmp_path / "stepmill.toml"), *arguments])

    return run


def own(model="embedded", examples="short"):
    return OWN.format(model=model, examples=examples)


def test_settings_that_fit_together_are_said_to_with_what_was_read(check):
    done = check(SIMULATED)
    assert (done.exit_code, done.output) == (
        0,
        "sums: 12 rows read, 12 of 12 sampled problems can be used\nNothing stands in the way of a round.\n",
    )


def test_examples_that_the_default_policy_has_no_room_for_are_refused(check):
    done = check(own(examples="general"))
    assert done.exit_code == 2
    (refused,) = [line for line in done.output.splitlines() if line.startswith("Cannot work: ")]
    assert re.search(r"long_cot_traces\.examples: \d+ of 10 prompts with examples = 'general'", refused)
    assert "leave no room for an answer in the policy's context of 2048 tokens (policy.max_model_len)" in refused
    assert check(own()).exit_code == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("[policy]", "[policy]\nmax_model_len = 9000"), "policy.max_model_len: 9000 tokens are more than the 8192"),
        (("[policy]", "[policy]\nmax_model_len = 300"), "attempts.max_tokens: 512 tokens after 10 of 10 prompts"),
        (
            ("[policy]", "[policy]\nkv_cache_gib = 0.01"),
            "policy.kv_cache_gib: 0.01 GiB hold no sequence of 2048",
        ),
        (('"question"', '"problem"'), "has no column 'problem': set prompt to one of answer, question"),
        (("own.jsonl", "missing.jsonl"), "does not exist: correct the path of source 'own'"),
        (('"question" }', '"question", answer_format = "boxed" }'), "source own has no usable problem, set aside"),
        (('"embedded"', '"no such/model"'), "policy.model is 'no such/model'"),
        (('"embedded"', '"simulated"'), "policy.model: 'simulated' continues its own problems only"),
        (("[policy]", 'data_root = "own.jsonl/data"\n[policy]'), "own.jsonl is a file): correct its permissions"),
        (("[policy]", '[hub]\nnamespace = "lab"\n[policy]'), "hub.namespace: releases go to lab on the Hub, and there"),
        (
            ("[policy]", "[judge]\nmax_tokens = 2040\n[policy]"),
            "judge.max_tokens: 2040 tokens after 10 of 10",
        ),
    ],
)
def test_what_cannot_work_is_named_with_its_remedy(check, change, sentence, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_TOKEN_PATH", "/nowhere")
    done = check(own().replace(*change))
    assert done.exit_code == 2
    refused = [line for line in done.output.splitlines() if line.startswith("Cannot work: ")]
    assert sum(sentence in line for line in refused) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('licence = "mit"', ""), "sources.own.licence: no licence is set, so cards will call it unknown"),
        (('"mit"', '"MIT License"'), "sources.own.licence: the terms of 'MIT License' are not known"),
        (
            ('licence = "mit"', 'licence = "cc-by-nc-4.0"\n[releases]\nlicences = "mark"'),
            "sources.own.licence: cc-by-nc-4.0 allows no commercial use, and cards will say so",
        ),
    ],
)
def test_what_only_a_person_can_judge_is_a_warning(check, change, sentence):
    done = check(own().replace(*change))
    assert done.exit_code == 0
    (warned,) = [line for line in done.output.splitlines() if line.startswith("Warning: ")]
    assert sentence in warned


def test_the_problems_of_the_simulated_policy_are_not_meant_for_another(check):
    done = check(SIMULATED.replace('"simulated"\n\n', '"embedded"\n\n') + "max_tokens = 400\n")
    assert done.exit_code == 0
    assert "Warning: sources.sums.kind: 'simulated' gives the problems of the simulated policy" in done.output


def test_the_simulated_policys_own_problems_may_come_from_a_file(check):
    rows = [{"question": problem.prompt, "answer": problem.answer} for problem in SUMS]
    assert check(own("simulated"), rows=rows).exit_code == 0


def test_rows_that_cannot_be_used_are_counted_by_reason(check):
    done = check(own(), rows=[*REAL, {"question": "?"}, REAL[0]])
    assert done.exit_code == 0
    assert "sources.own: 2 of 12 rows that were looked at cannot be used (1 duplicate, 1 missing_answer)" in done.output
    assert "; line 11 is missing_answer: column answer holds nothing; an answer is read from a text" in done.output


def test_a_system_turn_that_is_left_out_is_said(check):
    system = {"role": "system", "content": "Answer in French."}
    rows = [{**row, "question": [system, {"role": "user", "content": row["question"]}]} for row in REAL]
    done = check(own(), rows=rows)
    assert done.exit_code == 0
    assert "sources.own: the system turn of 10 of 10 prompts is left out, such as 'Answer in French.'" in done.output


def test_an_unknown_field_is_named_with_the_one_that_was_meant(check):
    done = check(SIMULATED + "max_token = 3\n")
    assert done.exit_code == 2
    assert done.stderr.startswith("stepmill: ") and "did you mean max_tokens?" in done.stderr


def test_a_program_reads_the_findings_as_json(check):
    done = check(own("simulated"), "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 2 and report["fits"] is False
    assert report["sources"] == [{"name": "own", "rows": 10, "sampled": 10, "usable": 10, "set_aside": {}}]
    assert [(finding["field"], finding["blocks"]) for finding in report["findings"]] == [("policy.model", True)]


def attached(url, model="simulated"):
    return SIMULATED.replace("[policy]", f'[policy]\nurls = ["{url}"]\ntokenizer = "simulated"').replace(
        'model = "simulated"', f'model = "{model}"'
    )


def served(tmp_path, model, max_model_len=8192):
    """What is found on settings that name a running server, and the model that they expect there."""

    async def run():
        async with SimulatedServer(SimulatedPolicy(max_model_len=max_model_len)) as server:
            (tmp_path / "stepmill.toml").write_text(attached(server.url, model))
            settings = load_settings(tmp_path / "stepmill.toml")
            return await asyncio.to_thread(look, settings)

    return [finding.sentence for finding in asyncio.run(run()).refused]


def test_a_server_that_serves_the_model_is_measured_by_its_own_context(tmp_path):
    assert served(tmp_path, "simulated") == []
    refused = served(tmp_path, "simulated", max_model_len=500)
    assert refused and all("the policy's context of 500 tokens (as its servers say)" in line for line in refused)


def test_a_server_that_serves_another_model_is_named_with_what_it_serves(tmp_path):
    (sentence,) = served(tmp_path, "other")
    assert "policy.urls: http://127.0.0.1" in sentence
    assert "does not serve the model 'other', only simulated" in sentence


def test_a_server_that_does_not_answer_is_named(check):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        done = check(attached(f"http://127.0.0.1:{taken.getsockname()[1]}"))
    assert done.exit_code == 2
    assert "the connection failed" in done.output and "start it, or correct the address" in done.output


def test_a_key_whose_variable_is_not_set_is_named(check):
    done = check(SIMULATED.replace("[policy]", '[policy]\napi_key_env = "NO_SUCH_KEY"'))
    assert done.exit_code == 2
    assert "policy.api_key_env: names the variable NO_SUCH_KEY, which is not set" in done.output
