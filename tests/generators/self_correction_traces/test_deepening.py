"""Iterative-deepening sampling over a scripted policy: where triggers are put, what a boundary knows, what is paid."""

import asyncio
import tempfile
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Limits, Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.problems import prompt as solve
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.section import merged
from generators.self_correction_traces import triggers
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.deepening import deepen
from generators.self_correction_traces.settings import Settings
from tests.fakes import EOS, CharTokenizer, ScriptedEngine

SAMPLING = Sampling(temperature=1.0, seed=1)
PROBLEM = Problem(problem_id="p", source="s", prompt="2 + 2?", answer="4")
SETTINGS = Settings(
    samples=1,
    max_tokens=400,
    first_budget=20,
    max_budget=160,
    at_max="cut",
    triggers_finished=False,
    max_triggers=3,
    triggers=("Wait!",),
)
CONFIG = SelfCorrectionConfig(settings=SETTINGS, sampling=SAMPLING, attempt_tokens=400, seed=0)
WRONG, RIGHT = "It is \\boxed{5}.", "\\boxed{4}."


def changed(config, **changes):
    """The config with some settings changed."""
    return replace(config, settings=merged(config.settings, changes))


def deepened(folder, script, config=CONFIG, *, context=None, problem=PROBLEM):
    """The responses, and the engine that wrote them."""
    engine = ScriptedEngine(script)

    async def work():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="p", engine=engine, tokenizer=CharTokenizer(), ledger=ledger, context=context)
            return await deepen(problem, sampler=sampler, checker=checker, rule=AnswerRule(), config=config)

    return asyncio.run(work()), engine


def after_triggers(*parts):
    """A policy whose words depend on how many triggers it has seen; a part repeats where the script ends."""

    def script(prefix, seed):
        seen = prefix.split("Wait!\n")[1:]
        part = parts[min(len(seen), len(parts) - 1)]
        written = seen[-1] if seen else prefix.split("2 + 2?\n")[-1]
        return part[len(written) :]

    return script


def shown(response):
    """Its segments, with the end of the text as a full stop of its own."""
    return [(part.kind, part.text + "§" * part.token_ids.count(EOS)) for part in response.segments]


def verdicts(response):
    return [(boundary.verdict.value, boundary.extracted) for boundary in response.boundaries]


LONG = "Two and two make, let me see, more than three, so 4: \\boxed{4}."

# settings, what the policy writes before and after triggers, the segments, the verdicts at the boundaries
STORIES = [
    ({}, [WRONG], [("written", f"{WRONG}§")], [("different", "5")]),
    (
        {},
        [LONG, RIGHT],
        [("written", LONG[:20]), ("trigger", "\nWait!\n"), ("written", f"{RIGHT}§")],
        [("no_answer", None), ("equal", "4")],
    ),
    (
        {"triggers_finished": True, "max_triggers": 1},
        [WRONG, RIGHT],
        [("written", WRONG), ("trigger", "\nWait!\n"), ("written", f"{RIGHT}§")],
        [("different", "5"), ("equal", "4")],
    ),
    (
        {"triggers_finished": True},
        [WRONG, RIGHT, "Hm\n"],
        [
            *(("written", WRONG), ("trigger", "\nWait!\n"), ("written", RIGHT), ("trigger", "\nWait!\n")),
            *(("written", "Hm\n"), ("trigger", "Wait!\n"), ("written", "Hm\n§")),
        ],
        [("different", "5"), ("equal", "4"), ("equal", "4"), ("equal", "4")],
    ),
    ({"max_triggers": 0}, [LONG], [("written", f"{LONG}§")], [("equal", "4")]),
    (
        {"max_triggers": 1},
        ["a" * 50, "b" * 70],
        [("written", "a" * 20), ("trigger", "\nWait!\n"), ("written", "b" * 70 + "§")],
        [("no_answer", None), ("no_answer", None)],
    ),
    (
        {"max_budget": 40},
        ["a" * 99],
        [("written", "a" * 20), ("trigger", "\nWait!\n"), ("written", "a" * 13)],
        [("no_answer", None)] * 2,
    ),
    (
        {"max_budget": 40, "counts": "segment"},
        ["a" * 99],
        [("written", "a" * 20), ("trigger", "\nWait!\n"), ("written", "a" * 40)],
        [("no_answer", None)] * 2,
    ),
    (
        {"max_budget": 40, "at_max": "finish"},
        ["a" * 99],
        [("written", "a" * 20), ("trigger", "\nWait!\n"), ("written", "a" * 99 + "§")],
        [("no_answer", None)] * 2,
    ),
    (
        {"max_budget": 40, "at_max": "trigger"},
        ["a" * 99],
        [
            *(("written", "a" * 20), ("trigger", "\nWait!\n"), ("written", "a" * 13), ("trigger", "\nWait!\n")),
            ("written", "a" * 99 + "§"),
        ],
        [("no_answer", None)] * 3,
    ),
    (  # a trigger as long as the next budget allows: that budget is passed over
        {"growth": 1.3, "max_budget": 60},
        ["a" * 99],
        [
            *(("written", "a" * 20), ("trigger", "\nWait!\n"), ("written", "a" * 6), ("trigger", "\nWait!\n")),
            *(("written", "a" * 2), ("trigger", "\nWait!\n"), ("written", "a" * 11)),
        ],
        [("no_answer", None)] * 4,
    ),
    ({"max_tokens": 22, "max_budget": 22}, ["a" * 99], [("written", "a" * 20)], [("no_answer", None)]),
]


