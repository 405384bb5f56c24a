from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators.datasets import STAGES
from generators.engine.simulated.statement import SimulatedProblems
from generators.engine.simulated.vocabulary import SimulatedTokenizer
from generators.models.judge import JudgeSampling
from generators.preflight import Finding, Preflight, Reader
from generators.problems.settings import Source

PROBLEMS = [SimulatedProblems().problem(index) for index in range(20)]
SOURCE = Source.model_validate({"kind": "simulated", "name": "sums", "size": 20})
BY_NAME = {stage.name: stage for stage in STAGES}


def reader(context, name="the policy"):
    return Reader(name=name, tokenizer=SimulatedTokenizer(), context=context, bound="policy.max_model_len")


def known(context=2048, *, judge=None, judging=None, source=SOURCE, **sections):
    def section(stage):
        return sections.get(stage, BY_NAME[stage].settings())

    return Preflight(
        source=source,
        problems=PROBLEMS,
        seed=0,
        most_failed=0.05,
        settings=section,
        policy=reader(context),
        judge=judge,
        judging=judging,
    )


def found(stage, preflight, **fields):
    section = BY_NAME[stage].settings.model_validate(fields)
    return list(BY_NAME[stage].preflight(preflight, section))


def fits(lengths, context, most):
    limit = ("attempts.max_tokens", most)
    preflight = known(context)
    return list(
        preflight.fits(
            lengths, preflight.policy, field="sources.sums", what="prompts", limit=limit, remedy="shorten them"
        )
    )


@settings(deadline=None)
@given(
    lengths=st.lists(st.integers(1, 200), min_size=1, max_size=60),
    context=st.integers(1, 200),
    most=st.integers(1, 200),
)
def test_findings_block_just_where_more_prompts_than_tolerated_do_not_fit(lengths, context, most):
    tolerated = 0.05 * len(lengths)
    without_room = sum(length >= context for length in lengths)
    cut = sum(length < context < length + most for length in lengths)
    findings = fits(lengths, context, most)
    assert any(finding.blocks for finding in findings) == (without_room > tolerated or cut > tolerated)
    assert bool(findings) == (without_room + cut > 0)


@settings(deadline=None)
@given(lengths=st.lists(st.integers(1, 90), min_size=1), most=st.integers(1, 300))
def test_the_token_limit_that_a_refusal_names_fits(lengths, most):
    for finding in fits(lengths, 100, most):
        named = int(finding.remedy.removeprefix("set attempts.max_tokens to at most ").partition(",")[0])
        assert fits(lengths, 100, named) == []


def test_a_context_that_is_not_known_is_not_judged():
    assert fits([10_000], None, 5) == []


def test_a_finding_is_one_sentence_with_field_reason_and_remedy():
    finding = Finding(field="policy.model", why="there is no such model", remedy="name another")
    assert finding.sentence == "policy.model: there is no such model: name another"
    assert Finding(field="", why="it is so").sentence == "it is so"


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES])
def test_every_stage_accepts_its_default_settings_in_a_large_context(stage):
    assert [finding.sentence for finding in found(stage, known(100_000)) if finding.blocks] == []


def test_a_solution_that_does_not_fit_after_the_prompt_is_refused_with_the_number_that_does():
    (finding,) = found("attempts", known(300), max_tokens=280)
    assert finding.blocks and finding.field == "attempts.max_tokens"
    assert (
        "280 tokens after 20 of 20 prompts of source sums go beyond the policy's context of 300 tokens" in finding.why
    )
    assert "set attempts.max_tokens to at most " in finding.remedy


def test_worked_examples_that_do_not_fit_are_refused_with_what_to_change():
    (finding,) = found("long_cot_traces", known(2048))
    assert finding.blocks and finding.field == "long_cot_traces.examples"
    assert "20 of 20 prompts with examples = 'general' (per_prompt = 3) of source sums leave no room" in finding.why
    assert "set examples = 'short' or 'none'" in finding.remedy


def test_a_response_is_bounded_by_its_own_limit_and_wants_room_for_a_trigger():
    too_long, without_trigger = found("self_correction_traces", known(300), max_tokens=290, first_budget=290)
    assert (too_long.field, too_long.blocks) == ("self_correction_traces.max_tokens", True)
    assert (without_trigger.field, without_trigger.blocks) == ("self_correction_traces.first_budget", False)
    assert found("self_correction_traces", known(300), first_budget=256) == []


def test_solutions_that_leave_no_room_beside_their_prompts_are_not_trained_on():
    (finding,) = found("contrastive_models", known(), max_tokens=20)
    assert finding.blocks and "20 of 20 prompts of source sums leave no room for a solution in 20 tokens" in finding.why


@pytest.mark.parametrize(
    ("context", "max_tokens", "blocks"),
    [(5000, 1000, None), (5000, 4900, True), (1000, 1000, True), (1500, 500, False)],
)
def test_a_judge_must_have_room_for_a_question_and_should_have_it_for_the_longest_solution(context, max_tokens, blocks):
    judging = JudgeSampling(temperature=0, max_tokens=max_tokens, votes=1)
    findings = found("process_labels", known(judge=reader(context, "the judge"), judging=judging))
    assert [finding.blocks for finding in findings] == ([] if blocks is None else [blocks])


def test_without_a_judge_nobody_is_asked():
    assert found("process_labels", known()) == []


def test_the_judge_of_problems_and_of_behaviours_must_have_room_too():
    source = Source.model_validate({"kind": "simulated", "name": "sums", "size": 20, "query_mix": "criteria"})
    judging = JudgeSampling(temperature=0, max_tokens=100, votes=1)
    preflight = known(100_000, source=source, judge=reader(200, "the judge"), judging=judging)
    asked = [finding.why for finding in found("long_cot_traces", preflight, judge_behaviours=True)]
    assert [("about problems" in why, "about thoughts" in why) for why in asked] == [(True, False), (False, True)]


@pytest.mark.parametrize(("context", "blocks"), [(40, True), (500, False), (3000, None)])
def test_a_reward_model_must_have_room_for_a_problem_and_should_have_it_for_the_longest_answer(context, blocks):
    open_ended = [replace(problem, answer="") for problem in PROBLEMS]
    preflight = replace(known(100_000), problems=open_ended, reward=reader(context, "the reward model"))
    findings = found("long_cot_traces", preflight)
    assert [(finding.field, finding.blocks) for finding in findings] == (
        [] if blocks is None else [("reward.model", blocks)]
    )
