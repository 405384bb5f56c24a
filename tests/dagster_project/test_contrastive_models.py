"""Adapters of a tiny policy through the asset, and scores by them."""

from dataclasses import asdict

import polars as pl
import pytest

from dagster_project.contrasting import score
from dagster_project.dataset_settings import ContrastiveModelsSettings, CriticalTokenPairsSettings
from dagster_project.partitions import Cell
from dagster_project.resources.policy import PolicyResource, PolicySettings
from dagster_project.resources.store import Store
from dagster_project.settings.file import load_settings
from generators.attempts.table import attempts_table
from generators.problems.table import PROBLEMS
from generators.training.errors import AdapterRefused, NoWeights
from tests.dagster_project.conftest import SETTINGS, metadata_of
from tests.tiny_policy import tiny_attempts, tiny_policy

NAME = "contrastive_models"
CELL = Cell(round="r1", slice="sums-0")
TRIED = tiny_attempts(6)
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
    attempts = attempts_table([(problem, one) for problem, tried in TRIED for one in tried], PROVENANCE)
    problems = PROBLEMS.frame([asdict(problem) for problem, _ in TRIED])
    for name, rows in (("problems", problems), ("attempts", attempts)):
        target = folder / f"data/tables/{name}/r1/sums-0.parquet"
        target.parent.mkdir(parents=True)
        rows.write_parquet(target)
    return settings


def policy_of(settings):
    return PolicyResource(settings=settings.policy, log_folder="logs")


def scored(settings, plain, **changes):
    hands = {
        "policy": policy_of(settings),
        "models": settings.contrastive_models,
        "asked": CriticalTokenPairsSettings(),
        "folder": Store(data_root=settings.data_root).adapters,
        "say": lambda line: None,
    }
    sequences = [(*one.prompt_token_ids, *one.token_ids) for one in TRIED[0][1]]
    return sequences, *score(sequences, plain, **(hands | changes))


@pytest.fixture
def settings(tmp_path):
    return settings_over(tmp_path, tiny_policy(tmp_path / "tiny"))


def test_adapters_are_trained_once_shown_with_their_losses_and_score_every_token(settings, make):
    made = metadata_of(make(settings, "slice", "r1", "sums-0", only=[NAME]), NAME)
    assert made["models"] == "adapters"
    assert (made["positive_adapter_is"], made["negative_adapter_is"]) == ("trained", "trained")
    assert made["training_tokens_per_second"] > 0
    assert "svg+xml" in made["losses"]
    folder = f"{settings.data_root}/tables/{NAME}/r1"
    rows = pl.read_parquet(f"{folder}/sums-0.parquet")
    assert dict(rows.group_by("side").len().iter_rows()) == {"positive": 6, "negative": 6}
    again = metadata_of(make(settings, "slice", "r1", "sums-0", only=[NAME]), NAME)
    assert (again["positive_adapter_is"], again["positive_adapter"]) == ("reused", made["positive_adapter"])
    assert "training_tokens_per_second" not in again

    plain = Store(data_root=settings.data_root).read_recipe(NAME, CELL)
    sequences, scores, by = scored(settings, plain)
    assert [len(one.scores) for one in scores] == [len(ids) for ids in sequences]
    assert made["positive_adapter"].endswith(by.positive_model)
    assert by.tokenizer.startswith("tiny@") and len(by.tokenizer_sha256) == 64


def test_adapters_of_other_weights_are_refused_when_pairs_are_scored(settings, make, tmp_path):
    assert make(settings, "slice", "r1", "sums-0", only=[NAME]).success
    plain = Store(data_root=settings.data_root).read_recipe(NAME, CELL)
    other = str(tiny_policy(tmp_path / "other", seed=1))
    with pytest.raises(AdapterRefused, match="was trained on tiny@"):
        scored(settings, plain, policy=PolicyResource(settings=PolicySettings(model=other), log_folder="logs"))


def test_weights_with_another_tokenizer_than_the_policys_are_refused(tmp_path, make):
    settings = settings_over(tmp_path, tiny_policy(tmp_path / "tiny", vocabulary=9))
    result = make(settings, "slice", "r1", "sums-0", only=[NAME])
    (failure,) = result.get_step_failure_events()
    message = failure.step_failure_data.error.message
    assert "has another tokenizer than the policy" in message
    assert "set contrastive_models.weights to the weights that the servers serve" in message


@pytest.mark.parametrize(("on_gpu", "stopped"), [(True, 1), (False, 0)])
def test_the_server_of_a_run_makes_room_on_a_gpu_and_stays_on_a_cpu(on_gpu, stopped):
    policy = PolicyResource(settings=PolicySettings(), log_folder="logs")
    server, said = Server(), []
    policy._server = server
    policy.make_room(said.append, on_gpu=on_gpu)
    assert server.stopped == len(said) == stopped
    policy.make_room(said.append, on_gpu=on_gpu)
    assert server.stopped == stopped


def test_a_policy_that_only_its_servers_know_wants_its_weights_named():
    policy = PolicySettings(model="lab/none", urls=["http://gpu"], revision="r", tokenizer="simulated")
    plain = {"models": "adapters", "positive": "p", "negative": "n"}
    with pytest.raises(NoWeights, match="set weights to the folder or Hub id of what the servers serve"):
        score(
            [(1, 2)],
            plain,
            policy=PolicyResource(settings=policy, log_folder="logs"),
            models=ContrastiveModelsSettings(weights="/nowhere"),
            asked=CriticalTokenPairsSettings(),
            folder=None,
            say=lambda line: None,
        )
