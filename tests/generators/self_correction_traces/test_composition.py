"""Composed corrections: wrong step, trigger, right continuation from the last good prefix."""

import asyncio
from dataclasses import replace

import pytest
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule, Verdict
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Limits, Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.records import Attempt, Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends
from generators.section import merged
from generators.self_correction_traces import triggers
from generators.self_correction_traces.composition import compose
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import NotCorrected
from generators.self_correction_traces.records import FlawedSolution
from generators.self_correction_traces.settings import Settings
from tests.fakes import EOS, CharTokenizer, ScriptedEngine

SAMPLING = Sampling(temperature=1.0, seed=1)
PROBLEM = Problem(problem_id="p", source="s", prompt="1 + 2 + 3 + 4?", answer="10")
PROMPT = CharTokenizer().encode("Q:")
STEPS = ["1 + 2 = 3\n", "3 + 3 = 7\n", "7 + 4 = 11\n", "\\boxed{11}"]
LATE = ["1 + 2 = 3\n", "3 + 3 = 6\n", "6 + 4 = 10\n", "\\boxed{11}"]  # wrong in the last step alone
CONFIG = SelfCorrectionConfig(
    settings=Settings(extra_steps=0, lot=2, cap=6), sampling=SAMPLING, attempt_tokens=200, seed=0
)
GOOD = "3 + 3 = 6\n6 + 4 = 10\n\\boxed{10}"


def flawed(first_error=1, steps=STEPS, verdict=Verdict.DIFFERENT):
    tokenizer, text = CharTokenizer(), "".join(steps)
    ids = (*tokenizer.encode(text), EOS)
    tried = Attempt(
        problem_id="p",
        attempt_index=5,
        prompt_token_ids=PROMPT,
        token_ids=ids,
        text=text,
        finish_reason="eos",
        verdict=verdict,
        extracted="11",
    )
    return FlawedSolution(attempt=tried, step_ends=step_ends(ids, tokenizer), first_error=first_error)


def composed(folder, script, *, one=None, config=CONFIG, stored=0):
    """What was composed, and the engine; `stored` rollouts of the good prefix were made before."""
    one, engine = one or flawed(), ScriptedEngine(script)

    async def work():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="p", engine=engine, tokenizer=CharTokenizer(), ledger=ledger)
            if stored:
                prefix = PROMPT + one.attempt.token_ids[: one.step_ends[one.first_error - 1]]
                await sampler.draw(prefix, n=stored, sampling=SAMPLING, limits=Limits(max_tokens=190))
                engine.requests.clear()
            return await compose(PROBLEM, one, sampler=sampler, checker=checker, rule=AnswerRule(), config=config)

    return asyncio.run(work()), engine


def after(endings):
    """A policy that answers the good prefix with `endings`, by seed in turn."""
    seeds = []

    def script(prefix, seed):
        if seed not in seeds:
            seeds.append(seed)
        return endings[seeds.index(seed) % len(endings)]

    return script


def test_a_composed_correction_reads_from_the_wrong_step_over_the_trigger_to_the_right_answer(tmp_path):
    found, _ = composed(tmp_path, after([GOOD]))
    wrong, trigger, right = found.segments
    assert wrong.text == "1 + 2 = 3\n3 + 3 = 7\n"
    assert trigger.text.strip() in triggers.REDO_STEP
    assert trigger.text.endswith("\n")
    assert right.text == GOOD
    assert found.text == wrong.text + trigger.text + GOOD
    assert found.token_ids == (*CharTokenizer().encode(found.text), EOS)
    assert (found.origin, found.attempt_index, found.prompt_token_ids) == ("composed", 5, PROMPT)
    assert [found.text[span.start : span.end] for span in found.masked] == ["3 + 3 = 7\n"]


def test_a_continuation_that_states_a_false_equation_is_passed_over(tmp_path):
    false = "3 + 3 = 6\n6 + 4 = 11\n\\boxed{10}"
    found, _ = composed(tmp_path / "both", after([false, GOOD]))
    assert found.segments[-1].text == GOOD
    none, _ = composed(tmp_path / "false", after([false]))
    assert none == NotCorrected("p", "composed", 5, "false_equation")


def test_a_step_is_taken_back_by_a_sentence_of_the_settings(tmp_path):
    settings = merged(CONFIG.settings, {"redo_triggers": ("Back one step.",)})
    made, _ = composed(tmp_path, after([GOOD]), config=replace(CONFIG, settings=settings))
    assert made.text == f"{STEPS[0]}{STEPS[1]}Back one step.\n{GOOD}"


def test_its_boundaries_say_the_answers_before_and_after_the_trigger(tmp_path):
    found, _ = composed(tmp_path, after([GOOD]))
    before, last = found.boundaries
    assert (before.verdict, before.extracted, before.end, before.generated) == (Verdict.NO_ANSWER, None, 20, 20)
    assert (last.verdict, last.extracted) == (Verdict.EQUAL, "10")
    assert (last.end, last.generated) == (len(found.token_ids), 20 + len(GOOD) + 1)