@pytest.mark.parametrize(("change", "parts", "segments", "decided"), STORIES)
def test_a_response_is_what_the_policy_wrote_and_the_triggers_between(tmp_path, change, parts, segments, decided):
    ((response,), _) = deepened(tmp_path, after_triggers(*parts), changed(CONFIG, **change))
    assert shown(response) == segments
    assert verdicts(response) == decided
    assert response.n_triggers == len(segments) // 2
    assert response.finish_reason == ("eos" if segments[-1][1].endswith("§") else "length")
    assert response.text == "".join(text for _, text in segments).removesuffix("§")
    assert CharTokenizer().decode(response.token_ids) == response.text


def test_a_boundary_says_where_it_is_what_was_allowed_and_what_was_generated(tmp_path):
    config = changed(CONFIG, triggers_finished=True, max_triggers=1)
    ((response,), _) = deepened(tmp_path, after_triggers(WRONG, RIGHT), config)
    first, last = response.boundaries
    assert (first.end, first.generated, first.budget, first.end_of_text) == (len(WRONG), len(WRONG) + 1, 20, EOS)
    assert (last.end, last.generated) == (len(response.token_ids), len(WRONG) + len(RIGHT) + 2)
    assert (last.budget, last.end_of_text) == (160, EOS)
    assert response.verdict is Verdict.EQUAL


def test_what_follows_a_trigger_goes_on_from_the_exact_ids(tmp_path):
    ((response,), engine) = deepened(tmp_path, after_triggers(LONG, RIGHT))
    before = response.segments[0].token_ids + response.segments[1].token_ids
    assert engine.requests[1].prefix == response.prompt_token_ids + before


def test_a_full_context_ends_a_response_without_a_trigger(tmp_path):
    prompt = 1 + len("2 + 2?") + len(_instruction())

    class Narrow(ScriptedEngine):
        async def generate(self, request):
            room = prompt + 30 - len(request.prefix)
            return await super().generate(replace(request, limits=Limits(max_tokens=min(room, 400))))

    async def work():
        engine = Narrow(after_triggers("a" * 99))
        with Ledger(UPath(tmp_path)) as ledger, AnswerChecker() as checker:
            tools = {"engine": engine, "tokenizer": CharTokenizer(), "ledger": ledger, "context": prompt + 30}
            sampler = Sampler(policy="p", **tools)
            return await deepen(PROBLEM, sampler=sampler, checker=checker, rule=AnswerRule(), config=CONFIG)

    (response,) = asyncio.run(work())
    assert shown(response) == [("written", "a" * 20), ("trigger", "\nWait!\n"), ("written", "aaa")]
    assert response.finish_reason == "length"


def _instruction():
    return "".join(message["content"] for message in solve.messages(""))


def test_triggers_are_drawn_by_seed_problem_and_sample():
    drawn = {}
    for seed in (0, 1):
        config = replace(changed(CONFIG, samples=12, triggers=triggers.RETHINK, max_budget=100), seed=seed)
        drawn[seed] = [_triggers(config), _triggers(config)]
        assert drawn[seed][0] == drawn[seed][1]
        assert len(set(drawn[seed][0])) > 1
    assert drawn[0][0] != drawn[1][0]


def _triggers(config):
    with tempfile.TemporaryDirectory() as folder:
        responses, _ = deepened(folder, lambda prefix, seed: "a" * 200, config)
    return [response.segments[1].text for response in responses]


