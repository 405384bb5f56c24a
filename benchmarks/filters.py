"""What the filters find of what was planted, what they find wrongly, and how fast they are.

Near repeats: GSM8K training problems with one word in thirty, twenty, ten or five changed (numbers untouched) are
planted behind the originals; a planted row counts as found when it is dropped as a repeat of its own original.
Precision is the share of dropped rows that were planted (or are repeats in the source itself, which are printed). A
heavily changed copy is below the threshold: recall is also given over the planted rows that are not.

Evaluation items: MATH-500's problems, and runs of 3 to 12 words out of them, are planted among the training problems:
verbatim, inside longer text, with every number changed (items with at least three words per number), with one word in
fifteen changed. False positives are training problems that match an item without anything planted; they are printed
to be read. Loops: passages of 20 to 600 characters out of MATH-500's solutions, five times in a row inside another
solution; false positives are the untouched solutions of both sets.

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

from benchmarks import minhash
from filters.rules import apply_rules
from filters.texts import quality
from filters.texts.contamination import decontaminate
from filters.texts.diversity import DiversitySettings, keep_different
from filters.texts.duplicates import DuplicateSettings, drop_near_duplicates
from filters.texts.language import in_language
from filters.texts.lengths import no_length_outliers
from filters.texts.loops import no_loops
from filters.texts.shingles import jaccard, shingles_of
from filters.texts.words import words
from generators.process_labels.balance import balance

LEVELS = (30, 20, 10, 5)
_FILLER = ("quickly", "today", "always", "yellow", "gently", "perhaps", "nearby")


def column(data: Path, name: str, key: str) -> list[str]:
    """One column of a JSONL set."""
    return [json.loads(line)[key] for line in (data / f"{name}.jsonl").read_text().splitlines()]


def reworded(text: str, one_in: int, draw: random.Random) -> str:
    """The text with one word in `one_in` (at least one) replaced; numbers and LaTeX stay."""
    parts = text.split(" ")
    plain = [place for place, part in enumerate(parts) if part.isalpha()]
    for place in draw.sample(plain, min(len(plain), max(1, len(parts) // one_in))):
        parts[place] = draw.choice(_FILLER)
    return " ".join(parts)


def renumbered(text: str, draw: random.Random) -> str:
    """The text with every number changed."""
    return re.sub(r"[0-9]+", lambda number: str(int(number[0]) + draw.randint(1, 90)), text)


@dataclass(frozen=True, slots=True)
class Found:
    """Recall per level (one changed word in so many), recall over the planted rows above the threshold, precision."""

    levels: dict[str, float]
    above_threshold: float
    precision: float


def near_duplicates(problems: list[str], draw: random.Random) -> Found:
    """Plant changed copies of 500 problems at each level, and see which are found."""
    levels, above, right, found = {}, [], 0, 0
    for one_in in LEVELS:
        chosen = draw.sample(range(len(problems)), 500)
        planted = [reworded(problems[place], one_in, draw) for place in chosen]
        rows = pl.DataFrame({"prompt": [*problems, *planted]}).with_row_index("number")
        pairs = dict(drop_near_duplicates(rows, column="prompt").dropped.select("number", "repeats_row").iter_rows())
        hits = [pairs.get(len(problems) + index) == place for index, place in enumerate(chosen)]
        alike = [similarity(problems[place], text) for place, text in zip(chosen, planted, strict=True)]
        above += [hit for hit, one in zip(hits, alike, strict=True) if one >= DuplicateSettings().threshold]
        natural = [number for number in pairs if number < len(problems)]
        if one_in == LEVELS[0]:
            for number in natural:
                print(f"repeat in the source: {problems[number]}\n    and: {problems[pairs[number]]}")
        levels[f"1 word in {one_in}"] = round(sum(hits) / len(hits), 4)
        right, found = right + sum(hits), found + len(pairs) - len(natural)
    return Found(levels, round(sum(above) / len(above), 4), round(right / max(1, found), 4))


def similarity(one: str, other: str) -> float:
    """The exact similarity of two texts, as the filter defines it."""
    return jaccard(*(shingles_of(text, DuplicateSettings().n) for text in (one, other)))


def loops(solutions: list[str], untouched: list[str], draw: random.Random) -> dict[str, float]:
    """The share of planted loops that is found, and of untouched texts that is called one."""
    planted = []
    for text in solutions:
        size = draw.randint(20, 600)
        begins = draw.randint(0, max(0, len(text) - size))
        looped = draw.choice(["", " ", "\n\n"]).join([text[begins : begins + size].strip()] * 5)
        planted.append(f"{draw.choice(solutions)}\n{looped}\n{draw.choice(['', draw.choice(solutions)])}")
    found, wrong = (
        apply_rules(pl.DataFrame({"text": texts}), no_loops("text")).dropped for texts in (planted, untouched)
    )
    return {
        "planted_loop_recall": round(found.height / len(planted), 4),
        "loop_false_positive_rate": round(wrong.height / len(untouched), 5),
    }


def minhash_libraries(problems: list[str], draw: random.Random) -> dict[str, dict[str, float]]:
    """Both libraries on the problems; similarities are those of copies at all levels."""
    n = DuplicateSettings().n
    copies = [(text, reworded(text, one_in, draw)) for one_in in LEVELS for text in draw.sample(problems, 250)]
    pairs = [(shingles_of(one, n), shingles_of(other, n)) for one, other in copies]
    documents = [shingles_of(text, n) for text in problems]
    libraries = {"rensa": minhash.rensa(), "datasketch": minhash.usual()}
    return {name: minhash.measured(library, documents, pairs) for name, library in libraries.items()}


def recall(items: list[str], planted: list[str], train: list[str]) -> float:
    """The share of planted rows that match, among training problems."""
    named = pl.DataFrame({"evaluation_set": "planted", "item": [str(n) for n in range(len(items))], "text": items})
    rows = pl.DataFrame({"prompt": [*train[:500], *planted]}).with_row_index("number").cast({"number": pl.String})
    dropped = decontaminate(rows, named, key="number", column="prompt").filtered.dropped
    return dropped.filter(pl.col("number").cast(pl.Int64) >= 500).height / len(planted)


def rates(problems: list[str], items: list[str]) -> dict[str, float]:
    """Rows a second of each filter over the training problems."""
    rows = pl.DataFrame({"prompt": problems, "other": problems[::-1], "finish_reason": "eos"}).with_columns(
        pl.col("prompt").str.split(". ").alias("steps"),
        pl.lit(0.5).alias("pass_rate"),
        pl.int_range(pl.len()).cast(pl.String).alias("number"),
        (pl.int_range(pl.len()) // 8).alias("group"),
        (pl.int_range(pl.len()) % 3 > 0).alias("label"),
    )
    named = pl.DataFrame({"evaluation_set": "math500", "item": [str(n) for n in range(len(items))], "text": items})
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
    apply_rules(rows.head(1), rules["in_language"])  # unpacks its model
    timed = {name: rate(rows.height, partial(apply_rules, rows, rule)) for name, rule in rules.items()}
    timed["near_duplicates"] = rate(rows.height, lambda: drop_near_duplicates(rows, column="prompt"))
    timed["near_duplicates_within"] = rate(
        rows.height, lambda: drop_near_duplicates(rows, column="prompt", within=["group"])
    )
    few = DiversitySettings(most=4)
    timed["diversity"] = rate(
        rows.height, lambda: keep_different(rows, column="prompt", within=["group"], settings=few)
    )
    timed["balance"] = rate(rows.height, lambda: balance(rows, labels="label", key=["number"], most=1))
    timed["contamination"] = rate(rows.height, lambda: decontaminate(rows, named, key="number", column="prompt"))
    return timed


def rate(rows: int, work: Callable[[], object]) -> float:
    """Rows a second."""
    began = time.perf_counter()
    work()
    return round(rows / (time.perf_counter() - began))


def main() -> None:
    """Plant, find, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder with the JSONL sets")
    data = arguments.parse_args().data
    if not (data / "math500.jsonl").is_file():
        sys.exit(f"{data} has no gsm8k_train.jsonl and math500.jsonl: name their folder with --data")
    draw = random.Random(0)
    train, items = column(data, "gsm8k_train", "question"), column(data, "math500", "problem")
    solutions = column(data, "math500", "solution")
    short = [" ".join(text.split(" ")[: draw.randint(3, 12)]) for text in items]
    short = [text for text in short if 3 <= len(words(text)) <= 12]
    wordy = [text for text in items if (n := len(re.findall("[0-9]+", text))) and len(words(text)) >= max(13, 4 * n)]
    repeats = near_duplicates(train, draw)
    named = pl.DataFrame({"evaluation_set": "math500", "item": [str(n) for n in range(len(items))], "text": items})
    numbered = pl.DataFrame({"number": [str(n) for n in range(len(train))], "prompt": train})
    hits = decontaminate(numbered, named, key="number", column="prompt").matches
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
        **minhash_libraries(train, draw),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
