"""The command `stepmill loop` as a person meets it."""

import json

import pytest
from typer.testing import CliRunner

from dagster_project.cli import app
from tests.dagster_project.policies.conftest import ONLY_ATTEMPTS, Crash


@pytest.fixture
def invoke(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))

    def run(made, *arguments):
        return CliRunner().invoke(app, ["loop", "--settings", str(made.folder / "stepmill.toml"), *arguments])

    return run


def test_a_loop_says_what_each_round_made_and_why_it_ended(world, invoke):
    made = world(*ONLY_ATTEMPTS)
    made.crash = _crash_at(100)
    stopped = invoke(made, "--rounds", "1")
    assert stopped.exit_code == 1, stopped.output
    assert "Failed: policy_evaluation [loop-1]: " in stopped.stdout
    assert "Round loop-1 is not finished: mend the cause, and `stepmill loop` goes on." in stopped.stdout

    made.crash = lambda policy, prefix: None
    printed = invoke(made, "--json")
    assert printed.exit_code == 0, printed.output
    *text, last = printed.stdout.strip().splitlines()
    assert text[0].startswith("Round 1 of at most 2, loop-1, is drawn by base@")
    assert any(line.startswith("Round 2 of at most 2, loop-2, is drawn by loop-1-") for line in text)
    assert any(line.split()[:3] == ["after", "round", "pass@1"] for line in text)
    assert text[-1].startswith("The loop has ended: 2 of 2 rounds are made. The best policy is loop-2-")
    answer = json.loads(last)
    assert answer["rounds"] == ["loop-1", "loop-2"] and answer["best"] == answer["policies"][-1]["policy"]
    assert [sorted(policy["figures"]) for policy in answer["policies"]] == [
        ["majority_at_8", "pass_at_1", "pass_at_k", "tokens"]
    ] * 3
    assert made.drawn.most_common(1)[0][1] == 1


def _crash_at(call):
    def crash(policy, prefix):
        crash.seen += 1
        if crash.seen > call:
            raise Crash

    crash.seen = 0
    return crash


def test_settings_without_a_loop_are_refused_in_one_sentence(world, invoke):
    made = world()
    file = made.folder / "stepmill.toml"
    before, _, rest = file.read_text().partition("[loop]")
    file.write_text(before + rest[rest.index("\n[checks]") :])
    refused = invoke(made)
    assert refused.exit_code == 2
    assert "has no section [loop]: add it with at least one [[loop.training]]" in refused.stderr
    assert not made.root.exists()