def simulated(folder, policy, config, *, attempts_first=False, order=None):
    async def work():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
            drawn = AttemptsConfig(n=config.settings.samples, sampling=SAMPLING, max_tokens=config.attempt_tokens)
            if attempts_first:
                await attempt(policy.problem(0), config=drawn, **tools)
            counts = replace(sampler.counts)
            return await deepen(policy.problem(0), config=config, **tools), counts, sampler.counts

    return asyncio.run(work())


DEEP = SelfCorrectionConfig(
    settings=Settings(samples=8, first_budget=64, max_budget=256, at_max="cut"),
    sampling=SAMPLING,
    attempt_tokens=600,
    seed=0,
)


def test_samples_begin_with_the_attempts_which_are_not_paid_again(tmp_path):
    policy = SimulatedPolicy()
    responses, before, after = simulated(tmp_path, policy, DEEP, attempts_first=True)
    written = sum(part.kind == "written" for response in responses for part in response.segments)
    assert after.drawn - before.drawn == written - len(responses)
    assert after.replayed == len(responses)
    assert after.continued == 0


def test_the_same_responses_come_from_a_cold_ledger_and_from_one_that_knows_the_attempts(tmp_path):
    cold, _, _ = simulated(tmp_path / "cold", SimulatedPolicy(), DEEP)
    warm, _, _ = simulated(tmp_path / "warm", SimulatedPolicy(), DEEP, attempts_first=True)
    texts = [[response.segments[0].text for response in responses] for responses in (cold, warm)]
    assert texts[0] == texts[1]


def test_a_second_run_over_the_same_ledger_draws_nothing_and_gives_the_same_responses(tmp_path):
    first, _, _ = simulated(tmp_path, SimulatedPolicy(), DEEP)
    idle = SimulatedPolicy()
    again, _, _ = simulated(tmp_path, idle, DEEP)
    assert again == first
    assert idle.counts.sequences == 0


def test_more_samples_leave_the_first_ones_as_they_were(tmp_path):
    few, _, _ = simulated(tmp_path / "few", SimulatedPolicy(), changed(DEEP, samples=3))
    many, _, _ = simulated(tmp_path / "many", SimulatedPolicy(), DEEP)
    assert many[:3] == few


def test_triggers_mend_as_often_as_the_law_says(tmp_path):
    law = SimulatedLaw(base_rates=(0.5,), mend_rate=0.4, break_rate=0.1)
    policy = SimulatedPolicy(law=law)
    config = changed(DEEP, samples=600, max_triggers=1, first_budget=300, max_budget=600)
    responses, _, _ = simulated(tmp_path, policy, config)
    moves = [(one.boundaries[0].verdict.is_right, one.verdict.is_right) for one in responses]
    wrong = [after for before, after in moves if not before]
    right = [after for before, after in moves if before]
    assert len(wrong) + len(right) == 600
    assert abs(sum(wrong) / len(wrong) - 0.4) < 4 * (0.24 / len(wrong)) ** 0.5
    assert abs(sum(right) / len(right) - 0.9) < 4 * (0.09 / len(right)) ** 0.5


@settings(max_examples=40, deadline=None)
@given(
    first=st.integers(1, 60),
    growth=st.floats(1.01, 4),
    most=st.integers(60, 300),
    counts=st.sampled_from(["response", "segment"]),
    at_max=st.sampled_from(["cut", "finish", "trigger"]),
    finished=st.booleans(),
    length=st.integers(0, 150),
)
def test_no_response_is_longer_than_it_may_be_nor_ends_with_a_trigger(
    first, growth, most, counts, at_max, finished, length, tmp_path_factory
):
    config = changed(
        CONFIG, first_budget=first, growth=growth, max_budget=most, counts=counts, at_max=at_max,
        triggers_finished=finished, max_tokens=300, max_triggers=5,
    )  # fmt: skip
    assert list(config.budgets) == sorted(set(config.budgets))
    ((response,), _) = deepened(tmp_path_factory.mktemp("any"), lambda prefix, seed: "a" * length, config)
    assert len(response.token_ids) <= 300
    assert [part.kind for part in response.segments] == (["written", "trigger"] * 6)[: len(response.segments)]
    assert len(response.segments) == 2 * len(response.boundaries) - 1
    if counts == "response" and at_max == "cut":
        assert len(response.token_ids) <= most
    assert all(boundary.end <= len(response.token_ids) for boundary in response.boundaries)
