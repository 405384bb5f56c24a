import pytest
import torch

from dagster_project.policies.looping import exit_code
from dagster_project.policies.position import Due, position
from dagster_project.policies.reporting import data_of, table_of
from dagster_project.resources.store import Store
from dagster_project.running.report import report
from dagster_project.runs import BLOCKED
from dagster_project.settings.file import SettingsError
from generators.engine.errors import EngineMisconfigured
from generators.evaluation.figures import Evaluation
from generators.models.policy import identify
from generators.models.policy_card import read_card
from tests.dagster_project.policies.conftest import ONLY_ATTEMPTS, Crash


def cards(world):
    return {folder.name: read_card(folder) for folder in sorted((world.root / "policies").iterdir())}


def results_of_evaluations(world):
    return {
        file.name: Evaluation.of(file.read_bytes()).problems for file in sorted((world.root / "evaluations").iterdir())
    }


def ledgers(world):
    """The policies that drew each round, by the folders of the ledger."""
    rounds = sorted((world.root / "ledger").glob("*/*"))
    return {(folder.parent.name, folder.name) for folder in rounds if any(folder.iterdir())}


def test_each_round_is_drawn_by_the_policy_that_the_one_before_trained(world):
    made = world()
    settings_file = (made.folder / "stepmill.toml").read_bytes()
    results, where = made.run()
    assert [result.exit_code for result in results] == [0, 0]
    base, first, second = where.policies
    assert base == identify(str(made.folder / "base")).name
    assert ledgers(made) == {
        (base, "loop-1"),
        (first, "loop-2"),
        *((policy, "evaluation") for policy in where.policies),
    }
    assert where.why == "2 of 2 rounds are made"
    assert (made.folder / "stepmill.toml").read_bytes() == settings_file

    known = cards(made)
    assert [(card.parent, card.start, card.round) for card in known.values()] == [
        (base, base, "loop-1"),
        (first, first, "loop-2"),
    ]
    card = read_card(made.root / "policies" / second.partition("@")[0])
    assert [(learnt.dataset, learnt.version) for learnt in card.datasets] == [
        ("attempts", "v0.2.0"),
        ("step_preference_pairs", "v0.2.0"),
    ]
    assert card.steps == 10 and len(card.losses) == 2
    assert card.evaluation["before"] == first
    assert card.evaluation == data_of(where.known)[-1]

    table = table_of(where.known)
    assert table.frame["after round"].to_list() == ["0", "1", "2"]
    assert where.progress.best == 2  # the script is surer by far after each training
    text = report(results[-1])
    assert "Made policy_evaluation in" in text and "Released step_preference_pairs v0.2.0" in text


def test_a_loop_that_has_ended_does_nothing_and_goes_on_for_more_rounds(world):
    made = world(*ONLY_ATTEMPTS, ("rounds = 2", "rounds = 1"))
    made.run()
    drawn = made.drawn.total()
    assert made.run()[0] == []
    made.write(*ONLY_ATTEMPTS)
    results, where = made.run()
    assert [result.round for result in results] == ["loop-2"]
    assert where.number == 2 and made.drawn.total() > drawn


# Where a loop is cut off: what stops it, and at which call.
def in_engine(policy_is, marks, after):
    def crash(policy, prefix):
        if policy_is(policy) and marks in prefix:
            crash.seen += 1
            if crash.seen > after:
                raise Crash

    crash.seen = 0
    return crash


def is_base(policy):
    return policy == "base"


def is_of_first_round(policy):
    return policy.startswith("loop-1")


ENGINE_CRASHES = {
    "attempts": in_engine(is_base, "A sum.", 30),
    "labels": in_engine(is_base, "Now", 40),
    "evaluation of the first policy": in_engine(is_base, "Held out.", 30),
    "evaluation": in_engine(is_of_first_round, "Held out.", 30),
    "the second round": in_engine(is_of_first_round, "A sum.", 30),
}


@pytest.mark.parametrize("stage", ENGINE_CRASHES)
def test_a_loop_that_was_cut_off_while_drawing_goes_on_and_draws_nothing_twice(world, uninterrupted, stage):
    made = world()
    made.crash = ENGINE_CRASHES[stage]
    results, where = made.run()
    assert results[-1].crashes, "the crash never came"
    assert where.due is not Due.NOTHING
    made.crash = lambda policy, prefix: None
    assert [result.exit_code for result in made.run()[0]] == [0] * (2 - len(results) + 1)
    assert {key for key, times in made.drawn.items() if times > 1} == set()
    assert made.drawn == uninterrupted.drawn
    assert cards(made) == cards(uninterrupted)
    assert results_of_evaluations(made) == results_of_evaluations(uninterrupted)


