import pytest

from dagster_project.settings.file import SettingsError, load_settings, loop_of
from tests.dagster_project.conftest import SETTINGS as SIMULATED
from tests.dagster_project.policies.conftest import SETTINGS


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("samples = 8\nk = 4", "samples = 8\nk = 9", r"loop.evaluation: k must be at most samples \(8\), got 9"),
        ("samples = 8\n", "samples = 7\n", "loop.evaluation.samples: Input should be greater than or equal to 8"),
        ("samples = 8\n", 'sets = ["help_out"]\n', "got help_out; there are held_out; did you mean held_out"),
        ("samples = 8\n", 'prompted_as = "sum"\n', "got sum; there are sums; did you mean sums"),
        ('model = "./base"', 'model = "m"\nurls = ["http://gpu:8000"]', "policy.urls must be empty with a section"),
        ('model = "./base"', 'model = "simulated"', "policy.model must have weights to train with a section"),
        ('dataset = "attempts"', 'dataset = "long_cot"', "loop.training.0.dataset: Input should be 'attempts'"),
        ("learning_rate = 1e-3", "", "loop.training.0.learning_rate: Field required"),
        (
            "steps = 6",
            "steps = 6\nstep = 6",
            "training.0.step: Extra inputs are not permitted; did you mean steps",
        ),
        ("[loop]\n", '[loop]\nname = "../up"\n', "loop.name: String should match pattern"),
    ],
)
def test_a_loop_that_cannot_run_is_refused_with_its_field(tmp_path, old, new, message):
    assert old in SETTINGS
    (tmp_path / "stepmill.toml").write_text(SETTINGS.replace(old, new, 1))
    with pytest.raises(SettingsError, match=message):
        load_settings(tmp_path / "stepmill.toml")


def test_a_loop_needs_evaluation_problems(tmp_path):
    before, _, rest = SETTINGS.partition("[[evaluation_sets]]")
    (tmp_path / "stepmill.toml").write_text(before + rest[rest.index("[attempts]") :])
    with pytest.raises(SettingsError, match=r"\[loop\] needs problems to evaluate policies on, got none"):
        load_settings(tmp_path / "stepmill.toml")


def test_settings_without_a_loop_say_what_to_add(tmp_path):
    (tmp_path / "stepmill.toml").write_text(SIMULATED.format(policy=""))
    with pytest.raises(SettingsError, match=r"has no section \[loop\]: add it with at least one \[\[loop.training\]\]"):
        loop_of(load_settings(tmp_path / "stepmill.toml"))