# the first wrong step, how many steps after it are kept at most, the text before the trigger, which triggers
FORMS = [
    (0, 0, STEPS[:1], triggers.REDO_STEP),
    (1, 0, STEPS[:2], triggers.REDO_STEP),
    (3, 3, LATE, triggers.REDO_STEP),
    (1, 1, STEPS[:3], [one.format(step="1 + 2 = 3") for one in triggers.GO_BACK]),
    (1, 9, STEPS[:4], [one.format(step="1 + 2 = 3") for one in triggers.GO_BACK]),
    (0, 2, STEPS[:3], triggers.BEGIN_AGAIN),
]


@pytest.mark.parametrize(("first_error", "kept", "head", "sentences"), FORMS)
def test_the_trigger_fits_how_far_the_mistake_went(tmp_path, first_error, kept, head, sentences):
    config = replace(CONFIG, settings=merged(CONFIG.settings, {"extra_steps": kept}))
    texts = set()
    for seed in range(40):
        one = flawed(first_error, LATE if first_error == 3 else STEPS)
        found, _ = composed(tmp_path, after([GOOD]), one=one, config=replace(config, seed=seed))
        if found.segments[0].text == "".join(head):
            texts.add(found.segments[1].text.strip())
    assert texts
    assert texts <= set(sentences)


def test_an_answer_that_was_given_ends_before_the_trigger_and_without_the_end_of_the_text(tmp_path):
    found, _ = composed(tmp_path, after([GOOD]), one=flawed(3, LATE))
    assert found.text.startswith("".join(LATE) + "\n")
    assert found.token_ids.index(EOS) == len(found.token_ids) - 1
    assert (found.boundaries[0].verdict, found.boundaries[0].extracted) == (Verdict.DIFFERENT, "11")


def test_a_step_that_cannot_be_quoted_is_not_gone_back_to(tmp_path):
    long = flawed(1, [f"{'1 + ' * 30}2 = 32\n", *STEPS[1:]])
    for seed in range(8):
        config = replace(CONFIG, settings=merged(CONFIG.settings, {"extra_steps": 3}), seed=seed)
        found, _ = composed(tmp_path, after([GOOD]), one=long, config=config)
        assert found.segments[1].text.strip() in triggers.REDO_STEP


def test_continuations_that_the_search_made_come_first_and_cost_nothing(tmp_path):
    found, engine = composed(tmp_path, after(["\\boxed{1}", "\\boxed{2}", GOOD, GOOD]), stored=4)
    assert found.segments[2].text == GOOD
    assert engine.requests == []


def test_more_are_drawn_in_small_lots_until_one_is_right(tmp_path):
    _, engine = composed(tmp_path, after(["\\boxed{1}", "\\boxed{2}", "\\boxed{3}", GOOD, GOOD, GOOD]))
    assert len(engine.requests) == 4
    assert {request.limits.max_tokens for request in engine.requests} == {190}


@pytest.mark.parametrize(
    "ending",
    ["\\boxed{1}", f"3 + 3 = 7\n{GOOD}", "a" * 300 + GOOD, "no box", ""],
    ids=["wrong", "the wrong step again", "too long", "no answer", "nothing"],
)
def test_a_continuation_must_end_right_in_time_and_without_the_wrong_step(tmp_path, ending):
    found, engine = composed(tmp_path, after([ending]))
    assert found == NotCorrected("p", "composed", 5, "no_right_continuation")
    assert len(engine.requests) == 6


def test_what_ends_right_is_no_mistake(tmp_path):
    found, engine = composed(tmp_path, after([GOOD]), one=flawed(verdict=Verdict.EQUAL))
    assert found == NotCorrected("p", "composed", 5, "right_at_once")
    assert engine.requests == []


def test_on_the_simulated_policy_the_true_first_error_is_mended_with_the_searchs_rollouts(tmp_path):
    policy = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.5,), recovery_rate=0.0))

    async def work():
        with Ledger(UPath(tmp_path)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
            config = SelfCorrectionConfig(settings=Settings(cap=32), sampling=SAMPLING, attempt_tokens=600, seed=0)
            made = []
            for index in range(10):
                problem = policy.problem(index)
                attempts = await attempt(
                    problem, config=AttemptsConfig(n=4, sampling=SAMPLING, max_tokens=600), **tools
                )
                for one in (one for one in attempts if not one.verdict.is_right):
                    error = policy.first_error(one.prompt_token_ids + one.token_ids)
                    ends = step_ends(one.token_ids, policy.tokenizer)
                    given = FlawedSolution(attempt=one, step_ends=ends, first_error=error)
                    made.append(await compose(problem, given, config=config, **tools))
            return made

    made = asyncio.run(work())
    assert len(made) > 10
    assert all(one.boundaries[-1].verdict is Verdict.EQUAL for one in made)
    assert all(one.boundaries[0].verdict in (Verdict.NO_ANSWER, Verdict.DIFFERENT) for one in made)
