import asyncio

import pytest
from upath import UPath

from filters.answers.checker import AnswerChecker, Verdict
from filters.answers.verdicts import DEFAULT_RULE
from filters.texts.contamination import VERBATIM
from filters.texts.passages import passages_of
from filters.texts.thoughts import DEFAULT_TAGS
from generators.attempts.recipe import AttemptsConfig, attempt
from generators.engine.protocol import Sampling
from generators.long_cot_traces import recipe as bolt
from generators.long_cot_traces import table as long_cot_tables
from generators.long_cot_traces.behaviours import behaviours
from generators.long_cot_traces.pairs import pair
from generators.long_cot_traces.prompt import LongCotPrompt, messages, prompt_ids
from generators.long_cot_traces.recipe import BoltConfig
from generators.long_cot_traces.schema import LONG_COT_PAIRS, LONG_COT_SAMPLES, LONG_COT_TRACES
from generators.long_cot_traces.selection import select_long_cot
from generators.long_cot_traces.settings import Settings
from generators.long_cot_traces.worked_examples import load_examples, texts_of
from generators.records import Problem
from generators.sampling.ledger import Ledger
from generators.sampling.sampler import Sampler
from tests.fakes import CharTokenizer, ScriptedEngine

LAW = Sampling(temperature=0.7)
SUM = Problem(problem_id="p", source="s", prompt="What is 6 + 8 - 4?", answer="10")
OPEN = Problem(problem_id="q", source="s", prompt="Write a greeting.", answer="")
SETTINGS = Settings(max_tokens=400, n=4, examples="short")
PROMPT = LongCotPrompt(examples=load_examples("short"), seed=0, settings=SETTINGS)
WELL_FORMED = "6 + 8 = 13. Wait, it is 14. 14 - 4 = \\boxed{3}?\n</think>\n\n6 + 8 = 14 and 14 - 4 = 10.\n\\boxed{10}"
PROVENANCE = {"sampling": "{}", "max_tokens": 400, "policy": "policy", "round": "1", "slice": "s-0"}


class Lengths:
    """A reward model that likes long solutions."""

    name = "lengths"

    def __init__(self):
        self.asked = []

    async def score(self, prompt, solutions):
        self.asked.append((prompt, tuple(solutions)))
        return tuple(float(len(solution)) for solution in solutions)


def sampled(folder, problem, script, *, prompt=PROMPT, reward=None, ids=None, **settings):
    """The samples of `problem` by an engine that says `script(prompt text, seed)`, and that engine."""
    config = BoltConfig(sampling=LAW, settings=SETTINGS.model_copy(update=settings))
    engine = ScriptedEngine(script)

    async def work():
        with Ledger(UPath(folder)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="policy", engine=engine, tokenizer=CharTokenizer(), ledger=ledger)
            asked = ids or prompt_ids(problem.prompt, tokenizer=sampler.tokenizer, prompt=prompt)
            return await bolt.draw_samples(
                problem, asked, sampler=sampler, checker=checker, rule=DEFAULT_RULE, config=config, reward=reward
            )

    return asyncio.run(work()), engine


def in_turn(*texts):
    """A script that says one of the texts after the other, whichever seed asks for them."""
    said = {}
    return lambda text, seed: texts[said.setdefault(seed, len(said)) % len(texts)]


def test_a_sample_is_taken_apart_and_only_its_solution_is_verified(tmp_path):
    (one, *_), _ = sampled(tmp_path, SUM, lambda text, seed: WELL_FORMED)
    assert one.internal_thoughts == "6 + 8 = 13. Wait, it is 14. 14 - 4 = \\boxed{3}?"
    assert one.external_solution == "6 + 8 = 14 and 14 - 4 = 10.\n\\boxed{10}"
    assert (one.malformed, one.scored_by, one.score, one.verdict) == (None, "verifier", 1.0, Verdict.EQUAL)
    assert one.extracted == "10"
    assert one.text == f"<think>\n{WELL_FORMED}"
    assert (one.thoughts_closed_by, one.closing_token_start, one.closing_token_end) == ("policy", None, None)
    assert CharTokenizer().decode(one.token_ids) == WELL_FORMED


