"""Adapters of a tiny policy through the asset."""

from dataclasses import asdict

import pytest

from dagster_project.resources.policy import PolicyResource, PolicySettings
from dagster_project.settings.file import load_settings
from generators.attempts.table import attempts_table
from generators.problems.table import PROBLEMS
from tests.dagster_project.conftest import SETTINGS, metadata_of
from tests.tiny_policy import tiny_attempts, tiny_policy

NAME = "contrastive_models"
SOLVED = tiny_attempts(6)
TRAINING = "[contrastive_models]\nepochs = 2\nbatch_size = 2\nlearning_rate = 0.01\n"
PROVENANCE = {"policy": "tiny", "round": "r1", "slice": "sums-0", "sampling": "{}", "max_tokens": 400}


class Server:
    """Stands for the server of a run."""

    stopped = 0

    def stop(self):
        self.stopped += 1


def settings_over(folder, tiny):
    file = folder / "stepmill.toml"
    file.write_text(SETTINGS.format(policy="").replace('model = "simulated"', f'model = "{tiny}"', 1) + TRAINING)
    settings = load_settings(file)
    attempts = attempts_table([(problem, attempt) for problem, solved in SOLVED for attempt in solved], PROVENANCE)
    problems = PROBLEMS.frame([asdict(problem) for problem, _ in SOLVED])
    for name, rows in (("problems", problems), ("attempts", attempts)):
        target = folder / f"data/tables/{name}/r1/sums-0.parquet"
        target.parent.mkdir(parents=True)
        rows.write_parquet(target)
    return settings


def test_adapters_are_trained_below_the_data_root_and_shown(tmp_path, make):
    settings = settings_over(tmp_path, tiny_policy(tmp_path / "tiny"))
    metadata = metadata_of(make(settings, "slice", "r1", "sums-0", only=[NAME]), NAME)
    assert (metadata["models"], metadata["fold_0_positive_adapter_is"]) == ("adapters", "trained")
    paths = {metadata[f"fold_{fold}_positive_adapter"] for fold in (0, 1)}
    assert len(paths) == 2
    assert all(path.startswith(f"{settings.data_root}/adapters/positive-") for path in paths)
    assert "svg+xml" in metadata["losses"]


def test_weights_with_another_tokenizer_than_the_policys_fail_the_run_with_the_remedy(tmp_path, make):
    settings = settings_over(tmp_path, tiny_policy(tmp_path / "tiny", vocabulary=9))
    result = make(settings, "slice", "r1", "sums-0", only=[NAME])
    (failure,) = result.get_step_failure_events()
    message = failure.step_failure_data.error.message
    assert "has another tokenizer than the policy" in message
    assert "set contrastive_models.weights to the weights that the servers serve" in message


@pytest.mark.parametrize(("on_gpu", "stopped"), [(True, 1), (False, 0)])
def test_the_server_of_a_run_makes_room_on_a_gpu_and_stays_on_a_cpu(on_gpu, stopped):
    policy = PolicyResource(settings=PolicySettings(), log_folder="logs")
    server, lines = Server(), []
    policy._server = server
    policy.make_room(lines.append, on_gpu=on_gpu)
    assert server.stopped == len(lines) == stopped
    policy.make_room(lines.append, on_gpu=on_gpu)
    assert server.stopped == stopped
