"""Measures the filters on planted defects: recall, false positives and speed.

Near repeats: copies of GSM8K training problems with one word in thirty, twenty, ten or five changed (numbers untouched)
are added after the originals. A planted row counts as found if it is dropped as a repeat of its own original. Precision
is the share of dropped rows that were planted, apart from repeats in the source itself, which are printed. A heavily
changed copy may be below the threshold, so recall is also given over the planted rows above it.

Evaluation items: MATH-500's problems, and runs of 3 to 12 words from them, are planted among the training problems:
verbatim, inside longer text, with every number changed (items with at least three words per number), or with one word
in fifteen changed. False positives are training problems that match an item without anything planted; they are printed
for reading.

Loops: passages of 20 to 600 characters from MATH-500's solutions are repeated five times in a row inside another
solution. False positives are counted on the untouched solutions of both sets.

Templates: distinct problems in one prompt template must not fall, and copies with and without it must. Growth: see
`benchmarks.filter_growth`.

The last line is JSON.
"""

import argparse
import json
import random
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from benchmarks.filter_growth import embedding_ms, growth
from filters.rules import apply_rules
from filters.texts import quality
from filters.texts.contamination import decontaminate
from filters.texts.diversity import DiversitySettings, keep_different
from filters.texts.duplicates import DuplicateSettings, drop_near_duplicates
from filters.texts.language import in_language
from filters.texts.loops import no_length_outliers, no_loops
from filters.texts.numerals import with_digits
from filters.texts.shingles import jaccard, shingles_of
from filters.texts.words import words
from generators.process_labels.balance import left_out

LEVELS = (30, 20, 10, 5)
_FILLER = ("quickly", "today", "always", "yellow", "gently", "perhaps", "nearby")


def column(data: Path, name: str, key: str) -> list[str]:
    """One column of a JSONL file."""
    return [json.loads(line)[key] for line in (data / f"{name}.jsonl").read_text().splitlines()]


