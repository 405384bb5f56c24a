"""A slice stops before it draws where its prompts cannot fit."""

from dagster_project.resources.store import Store
from dagster_project.settings.file import load_settings
from generators.sampling.ledger import totals
from tests.dagster_project.conftest import SETTINGS


def settings(folder, *changes):
    text = SETTINGS.format(policy="")
    for old, new in changes:
        text = text.replace(old, new)
    (folder / "stepmill.toml").write_text(text)
    return load_settings(folder / "stepmill.toml")


def test_only_the_dataset_whose_prompts_do_not_fit_stops_and_nothing_is_drawn_for_it(tmp_path, make):
    long = settings(tmp_path, ('examples = "short"\nmax_tokens = 400', 'examples = "short"\nmax_tokens = 8100'))
    store = Store(data_root=long.data_root)
    made = make(long, "slice", "r1", "sums-0", only=["problems", "attempts"])
    assert made.success
    ledger = store.root / "ledger" / "simulated" / "r1" / "sums-0"
    before = totals([ledger])["rollouts"]
    result = make(long, "slice", "r1", "sums-0", only=["long_cot_traces"])
    (failed,) = result.get_step_failure_events()
    message = failed.step_failure_data.error.message
    assert "long_cot_traces.max_tokens: 8100 tokens after 6 of 6 prompts with examples = 'short'" in message
    assert "set long_cot_traces.max_tokens to at most" in message
    assert totals([ledger])["rollouts"] == before


def test_a_limit_beyond_the_context_stops_the_attempts(tmp_path, make):
    long = settings(tmp_path, ("[attempts]\nn = 4\nmax_tokens = 400", "[attempts]\nn = 4\nmax_tokens = 8190"))
    result = make(long, "slice", "r1", "sums-0", only=["problems", "attempts"])
    (failed,) = result.get_step_failure_events()
    assert "attempts.max_tokens: 8190 tokens after" in failed.step_failure_data.error.message
    assert "set attempts.max_tokens to at most" in failed.step_failure_data.error.message
