"""Deepened responses and corrections as table rows: what a row holds, and what the tables refuse."""

import asyncio
from dataclasses import replace

import polars as pl
import pytest
from upath import UPath

from filters.answers.checker import AnswerChecker, AnswerRule
from filters.schema import SchemaError
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.engine.simulated.law import SimulatedLaw
from generators.engine.simulated.policy import SimulatedPolicy
from generators.engine.simulated.vocabulary import SimulatedTokenizer
from generators.problems import prompt as solve
from generators.process_labels.labels import with_labels
from generators.process_labels.recipe import ProcessLabelsConfig, choose, label
from generators.process_labels.settings import Settings as LabelSettings
from generators.process_labels.table import process_labels_table
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from generators.search.exhaustive import Exhaustive
from generators.self_correction_traces.budgets import success_by_budget
from generators.self_correction_traces.composition import compose
from generators.self_correction_traces.config import SelfCorrectionConfig
from generators.self_correction_traces.corrections import sampled
from generators.self_correction_traces.deepening import deepen
from generators.self_correction_traces.records import Correction
from generators.self_correction_traces.settings import Settings
from generators.self_correction_traces.table import (
    DEEPENED_RESPONSES,
    SELF_CORRECTION_TRACES,
    attempt_outcomes,
    deepened_outcomes,
    deepened_responses_table,
    flawed_by_problem,
    self_correction_traces_table,
)