@pytest.mark.parametrize("steps_before", [3, 8, 15])
def test_a_loop_that_was_cut_off_while_training_goes_on_from_its_checkpoint(
    world, uninterrupted, monkeypatch, steps_before
):
    taken = []

    def stops(optimiser, *arguments):
        if len(taken) == steps_before:
            raise Crash
        taken.append(1)
        return step(optimiser, *arguments)

    step = torch.optim.AdamW.step
    made = world()
    monkeypatch.setattr(torch.optim.AdamW, "step", stops)
    results, where = made.run()
    assert [crash.table.asset for crash in results[-1].crashes] == ["next_policy"]
    assert where.due is Due.POLICY
    assert list((made.root / "policies").glob(".*.checkpoint")) != []
    again = []
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda *given: (again.append(1), step(*given))[1])
    made.run()
    assert len(again) == 20 - steps_before + steps_before % 2  # checkpoints are two steps apart
    assert made.drawn == uninterrupted.drawn
    assert cards(made) == cards(uninterrupted)
    assert list((made.root / "policies").glob(".*")) == []


def test_a_loop_that_was_cut_off_between_training_and_its_record_finds_the_policy(world, monkeypatch):
    made = world(*ONLY_ATTEMPTS, ("rounds = 2", "rounds = 1"))
    _, where = made.run()
    (made.root / "rounds" / "loop-1.next_policy.json").unlink()
    (made.root / "policies" / where.policies[-1].partition("@")[0] / "policy_card.json").unlink()
    assert position(made.settings, Store(data_root=made.settings.data_root)).due is Due.POLICY
    monkeypatch.setattr(torch.optim.AdamW, "step", None)
    drawn = made.drawn.copy()
    _, again = made.run()
    assert again.policies == where.policies
    assert made.drawn == drawn
    assert cards(made).popitem()[1].evaluation is not None


def test_changed_settings_of_the_training_train_the_last_policy_again_and_draw_nothing_of_the_round(world):
    made = world(*ONLY_ATTEMPTS, ("rounds = 2", "rounds = 1"))
    _, before = made.run()
    made.write(*ONLY_ATTEMPTS, ("rounds = 2", "rounds = 1"), ("steps = 6", "steps = 7"))
    drawn = {key for key in made.drawn if key[0] == "base"}
    results, after = made.run()
    assert [len(result.tables) for result in results] == [2]
    assert after.policies[0] == before.policies[0] and after.policies[1] != before.policies[1]
    assert {key for key in made.drawn if key[0] == "base"} == drawn
    assert len(cards(made)) == 2


def test_changed_evaluation_evaluates_every_policy_again_and_draws_only_what_is_new(world):
    made = world(*ONLY_ATTEMPTS)
    _, before = made.run()
    drawn = made.drawn.total()
    made.write(*ONLY_ATTEMPTS, ("samples = 8", "samples = 16"))
    results, after = made.run()
    assert [result.round for result in results] == ["loop-2"]
    assert after.policies == before.policies
    assert made.drawn.total() - drawn == 3 * 12 * 8
    made.write(*ONLY_ATTEMPTS, ("samples = 8", "samples = 16"), ("k = 4", "k = 16"))
    assert made.run()[0] == []  # another k is computed from the same solutions


def test_a_training_that_starts_from_the_base_does_so_in_every_round(world):
    made = world(*ONLY_ATTEMPTS, ('start_from = "previous"', 'start_from = "base"'))
    _, where = made.run()
    assert [card.start for card in cards(made).values()] == [where.policies[0]] * 2
    assert [card.parent for card in cards(made).values()] == list(where.policies[:2])


def test_a_loop_whose_first_policy_has_changed_is_refused(world):
    made = world(*ONLY_ATTEMPTS, ("rounds = 2", "rounds = 1"))
    made.run()
    config = made.folder / "base" / "config.json"
    config.write_text(config.read_text() + "\n")
    with pytest.raises(
        SettingsError, match=r"loop loop began with the policy base@\w+, and policy.model is base@\w+ now"
    ):
        made.run()
    made.write(*ONLY_ATTEMPTS, ("rounds = 2", "rounds = 1"), ("[loop]", '[loop]\nname = "other"'))
    _, where = made.run()
    assert where.round == "other-1"


def test_a_round_without_a_row_to_train_on_ends_with_its_reason(world):
    made = world(("max_tokens = 60", "max_tokens = 5"))
    (result,), where = made.run()
    assert exit_code(result, where) == BLOCKED
    assert where.due is not Due.NOTHING
    assert not (made.root / "policies").exists()


def test_a_policy_that_is_gone_is_named_with_a_remedy(world):
    made = world(*ONLY_ATTEMPTS)
    _, where = made.run()
    folder = made.root / "policies" / where.policies[1].partition("@")[0]
    folder.rename(folder.with_name("elsewhere"))
    made.write(*ONLY_ATTEMPTS, ("steps = 6", "steps = 7"))
    with pytest.raises(
        EngineMisconfigured, match=r"the policy .* is gone: restore it, or delete the files of its round"
    ):
        made.run()
