"""Traces and pairs that are true in everything that can be checked: ids, texts, verdicts, scores, behaviours."""

from filters.texts.thoughts import DEFAULT_TAGS
from generators.long_cot_traces.behaviours import KINDS, behaviours, count_behaviours
from generators.long_cot_traces.dataset import DATASET
from generators.long_cot_traces.release import LongCotParameters, SliceParameters
from generators.long_cot_traces.schema import LONG_COT_PAIRS, LONG_COT_TRACES
from generators.problems.loading import problem_id
from releases.drafting import drafted
from releases.splits import SplitShares

PARAMETERS = LongCotParameters(
    by_slice={"sums-0": SliceParameters(tags=DEFAULT_TAGS, format_reward=1.0, near_examples="near")}
)
_ORIGIN = {"sampling": "{}", "max_tokens": 400, "policy": "tiny", "round": "first", "slice": "sums-0"}


def _thoughts(number: int) -> str:
    return f"My plan is to add.\nI get {number + 3}. Wait, that is wrong. It is {number + 2}."


def draft_of(facts, traces, pairs=None, parameters=PARAMETERS, test=0.3):
    """The draft of traces and pairs, with a share of the problems held out."""
    pairs = LONG_COT_PAIRS.empty() if pairs is None else pairs
    rows = {"long_cot_traces": traces, "long_cot_pairs": pairs}
    return drafted(DATASET, rows, facts(), parameters, SplitShares(test=test))


def trace(number: int, **changes: object) -> dict[str, object]:
    """The trace of `number` + 2; texts that are changed change what follows from them."""
    prompt, answer = f"What is {number} + 2?", str(number + 2)
    thoughts = changes.pop("internal_thoughts", _thoughts(number))
    solution = changes.pop("external_solution", f"It is \\boxed{{{answer}}}.")
    shown = behaviours(thoughts)
    return {
        "problem_id": problem_id(prompt, answer),
        "source": "sums",
        "prompt": prompt,
        "answer": answer,
        "also_accepted": [],
        "level": None,
        "messages": [
            {"role": "user", "content": prompt},
            {"role": "assistant", "content": DEFAULT_TAGS.join(thoughts, solution)},
        ],
        "internal_thoughts": thoughts,
        "external_solution": solution,
        "topic": None,
        "difficulty": "easy",
        "scored_by": "verifier",
        "score": 1.0,
        "verdict": "equal",
        "extracted": answer,
        "found_by": "box",
        **{f"n_{kind}": count for kind, count in count_behaviours(shown).items()},
        "behaviours": [behaviour.kind for behaviour in shown],
        "behaviour_starts": [behaviour.start for behaviour in shown],
        "behaviour_ends": [behaviour.end for behaviour in shown],
        **dict.fromkeys((*(f"judge_n_{kind}" for kind in KINDS), "behaviour_judge")),
        "sample_index": 0,
        "prompt_token_ids": [1, 2],
        "token_ids": [3, 4, 5],
        "thoughts_closed_by": "policy",
        "closing_token_start": None,
        "closing_token_end": None,
        **_ORIGIN,
        **changes,
    }


def pair(number: int, *, malformed: bool = False, **changes: object) -> dict[str, object]:
    """The right answer to `number` + 2 against a wrong one, or against one that never closes its thoughts."""
    prompt, answer = f"What is {number} + 2?", str(number + 2)
    right = DEFAULT_TAGS.join(_thoughts(number), f"It is \\boxed{{{answer}}}.")
    wrong = "<think>\nNo end." if malformed else DEFAULT_TAGS.join("Hm.", f"It is \\boxed{{{number}}}.")
    rejected = (0.0, None, None, "no_closing_tag", None) if malformed else (1.0, 0.0, "different", None, "policy")
    return {
        "problem_id": problem_id(prompt, answer),
        "source": "sums",
        "prompt": [{"role": "user", "content": prompt}],
        "answer": answer,
        "also_accepted": [],
        **_side("chosen", right, 0, 2.0, 1.0, "equal", None, "policy"),
        **_side("rejected", wrong, 3, *rejected),
        "reward_margin": 2.0 - rejected[0],
        "scored_by": "verifier",
        **_ORIGIN,
        **changes,
    }


def rewarded(n: int = 16):
    """Traces and pairs of `n` problems without answers, their solutions scored by a reward model."""
    unverified = {"answer": "", "scored_by": "armorm"}
    traces = [
        trace(at) | unverified | {"score": 0.25 * at, "verdict": None, "extracted": None, "found_by": None}
        for at in range(n)
    ]
    pairs = [
        pair(at)
        | unverified
        | {"chosen_score": 0.25 * at, "chosen_reward": 0.25 * at + 1.0, "chosen_verdict": None}
        | {"rejected_score": -1.0, "rejected_reward": 0.0, "rejected_verdict": None, "reward_margin": 0.25 * at + 1.0}
        for at in range(n)
    ]
    for row, its_pair in zip(traces, pairs, strict=True):
        row["problem_id"] = its_pair["problem_id"] = problem_id(str(row["prompt"]), "")
    return LONG_COT_TRACES.frame(traces), LONG_COT_PAIRS.frame(pairs)


def _side(side: str, text: str, index: int, reward: float, *values: object) -> dict[str, object]:
    names = ("score", "verdict", "malformed", "thoughts_closed_by")
    return {
        side: [{"role": "assistant", "content": text}],
        f"{side}_index": index,
        f"{side}_reward": reward,
        **{f"{side}_{name}": value for name, value in zip(names, values, strict=True)},
    }


def tables(n: int = 16):
    """Traces of `n` problems, and pairs of every second one of them."""
    traces = LONG_COT_TRACES.frame([trace(number) for number in range(n)])
    return traces, LONG_COT_PAIRS.frame([pair(number, malformed=number % 4 == 0) for number in range(0, n, 2)])
