"""How time and memory of the near-duplicate filter grow, on ordinary rows and on rows made to be hard for it.

Ordinary rows are GSM8K problems with half of their words and all of their numbers replaced. Hard rows have no numbers
and share half of their words, in one run or in several.
"""

import random
import resource
import time
from collections.abc import Callable

import polars as pl

from filters.texts.contrasts import opposed
from filters.texts.duplicates import drop_near_duplicates
from filters.texts.embeddings import Embeddings, drop_rephrased, encoder

HARD = (1000, 2000, 4000, 8000)
_WORDS = 60
_RUN = 10


def ordinary(problems: list[str], n: int, draw: random.Random) -> list[str]:
    """Rows with the lengths and the common words of real problems."""
    words = sorted({word for text in problems for word in text.split() if word.isalpha()})

    def changed(word: str) -> str:
        if word.isdigit():
            return str(draw.randint(2, 400))
        return draw.choice(words) if word.isalpha() and draw.random() < 0.5 else word

    return [" ".join(map(changed, draw.choice(problems).split(" "))) for _ in range(n)]


def hard(problems: list[str], n: int, draw: random.Random, *, run: int) -> list[str]:
    """Rows that share half of their words, in runs of `run` words."""
    words = sorted({word for text in problems for word in text.split() if word.isalpha() and not opposed([word], [])})
    shared = [draw.choice(words) for _ in range(_WORDS // 2)]
    rows = []
    for _ in range(n):
        own = [draw.choice(words) for _ in range(_WORDS // 2)]
        parts = [[*own[at : at + run], *shared[at : at + run]] for at in range(0, _WORDS // 2, run)]
        rows.append(" ".join(word for part in parts for word in part))
    return rows


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds of `work`."""
    began = time.process_time()
    work()
    return round(time.process_time() - began, 2)


def growth(problems: list[str], many: int) -> dict[str, object]:
    """CPU seconds by number of rows, and KiB a row for the ordinary ones."""
    seconds: dict[str, dict[int, float]] = {}
    for name, run in (("one_run", _WORDS // 2), ("several_runs", _RUN)):
        tables = {n: pl.DataFrame({"prompt": hard(problems, n, random.Random(1), run=run)}) for n in HARD}
        seconds[f"half_the_words_{name}"] = {
            n: cpu_seconds(lambda table=table: drop_near_duplicates(table, column="prompt"))  # type: ignore[misc]
            for n, table in tables.items()
        }
    rows = pl.DataFrame({"prompt": ordinary(problems, many, random.Random(1))})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent = cpu_seconds(lambda: drop_near_duplicates(rows, column="prompt"))
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"cpu_s_hard": seconds, "cpu_s_ordinary": {many: spent}, "kib_per_row": round(used / many, 2)}


def embedding_ms(problems: list[str], model: str, n: int = 2000) -> dict[str, float]:
    """Milliseconds a row of the embedding stage with a model, and the share of it that the model takes."""
    encode = encoder(model)
    rows = pl.DataFrame({"prompt": problems[:n]})
    encode(problems[:8])
    of_model = cpu_seconds(lambda: encode(problems[:n]))
    whole = cpu_seconds(lambda: drop_rephrased(rows, column="prompt", embeddings=Embeddings(encode=encode)))
    height = max(1, rows.height)
    return {
        "embedding_ms_per_row": round(1000 * whole / height, 3),
        "model_ms_per_row": round(1000 * of_model / height, 3),
    }