ANSWERS = [
    ("6 + 8 = 14</think>\\boxed{11}", None, 0.0, Verdict.DIFFERENT),
    ("\\boxed{10}</think>I do not know.", None, 0.0, Verdict.NO_ANSWER),
    ("hm</think>\\boxed{\\sum_{k=1}^4 k}", None, None, Verdict.UNPARSED),
    ("6 + 8 - 4 = \\boxed{10}", "no_closing_tag", None, None),
    ("<think>a</think>\\boxed{10}", "repeated_tags", None, None),
    ("</think>\\boxed{10}", "empty_thoughts", None, None),
    ("a</think>", "empty_solution", None, None),
    ("a" * 500, "truncated", None, None),
]


@pytest.mark.parametrize(("says", "malformed", "score", "verdict"), ANSWERS)
def test_a_malformed_or_undecided_sample_has_no_score(tmp_path, says, malformed, score, verdict):
    (one, *_), _ = sampled(tmp_path, SUM, lambda text, seed: says, n=1)
    assert (one.malformed, one.score, one.verdict) == (malformed, score, verdict)


def closing(text, seed):
    """Ends inside of its thoughts; behind a closing tag it gives the solution."""
    begun, solution = text.rpartition("</think>\n\n")[2], "\\boxed{10}"
    return solution[len(begun) :] if solution.startswith(begun) else "6 + 8 = 14, and 14 - 4 = 10."


@pytest.mark.parametrize(
    ("close_thoughts", "malformed", "closed_by", "score"),
    [(False, "no_closing_tag", None, None), (True, None, "recipe", 1)],
)
def test_thoughts_are_closed_for_a_policy_where_that_is_asked_for(
    tmp_path, close_thoughts, malformed, closed_by, score
):
    samples, _ = sampled(tmp_path, SUM, closing, close_thoughts=close_thoughts)
    assert {(one.malformed, one.thoughts_closed_by, one.score) for one in samples} == {(malformed, closed_by, score)}
    frame = LONG_COT_SAMPLES.frame(list(long_cot_tables.sample_rows(SUM, samples, PROVENANCE)))
    assert frame.height == 4
    drawn = 4 * len("6 + 8 = 14, and 14 - 4 = 10.0") + (4 * len("\\boxed{10}0") if close_thoughts else 0)
    assert long_cot_tables.generated_tokens(frame) == drawn
    for one in samples if close_thoughts else ():
        put_in = one.token_ids[one.closing_token_start : one.closing_token_end]
        assert CharTokenizer().decode(put_in) == "\n</think>\n\n"
        assert one.text == f"<think>\n{CharTokenizer().decode(one.token_ids)}"
        assert one.external_solution == "\\boxed{10}"


def test_without_a_prefilled_tag_the_policy_must_open_its_thoughts_itself(tmp_path):
    bare = LongCotPrompt(examples=PROMPT.examples, seed=0, settings=SETTINGS.model_copy(update={"prefill": False}))
    script = in_turn(WELL_FORMED, f"<think>{WELL_FORMED}")
    samples, _ = sampled(tmp_path, SUM, script, prompt=bare, n=2)
    assert sorted(str(one.malformed) for one in samples) == ["None", "no_opening_tag"]


def test_a_problem_without_an_answer_is_scored_by_the_reward_model_on_its_solutions_alone(tmp_path):
    reward = Lengths()
    script = in_turn("long thoughts</think>Hi.", "no tag", "a</think>Hello there.", "b</think>Ahoy!")
    samples, _ = sampled(tmp_path, OPEN, script, reward=reward)
    assert [one.sample_index for one in samples] == [0, 1, 2, 3]
    assert sorted(str(one.score) for one in samples) == ["12.0", "3.0", "5.0", "None"]
    assert all(one.score is None or one.score == len(one.external_solution) for one in samples)
    assert {one.scored_by for one in samples} == {"lengths"}
    assert [(prompt, sorted(solutions)) for prompt, solutions in reward.asked] == [
        ("Write a greeting.", ["Ahoy!", "Hello there.", "Hi."])
    ]


def test_a_problem_with_an_answer_never_asks_the_reward_model(tmp_path):
    reward = Lengths()
    sampled(tmp_path, SUM, lambda text, seed: WELL_FORMED, reward=reward)
    assert reward.asked == []


def test_a_problem_without_an_answer_and_without_a_reward_model_is_refused_before_a_token_is_spent(tmp_path):
    with pytest.raises(ValueError, match="reward must be a reward model: problem q has no answer, got None"):
        sampled(tmp_path, OPEN, lambda text, seed: pytest.fail("asked"))