SAMPLING = Sampling(temperature=1.0, seed=3)
TOKENIZER = SimulatedPolicy().tokenizer
ORIGIN = {"policy": "simulated", "round": "r", "slice": "s"}
CONFIG = SelfCorrectionConfig(
    settings=Settings(first_budget=64, max_budget=256, counts="segment", at_max="cut"),
    sampling=SAMPLING,
    attempt_tokens=600,
    seed=0,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Six simulated problems: attempts, deepened responses, labels and all corrections out of them."""
    policy = SimulatedPolicy(law=SimulatedLaw(base_rates=(0.5,), mend_rate=0.5, recovery_rate=0.0))

    async def work():
        with Ledger(UPath(tmp_path_factory.mktemp("ledger"))) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="simulated", engine=policy, tokenizer=policy.tokenizer, ledger=ledger)
            tools = {"sampler": sampler, "checker": checker, "rule": AnswerRule()}
            attempts, responses, labelled, corrections = [], [], [], []
            for problem in (policy.problem(index) for index in range(6)):
                tried = await attempt(problem, config=AttemptsConfig(n=4, sampling=SAMPLING, max_tokens=600), **tools)
                attempts += tried
                config = ProcessLabelsConfig(settings=LabelSettings(), sampling=SAMPLING, max_tokens=600)
                chosen = choose(tried, tokenizer=policy.tokenizer, config=config).attempts
                solutions = ()
                if chosen:
                    strategy = Exhaustive(rollouts_per_step=8)
                    labels = await label(problem, tried, chosen, config=config, strategy=strategy, **tools)
                    solutions = labels.solutions
                labelled += solutions
                rows = with_labels(process_labels_table(solutions, ORIGIN), hard_threshold=0.0, confidence=0.9)
                for flawed in flawed_by_problem(rows).get(problem.problem_id, []):
                    corrections.append(await compose(problem, flawed, config=CONFIG, **tools))
                deepened = await deepen(problem, config=CONFIG, **tools)
                responses += [(problem, one) for one in deepened]
                corrections += [sampled(problem, one) for one in deepened]
            return attempts, responses, labelled, [one for one in corrections if isinstance(one, Correction)]

    return asyncio.run(work())


def test_a_correction_is_a_row_with_the_chat_to_train_on(made):
    *_, corrections = made
    table = self_correction_traces_table(corrections, ORIGIN, TOKENIZER)
    assert set(table["origin"]) == {"sampled", "composed"}
    for row, one in zip(table.iter_rows(named=True), corrections, strict=True):
        assert row["messages"] == [
            *solve.messages(one.problem.prompt),
            {"role": "assistant", "content": row["text"]},
        ]
        assert row["text"] == one.text
        pairs = zip(row["attempts"], [*row["triggers"], ""], strict=True)
        assert "".join(text for pair in pairs for text in pair) == row["text"]
        assert row["verdicts"][-1] == "equal"


class OtherSpelling(SimulatedTokenizer):
    """Spells a text that ends a sentence with one token more than the policy did."""

    def encode_whole(self, text):
        ids = super().encode_whole(text)
        return (*ids, ids[-1]) if text.endswith(self.ending) else ids


def test_a_row_is_stable_if_its_texts_give_the_ids_back_at_the_cut_and_at_the_end(made):
    *_, corrections = made
    table = self_correction_traces_table(corrections, ORIGIN, TOKENIZER)
    assert table["is_stable"].all()
    row = table.row(0, named=True)
    for ending in (row["text"][: row["masked_ends"][-1]], row["text"]):
        other = OtherSpelling()
        other.ending = ending
        (stable,) = self_correction_traces_table(corrections[:1], ORIGIN, other)["is_stable"]
        assert not stable
    for row in table.iter_rows(named=True):
        assert TOKENIZER.encode_whole(row["templated_prompt"] + row["text"]) == (
            *row["prompt_token_ids"],
            *row["token_ids"][:-1],
        )


def test_the_loss_mask_is_zero_where_the_masked_characters_are(made):
    *_, corrections = made
    for row in self_correction_traces_table(corrections, ORIGIN, TOKENIZER).iter_rows(named=True):
        spans = zip(row["masked_starts"], row["masked_ends"], strict=True)
        masked = "".join(row["text"][start:end] for start, end in spans)
        ids = [token for token, kept in zip(row["token_ids"], row["loss_mask"], strict=True) if not kept]
        assert masked
        assert TOKENIZER.decode(ids) == masked
        stretches = zip(row["masked_token_starts"], row["masked_token_ends"], strict=True)
        assert [token for start, end in stretches for token in row["token_ids"][start:end]] == ids


def test_attempts_stand_where_their_starts_and_ends_say(made):
    _, responses, *_ = made
    for row in deepened_responses_table(responses, ORIGIN).iter_rows(named=True):
        for text, start, end in zip(row["attempts"], row["attempt_starts"], row["attempt_ends"], strict=True):
            assert TOKENIZER.decode(row["token_ids"][start:end]) == text


def test_a_response_without_a_trigger_is_a_row_of_one_attempt(made):
    _, responses, *_ = made
    problem, one = responses[0]
    bare = replace(one, segments=one.segments[:1], boundaries=one.boundaries[:1])
    (row,) = deepened_responses_table([(problem, bare)], ORIGIN).to_dicts()
    assert (row["attempts"], row["attempt_starts"], row["triggers"], row["n_triggers"]) == ([bare.text], [0], [], 0)


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("origin", "found", "origin: known"),
        ("verdicts", ["different", "different"], "verdicts: right_at_the_end_alone"),
        ("verdicts", ["equal", "equal"], "verdicts: right_at_the_end_alone"),
        ("loss_mask", [1], "loss_mask: one_per_token"),
        ("masked_ends", [10**6], "masked_ends: within_text"),
        ("masked_token_ends", [10**6], "masked_token_ends: within_token_ids"),
        ("masked_token_ends", [0], "masked_token_ends: after_their_starts"),
        ("masked_token_starts", [], "masked_token_starts: one_per_stretch"),
        ("text", "another text", "messages: end_with_the_text"),
    ],
)
def test_a_row_that_is_no_correction_is_refused(made, column, value, rule):
    *_, corrections = made
    one = next(one for one in corrections if one.origin == "composed")
    row = self_correction_traces_table([one], ORIGIN, TOKENIZER).to_dicts()[0] | {column: value}
    with pytest.raises(SchemaError, match=rule):
        SELF_CORRECTION_TRACES.frame([row])


def test_a_sampled_correction_had_a_wrong_answer_before(made):
    *_, corrections = made
    row = next(
        row
        for row in self_correction_traces_table(corrections, ORIGIN, TOKENIZER).to_dicts()
        if row["verdicts"] == ["no_answer", "equal"]
    )
    assert row["origin"] == "composed"
    with pytest.raises(SchemaError, match="verdicts: wrong_before_it_where_sampled"):
        SELF_CORRECTION_TRACES.frame([row | {"origin": "sampled"}])


def test_empty_tables_have_their_columns():
    assert self_correction_traces_table([], ORIGIN, TOKENIZER).columns == list(SELF_CORRECTION_TRACES.columns)
    assert deepened_responses_table([], ORIGIN).columns == list(DEEPENED_RESPONSES.columns)


def test_flawed_solutions_come_back_from_the_labels_with_their_exact_tokens(made):
    _, _, labelled, _ = made
    rows = with_labels(process_labels_table(labelled, ORIGIN), hard_threshold=0.0, confidence=0.9)
    flawed = {
        (one.attempt.problem_id, one.attempt.attempt_index): one
        for ones in flawed_by_problem(rows).values()
        for one in ones
    }
    located = rows.filter(pl.col("first_error") >= 0, pl.col("verdict") == "different")
    assert len(flawed) == located.height > 0
    for solution in labelled:
        found = flawed.get((solution.problem.problem_id, solution.attempt.attempt_index))
        if found:
            assert found.attempt == solution.attempt
            assert found.step_ends == solution.step_ends


def test_outcomes_with_and_without_triggers_go_into_one_table_of_success_by_budget(made):
    attempts, responses, *_ = made
    looks = pl.concat([attempt_outcomes(attempts), deepened_outcomes(one for _, one in responses)])
    found = success_by_budget(looks, [64, 600])
    assert found.select("method", "budget").rows() == [
        *(("id_sampling", 64), ("id_sampling", 600)),
        *(("plain", 64), ("plain", 600)),
    ]
    plain = found.row(by_predicate=(pl.col("method") == "plain") & (pl.col("budget") == 600), named=True)
    assert plain["pass_rate"] == sum(one.verdict.is_right for one in attempts) / len(attempts)
