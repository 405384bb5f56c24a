"""Checks released preference pairs from the outside: every rule from the rows, and some scores recomputed.

It imports nothing from stepmill: `datasets` reads the releases, `transformers` the tokenizer and the policy, `peft` the
adapters. The temperature of the weights is in the manifest. Answers are compared as numbers, so it works for problems
with numeric answers.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from math import exp
from pathlib import Path
from random import Random
from typing import Any

EIGHT_COLUMNS = (
    *("dataset", "prompt", "initial_reason_steps", "chosen", "rejected", "full_chosen", "full_rejected"),
    "answer",
)
PROVENANCE = ("problem_id", "policy", "round", "slice")
TOLERANCE = 1e-9
WEIGHT_TOLERANCE = 1e-6
SCORE_TOLERANCE = 1e-3
Row = Mapping[str, Any]


def boxed_number(text: str) -> float | None:
    """The number in the last box of a text, or None."""
    numbers = re.findall(r"\\boxed\{\s*(-?\d+(?:\.\d+)?)\s*\}", text)
    return float(numbers[-1]) if numbers else None


def step_pair_faults(row: Row, decoded: Mapping[str, str], *, least_margin: float) -> list[str]:
    """The rules that a step pair breaks; `decoded` has the texts of the prefix, chosen and rejected ids."""
    values = {side: _value(row, side) for side in ("chosen", "rejected")}
    rules = {
        "sides_differ": " ".join(row["chosen"].split()) != " ".join(row["rejected"].split()),
        "no_side_is_empty": bool(row["chosen"].strip() and row["rejected"].strip()),
        "full_sides_begin_with_the_step": all(row[f"full_{s}"].startswith(row[s]) for s in ("chosen", "rejected")),
        "chosen_ends_right": boxed_number(row["full_chosen"]) == float(row["answer"]),
        "rejected_ends_wrong": boxed_number(row["full_rejected"]) != float(row["answer"]),
        "prefix_ids_hold_the_steps_before": decoded["prefix"].endswith(row["initial_reason_steps"]),
        "ids_are_of_the_texts": all(decoded[side] == row[side] for side in ("chosen", "rejected")),
        "values_follow_from_counts": all(_near(values[s], row[f"{s}_value"]) for s in ("chosen", "rejected")),
        "margin_follows_from_values": _near(row["value_margin"], row["chosen_value"] - row["rejected_value"]),
        "margin_of_the_test_is_large_enough": row["test_margin"] >= least_margin - TOLERANCE,
        "interval_of_the_test_excludes_0": 0 < row["test_margin_low"] <= row["test_margin"],
        "interval_holds_the_margin": row["value_margin_low"] <= row["value_margin"] <= row["value_margin_high"],
        "rollouts_are_of_both_sides": row["n_rollouts"]
        == sum(row[f"{which}{side}_n_rollouts"] for which in ("", "test_") for side in ("chosen", "rejected")),
        "solved_at_times": 0 < row["pass_rate"] < 1,
        "provenance": all(row[name] for name in PROVENANCE),
    }
    return [name for name, holds in rules.items() if not holds]


def _value(row: Row, side: str) -> float:
    n = row[f"{side}_n_rollouts"]
    return row[f"{side}_n_correct"] / n if n else float(side == "chosen")


def _near(left: float, right: float) -> bool:
    return abs(left - right) <= TOLERANCE


def repeated_steps(rows: Iterable[Row]) -> int:
    """The number of pairs whose prefix and chosen step another pair has too."""
    keys = [(tuple(row["prefix_token_ids"]), " ".join(row["chosen"].split())) for row in rows]
    return sum(count - 1 for count in Counter(keys).values())


def critical_pair_faults(row: Row, decoded: Mapping[str, str], *, temperature: float) -> list[str]:
    """The rules that a critical-token pair breaks; `decoded` has the text of each side's ids from `response_start`."""
    start, n = row["response_start"], {side: len(row[f"{side}_token_ids"]) for side in ("chosen", "rejected")}
    weights = {side: row[f"{side}_weights"] for side in n}
    expected = [1 / (1 + exp(ratio / temperature)) for ratio in row["rejected_log_ratios"][start:-1]]
    gaps = [abs(weight - own) for weight, own in zip(weights["rejected"][start:-1], expected, strict=False)]
    rules = {
        "ids_are_of_the_texts": all(decoded[side] == row[side] for side in n),
        "one_prompt": row["chosen_token_ids"][:start] == row["rejected_token_ids"][:start],
        "weights_are_as_long_as_ids": all(len(weights[side]) == n[side] for side in n),
        "scores_are_as_long_as_ids": all(len(row[f"{side}_scores"]) == n[side] for side in n),
        "no_weight_on_the_prompt": not any(any(weights[side][:start]) for side in n),
        "chosen_weights_are_1": all(weight == 1 for weight in weights["chosen"][start:]),
        "rejected_weights_follow_from_log_ratios": max(gaps, default=0) <= WEIGHT_TOLERANCE,
        "fold_is_of_the_problem": row["fold"] == sha256(row["problem_id"].encode()).digest()[0] % 2,
        "positions_are_in_the_solution": all(start <= at < n["rejected"] for at in row["critical_positions"]),
        "positions_hold_their_ids": [row["rejected_token_ids"][at] for at in row["critical_positions"]]
        == row["critical_token_ids"],
        "positions_hold_their_scores": [row["rejected_scores"][at] for at in row["critical_positions"]]
        == row["critical_scores"],
        "one_confirmed_at_most": sum(row["critical_confirmed"]) <= 1,
        "chosen_ends_right": boxed_number(row["chosen"]) == float(row["answer"]),
        "rejected_ends_wrong": boxed_number(row["rejected"]) not in (None, float(row["answer"])),
        "provenance": all(row[name] for name in PROVENANCE),
    }
    return [name for name, holds in rules.items() if not holds]