def test_a_second_run_asks_the_engine_for_nothing_and_more_samples_extend_the_first(tmp_path):
    first, _ = sampled(tmp_path, SUM, lambda text, seed: f"{seed}</think>\\boxed{{{seed % 7}}}")
    again, idle = sampled(tmp_path, SUM, lambda text, seed: "other")
    assert (again, idle.requests) == (first, [])
    more, asked = sampled(tmp_path, SUM, lambda text, seed: WELL_FORMED, n=6)
    assert (more[:4], len(asked.requests)) == (first, 2)


def test_samples_after_the_attempts_prompt_are_the_attempts_themselves(tmp_path):
    engine = ScriptedEngine(lambda text, seed: f"<think>{WELL_FORMED}")

    async def attempts():
        with Ledger(UPath(tmp_path)) as ledger, AnswerChecker() as checker:
            sampler = Sampler(policy="policy", engine=engine, tokenizer=CharTokenizer(), ledger=ledger)
            config = AttemptsConfig(n=4, sampling=LAW, max_tokens=400)
            return await attempt(SUM, sampler=sampler, checker=checker, rule=DEFAULT_RULE, config=config)

    made = asyncio.run(attempts())
    samples, idle = sampled(tmp_path, SUM, lambda text, seed: "other", ids=made[0].prompt_token_ids)
    assert idle.requests == []
    assert [one.token_ids for one in samples] == [one.token_ids for one in made]
    assert {one.malformed for one in samples} == {None}


def test_samples_go_through_filters_and_tables_to_a_trace_ready_for_training(tmp_path):
    script = in_turn("no tag", WELL_FORMED, "a</think>\\boxed{3}", WELL_FORMED.replace("Wait", "Hmm"))
    samples, _ = sampled(tmp_path, SUM, script)
    frame = LONG_COT_SAMPLES.frame(list(long_cot_tables.sample_rows(SUM, samples, PROVENANCE)))
    assert frame.height == 4
    assert tuple(long_cot_tables.long_cot_samples_of(frame)) == samples

    passages = passages_of(texts_of(load_examples("short")))
    selection = select_long_cot(frame, passages=passages, near=VERBATIM, least={})
    assert selection.dropped.height == 3
    (best,) = long_cot_tables.long_cot_samples_of(selection.kept)
    trace = bolt.trace(SUM, best, topic="arithmetic", difficulty="easy", tags=DEFAULT_TAGS)
    (row,) = LONG_COT_TRACES.frame([long_cot_tables.trace_row(trace, PROVENANCE)]).to_dicts()
    assert row["messages"] == [
        {"role": "user", "content": SUM.prompt},
        {"role": "assistant", "content": f"<think>\n{best.internal_thoughts}\n</think>\n\n{best.external_solution}"},
    ]
    found = behaviours(best.internal_thoughts)
    assert row["behaviours"] == [one.kind for one in found] == ["backtracking"]
    assert best.internal_thoughts[row["behaviour_starts"][0] : row["behaviour_ends"][0]] in ("Wait", "Hmm")
    assert (row["n_backtracking"], row["n_verification"], row["topic"], row["difficulty"]) == (
        1,
        0,
        "arithmetic",
        "easy",
    )
    assert LONG_COT_TRACES.columns.keys() == row.keys()


def test_the_same_samples_make_a_pair(tmp_path):
    samples, _ = sampled(tmp_path, SUM, in_turn("a</think>\\boxed{3}", WELL_FORMED))
    chat = messages(SUM.prompt, LongCotPrompt(examples=(), seed=0, settings=Settings(instruct=False)))
    made = pair(SUM, chat, samples, format_reward=1.0)
    (row,) = LONG_COT_PAIRS.frame([long_cot_tables.pair_row(made, PROVENANCE)]).to_dicts()
    assert row["prompt"] == [{"role": "user", "content": SUM.prompt}]
    assert row["chosen"] == [{"role": "assistant", "content": f"<think>\n{WELL_FORMED}"}]
    assert (row["reward_margin"], row["chosen_score"], row["rejected_score"]) == (1.0, 1.0, 0.0)


def test_a_malformed_sample_makes_no_trace(tmp_path):
    (one, *_), _ = sampled(tmp_path, SUM, lambda text, seed: "no tag")
    with pytest.raises(ValueError, match="best must be well-formed, got a sample of p with no_closing_tag"):
        bolt.trace(SUM, one, topic=None, difficulty=None, tags=DEFAULT_TAGS)