def reworded(text: str, one_in: int, draw: random.Random) -> str:
    """The text with one word in `one_in` (at least one word) replaced; numbers and LaTeX are unchanged."""
    parts = text.split(" ")
    words_only = [
        index for index, part in enumerate(parts) if part.isalpha() and with_digits([part.lower()]) == [part.lower()]
    ]
    for index in draw.sample(words_only, min(len(words_only), max(1, len(parts) // one_in))):
        parts[index] = draw.choice(_FILLER)
    return " ".join(parts)


def renumbered(text: str, draw: random.Random) -> str:
    """The text with every number changed."""
    return re.sub(r"[0-9]+", lambda number: str(int(number[0]) + draw.randint(1, 90)), text)


@dataclass(frozen=True, slots=True)
class NearRepeats:
    """Recall per level (one changed word in so many), recall over planted rows above the threshold, and precision."""

    levels: dict[str, float]
    above_threshold: float
    precision: float


def near_duplicates(problems: list[str], draw: random.Random) -> NearRepeats:
    """Plant changed copies of 500 problems at each level, and measure which are found."""
    levels, above, n_right, n_found = {}, [], 0, 0
    for one_in in LEVELS:
        chosen = draw.sample(range(len(problems)), 500)
        planted = [reworded(problems[number], one_in, draw) for number in chosen]
        rows = pl.DataFrame({"prompt": [*problems, *planted]}).with_row_index("number")
        pairs = dict(drop_near_duplicates(rows, column="prompt").dropped.select("number", "repeats_row").iter_rows())
        hits = [pairs.get(len(problems) + index) == number for index, number in enumerate(chosen)]
        similarities = [similarity(problems[number], text) for number, text in zip(chosen, planted, strict=True)]
        above += [hit for hit, value in zip(hits, similarities, strict=True) if value >= DuplicateSettings().threshold]
        natural = [number for number in pairs if number < len(problems)]
        if one_in == LEVELS[0]:
            for number in natural:
                print(f"repeat in the source: {problems[number]}\n    and: {problems[pairs[number]]}")
        levels[f"1 word in {one_in}"] = round(sum(hits) / len(hits), 4)
        n_right, n_found = n_right + sum(hits), n_found + len(pairs) - len(natural)
    return NearRepeats(levels, round(sum(above) / len(above), 4), round(n_right / max(1, n_found), 4))


def similarity(left: str, right: str) -> float:
    """The exact similarity of two texts, as defined by the filter."""
    return jaccard(*(shingles_of(text, DuplicateSettings().n) for text in (left, right)))


def loops(solutions: list[str], untouched: list[str], draw: random.Random) -> dict[str, float]:
    """The recall of planted loops, and the false-positive rate on untouched texts."""
    planted = []
    for text in solutions:
        size = draw.randint(20, 600)
        start = draw.randint(0, max(0, len(text) - size))
        looped = draw.choice(["", " ", "\n\n"]).join([text[start : start + size].strip()] * 5)
        planted.append(f"{draw.choice(solutions)}\n{looped}\n{draw.choice(['', draw.choice(solutions)])}")
    dropped_planted, dropped_untouched = (
        apply_rules(pl.DataFrame({"text": texts}), no_loops("text")).dropped for texts in (planted, untouched)
    )
    return {
        "planted_loop_recall": round(dropped_planted.height / len(planted), 4),
        "loop_false_positive_rate": round(dropped_untouched.height / len(untouched), 5),
    }


def recall(items: list[str], planted: list[str], train: list[str]) -> float:
    """The share of planted rows among training problems that match an item."""
    evaluation_items = pl.DataFrame(
        {"evaluation_set": "planted", "item": [str(n) for n in range(len(items))], "text": items}
    )
    rows = pl.DataFrame({"prompt": [*train[:500], *planted]}).with_row_index("number").cast({"number": pl.String})
    dropped = decontaminate(rows, evaluation_items, key="number", column="prompt").filtered.dropped
    return dropped.filter(pl.col("number").cast(pl.Int64) >= 500).height / len(planted)


TEMPLATES = {
    "known": (
        "Solve the following math problem step by step. The last line of your response should be of the form Answer: "
        "$Answer (without quotes) where $Answer is the answer to the problem.\n\n{}\n\nRemember to put your answer on "
        'its own line after "Answer:".'
    ),
    "unknown": "Every visitor who climbs the hill at dawn hears this: {} So spoke the oracle, and said no more.",
}


def templates(problems: list[str], items: list[str]) -> dict[str, dict[str, dict[str, int]]]:
    """Rows dropped in a template: distinct problems (as many as bare), their bare copies (all), items' copies (all)."""

    def dropped(texts: list[str]) -> int:
        return drop_near_duplicates(pl.DataFrame({"prompt": texts}), column="prompt").dropped.height

    def found(texts: list[str], rows: list[str]) -> int:
        table = pl.DataFrame({"evaluation_set": "e", "item": [str(n) for n in range(len(texts))], "text": texts})
        keyed = pl.DataFrame({"number": [str(n) for n in range(len(rows))], "prompt": rows})
        return decontaminate(keyed, table, key="number", column="prompt").matches.height

    some = problems[:2000]
    figures: dict[str, dict[str, int]] = {"bare": {"distinct_dropped": dropped(some)}}
    for name, template in TEMPLATES.items():
        dressed = [template.format(text) for text in some]
        in_template = [template.format(text) for text in items]
        figures[name] = {
            "distinct_dropped": dropped(dressed),
            "copies": len(some),
            "copies_dropped": dropped(some + dressed),
            "items": len(items),
            "items_found": found(items, in_template),
            "items_found_bare": found(in_template, items),
            "false_matches": found(in_template, dressed),
        }
    return {"templates": figures}


def rates(problems: list[str], items: list[str]) -> dict[str, float]:
    """Rows per second of each filter on the training problems."""
    rows = pl.DataFrame({"prompt": problems, "other": problems[::-1], "finish_reason": "eos"}).with_columns(
        pl.col("prompt").str.split(". ").alias("steps"),
        pl.lit(0.5).alias("pass_rate"),
        pl.int_range(pl.len()).cast(pl.String).alias("number"),
        (pl.int_range(pl.len()) // 8).alias("group"),
        (pl.int_range(pl.len()) % 3 > 0).alias("label"),
    )
    evaluation_items = pl.DataFrame(
        {"evaluation_set": "math500", "item": [str(n) for n in range(len(items))], "text": items}
    )
    rules = {
        "one_script": quality.one_script("prompt"),
        "no_loops": no_loops("prompt"),
        "sides_differ": quality.sides_differ("prompt", "other"),
        "no_answer_in": quality.no_answer_in("prompt"),
        "lengths_within": quality.lengths_within("prompt", most=2000),
        "steps_within": quality.steps_within("steps", least=1, most=30, longest=2000),
        "not_truncated": quality.not_truncated(),
        "pass_rate_within": quality.pass_rate_within(0.1, 0.9),
        "no_length_outliers": no_length_outliers("prompt"),
        "in_language": in_language("prompt", "en"),
    }
    apply_rules(rows.head(1), rules["in_language"])  # loads the language model
    timed = {name: rate(rows.height, partial(apply_rules, rows, rule)) for name, rule in rules.items()}
    timed["near_duplicates"] = rate(rows.height, lambda: drop_near_duplicates(rows, column="prompt"))
    timed["near_duplicates_within"] = rate(
        rows.height, lambda: drop_near_duplicates(rows, column="prompt", within=["group"])
    )
    few = DiversitySettings(most=4)
    timed["diversity"] = rate(
        rows.height, lambda: keep_different(rows, column="prompt", within=["group"], settings=few)
    )
    timed["balance"] = rate(rows.height, lambda: left_out(rows, labels="label", key=["number"], most=1))
    timed["contamination"] = rate(
        rows.height, lambda: decontaminate(rows, evaluation_items, key="number", column="prompt")
    )
    return timed


def rate(rows: int, work: Callable[[], object]) -> float:
    """Rows per second of `work`."""
    began = time.perf_counter()
    work()
    return round(rows / (time.perf_counter() - began))


def main() -> None:
    """Plant, filter, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with the JSONL files")
    parser.add_argument("--rows", type=int, default=200_000, help="ordinary rows of the growth measurement")
    parser.add_argument("--embedding-model", help="id or folder of a sentence-transformers model to time")
    arguments = parser.parse_args()
    data = arguments.data
    if not (data / "math500.jsonl").is_file():
        sys.exit(f"{data} has no gsm8k_train.jsonl and math500.jsonl: name their folder with --data")
    draw = random.Random(0)
    train, items = column(data, "gsm8k_train", "question"), column(data, "math500", "problem")
    solutions = column(data, "math500", "solution")
    short = [" ".join(text.split(" ")[: draw.randint(3, 12)]) for text in items]
    short = [text for text in short if 3 <= len(words(text)) <= 12]
    wordy = [text for text in items if (n := len(re.findall("[0-9]+", text))) and len(words(text)) >= max(13, 4 * n)]
    repeats = near_duplicates(train, draw)
    evaluation_items = pl.DataFrame(
        {"evaluation_set": "math500", "item": [str(n) for n in range(len(items))], "text": items}
    )
    numbered = pl.DataFrame({"number": [str(n) for n in range(len(train))], "prompt": train})
    hits = decontaminate(numbered, evaluation_items, key="number", column="prompt").matches
    for hit in hits.iter_rows(named=True):
        print(f"training problem: {hit['text']}\n    {hit['path']} {hit['share']:.2f}: {hit['item_text']}")
    embedded = [f"{draw.choice(train)} Here is another one. {text} Show every step of it." for text in items]
    figures = {
        "near_dup_recall": round(sum(repeats.levels.values()) / len(repeats.levels), 4),
        "near_dup_precision": repeats.precision,
        "verbatim_recall": recall(items, items, train),
        "short_recall": round(recall(short, [f"Please: {text} Thank you." for text in short], train), 4),
        "renumbered_recall": round(recall(wordy, [renumbered(text, draw) for text in wordy], train), 4),
        "false_positive_rate": round(hits.height / len(train), 5),
        "rows_per_s": rates(train, items),
        "near_dup_recall_by_level": repeats.levels,
        "near_dup_recall_above_threshold": repeats.above_threshold,
        "embedded_recall": round(recall(items, embedded, train), 4),
        "reworded_recall": round(recall(items, [reworded(text, 15, draw) for text in items], train), 4),
        "renumbered_items": len(wordy),
        "short_items": len(short),
        **loops(solutions, [*column(data, "gsm8k_train", "answer"), *solutions], draw),
        **templates(train, items),
        **growth(train, arguments.rows),
        **(embedding_ms(train, arguments.embedding_model) if arguments.embedding_model else {}),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