def rows_of(release: Path, config: str) -> list[dict[str, Any]]:
    """All rows of one config, split by split."""
    from datasets import load_dataset

    return [dict(row) for split in load_dataset(str(release), config).values() for row in split]


def decoded(tokenizer: Any, pieces: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """The texts of token ids, without the end-of-text token."""
    end = tokenizer.eos_token_id
    return {
        name: tokenizer.decode([token for token in ids if token != end], clean_up_tokenization_spaces=False)
        for name, ids in pieces.items()
    }


def score_differences(rows: Sequence[Row], model: Path, adapters: Path) -> list[float]:
    """Each row's largest score difference from a recomputation, one forward pass per model and side."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    worst = []
    for row in rows:
        logits: dict[tuple[str, str], Any] = {}
        for which in ("positive", "negative"):
            base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
            adapted = PeftModel.from_pretrained(base, adapters / row[f"{which}_model"]).eval()
            for side in ("chosen", "rejected"):
                with torch.inference_mode():
                    logits[which, side] = adapted(torch.tensor([row[f"{side}_token_ids"]])).logits[0].double()
        differences = []
        for side in ("chosen", "rejected"):
            beta = row["beta"]
            contrast = (1 + beta) * logits["positive", side] - beta * logits["negative", side]
            ids = torch.tensor(row[f"{side}_token_ids"][1:])
            recomputed = contrast.softmax(-1)[:-1].gather(1, ids[:, None])[:, 0]
            differences.append(float((recomputed - torch.tensor(row[f"{side}_scores"][1:])).abs().max()))
        worst.append(max(differences))
        print(f"problem {row['problem_id']}: scores differ by {worst[-1]:.2e} at most", file=sys.stderr, flush=True)
    return worst


def read_step_pairs(release: Path, tokenizer: Any, *, least_margin: float) -> dict[str, Any]:
    """Counts of step pairs and of the rules they break."""
    rows = rows_of(release, "full")
    faults: Counter[str] = Counter()
    for row in rows:
        pieces = {"prefix": row["prefix_token_ids"]} | {s: row[f"{s}_token_ids"] for s in ("chosen", "rejected")}
        faults.update(step_pair_faults(row, decoded(tokenizer, pieces), least_margin=least_margin))
    stable = Counter(
        (tuple(row["prefix_token_ids"]), tuple(row[f"{side}_token_ids"]))
        for row in rows
        for side in ("chosen", "rejected")
        if row["is_stable"]
    )
    for row in rows_of(release, "steps"):
        for side, final in (("chosen", "is_final_step"), ("rejected", "rejected_is_final_step")):
            prompt = tokenizer(row["prompt"])["input_ids"]
            whole = tokenizer(row["prompt"] + row[side])["input_ids"]
            end = [tokenizer.eos_token_id] if row[final] else []
            faults["steps_boundary"] += whole[: len(prompt)] != prompt
            faults["steps_ids_are_stored"] += (tuple(prompt), tuple(whole[len(prompt) :] + end)) not in stable
    faults["repeated_steps"] = repeated_steps(rows)
    faults["columns"] = int(tuple(rows[0])[: len(EIGHT_COLUMNS)] != EIGHT_COLUMNS)
    margins = sorted(row["value_margin"] for row in rows)
    return {
        "pairs": len(rows),
        "problems": len({row["problem_id"] for row in rows}),
        "stable": sum(row["is_stable"] for row in rows),
        "median_margin": margins[len(margins) // 2],
        "broken_rules": {name: count for name, count in sorted(faults.items()) if count},
    }


def read_critical_pairs(release: Path, tokenizer: Any, *, model: Path, adapters: Path, rescored: int) -> dict[str, Any]:
    """Counts of critical-token pairs and of the rules they break, with the scores of some rows recomputed."""
    rows = rows_of(release, "full")
    temperatures = json.loads((release / "manifest.json").read_text())["facts"]["settings"]["export"]["temperatures"]
    faults: Counter[str] = Counter()
    learnt_from: dict[str, set[int]] = {}
    for row in rows:
        pieces = {side: row[f"{side}_token_ids"][row["response_start"] :] for side in ("chosen", "rejected")}
        faults.update(critical_pair_faults(row, decoded(tokenizer, pieces), temperature=temperatures[row["slice"]]))
        for which in ("positive", "negative"):
            learnt_from.setdefault(row[f"{which}_model"], set()).add(1 - row["fold"])
    faults["models_of_two_folds"] = sum(len(folds) > 1 for folds in learnt_from.values())
    drawn = Random(0).sample(rows, min(rescored, len(rows)))
    differences = score_differences(drawn, model, adapters)
    faults["scores_are_recomputed"] = sum(difference > SCORE_TOLERANCE for difference in differences)
    return {
        "pairs": len(rows),
        "with_a_confirmed_token": sum(any(row["critical_confirmed"]) for row in rows),
        "tested_tokens": sum(len(row["critical_positions"]) for row in rows),
        "rescored": len(drawn),
        "largest_score_difference": max(differences),
        "broken_rules": {name: count for name, count in sorted(faults.items()) if count},
    }


def main() -> int:
    """Check both releases; returns 1 if a rule is broken."""
    from transformers import AutoTokenizer

    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--step-pairs", type=Path, required=True, help="a release of step_preference_pairs")
    arguments.add_argument("--critical-pairs", type=Path, required=True, help="a release of critical_token_pairs")
    arguments.add_argument("--model", type=Path, required=True, help="the policy: a folder of save_pretrained")
    arguments.add_argument("--adapters", type=Path, required=True, help="the folder of the contrastive models")
    arguments.add_argument("--least-margin", type=float, default=0.1)
    arguments.add_argument(
        "--rescored", type=int, default=5, help="number of critical-token pairs whose scores are recomputed"
    )
    options = arguments.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(options.model)
    steps = read_step_pairs(options.step_pairs, tokenizer, least_margin=options.least_margin)
    critical = read_critical_pairs(
        options.critical_pairs,
        tokenizer,
        model=options.model,
        adapters=options.adapters,
        rescored=options.rescored,
    )
    print(json.dumps({"step_preference_pairs": steps, "critical_token_pairs": critical}))
    return int(bool(steps["broken_rules"] or critical["broken_rules"]))


if __name__ == "__main__":
    sys.exit(main())
