"""Measures `stepmill view` on a large release: the time to write it, the file's size, and how fast Chromium opens it.

The release holds process labels of random words, eight steps a solution and four solutions a problem. It is opened as
the command writes it by default, and with all of its rows. `first_row_s` is the time from the address to the first row
on the screen, the median over fresh browser contexts; `filter_s` is how long the first filter over all rows takes. The
last line is JSON.
"""

import argparse
import json
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from upath import UPath

from benchmarks.labels_of_words import SOLUTIONS, solutions
from generators.process_labels.dataset import DATASET as LABELS
from generators.process_labels.release import LabelParameters
from generators.process_labels.table import PROCESS_LABELS
from releases.drafting import drafted
from releases.facts import ReleaseFacts, SourceFacts
from releases.licences import joint_licence
from releases.registry.local import LocalRegistry
from releases.verification.opened import OpenedRelease, open_release
from releases.viewing.page import MOST_BYTES, page
from releases.viewing.tokens import tokenizers

OPENINGS = 5


def main(rows: int) -> dict[str, Any]:
    """The figures of the default file, and of one with all rows."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        release = large_release(Path(folder), rows)
        executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        shown = {"default": 1000, "all": rows}
        figures = {name: measured(release, browser, Path(folder) / f"{name}.html", n) for name, n in shown.items()}
        browser.close()
    return {"rows": rows, **figures}


def large_release(folder: Path, rows: int) -> OpenedRelease:
    """A release of random process labels."""
    facts = ReleaseFacts(
        policy="random",
        round="benchmark",
        licence=joint_licence(["mit"]),
        sources=(SourceFacts(name="words", licence="mit", problems=rows // SOLUTIONS),),
        stages=(),
        tokens={},
        settings={},
        seeds={},
    )
    parameters = LabelParameters(hard_threshold=0.0, confidence=0.94, label_ratio=None)
    table = PROCESS_LABELS.frame(list(solutions(rows)))
    draft = drafted(LABELS, {PROCESS_LABELS.name: table}, facts, parameters)
    return open_release(LocalRegistry(UPath(folder / "releases")).publish(draft).path)


def measured(release: OpenedRelease, browser: Browser, file: Path, n: int) -> dict[str, Any]:
    """What writing and opening a file of at most `n` rows of each config takes."""
    began = time.perf_counter()
    content, told = page(release, list(release.parts), n=n, seed=0, tokenizers=tokenizers(), most_bytes=MOST_BYTES)
    write_s = time.perf_counter() - began
    file.write_bytes(content)
    first_row, filtered = zip(*(opened(browser, file) for _ in range(OPENINGS)), strict=True)
    return {
        "says": told[0],
        "write_s": round(write_s, 1),
        "file_mb": round(len(content) / 1e6, 1),
        "first_row_s": round(statistics.median(first_row), 2),
        "filter_s": round(statistics.median(filtered), 2),
    }


def opened(browser: Browser, file: Path) -> tuple[float, float]:
    """The seconds to the first row, and those to the end of a filter over all rows."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, offline=True)
    tab = context.new_page()
    began = time.perf_counter()
    tab.goto(f"file://{file}", wait_until="commit")
    tab.wait_for_selector("html[data-row]", state="attached")
    first_row_s = time.perf_counter() - began
    tab.get_by_label("Filter by column").select_option("attempt_index")
    began = time.perf_counter()
    tab.get_by_label("attempt_index at least").fill("2")
    tab.get_by_text("matching, of").wait_for()
    filter_s = time.perf_counter() - began
    context.close()
    return first_row_s, filter_s


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5000)
    print(json.dumps(main(parser.parse_args().rows)))
