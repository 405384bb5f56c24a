"""What a listener shows of a round: lines on a pipe, a panel on a terminal."""

import os
import subprocess
import sys
from io import StringIO

import pytest
from rich.console import Console

from dagster_project.running.lines import Lines
from dagster_project.running.listener import Made, Table
from dagster_project.running.panel import Panel, duration
from generators.sampling.progress import Snapshot

ATTEMPTS = Table("attempts", "sums-0")
MADE = Made(table=ATTEMPTS, rows=48, seconds=9.6, path="x", yielded=0.75, tokens=900, tokens_per_second=93.75)


def snapshot(left):
    return Snapshot(unit="problems", done=3, total=12, tokens=900, tokens_per_second=1234.0, seconds_left=left)


def test_a_pipe_gets_one_line_for_all_that_happened_since_the_last():
    written = []
    lines = Lines(written.append)
    lines.started(Table("problems", "sums-0"))
    lines.finished(Made(table=Table("problems", "sums-0"), rows=12, seconds=1, path="x"))
    lines.started(ATTEMPTS)
    lines.said(ATTEMPTS, "the server is starting (12 s)")
    lines.progressed(ATTEMPTS, snapshot(30.0))
    lines.tick()
    assert len(written) == 1
    assert written[0][9:] == (
        "problems [sums-0] done with 12 rows in 1 s; attempts [sums-0]: "
        "3 of 12 problems, 900 tokens generated at 1,234 a second, about 30 s left\n"
    )


def test_a_pipe_gets_warnings_and_failures_at_once_and_no_empty_line():
    written = []
    lines = Lines(written.append)
    lines.tick()
    lines.warned(ATTEMPTS, "12 of 40 were cut off")
    lines.failed(ATTEMPTS, "the disk is full")
    assert [line[9:] for line in written] == [
        "warning: attempts [sums-0]: 12 of 40 were cut off\n",
        "failed: attempts [sums-0]: the disk is full\n",
    ]


def drawn(panel):
    console = Console(file=StringIO(), width=120)
    console.print(panel)
    return [line.split() for line in console.file.getvalue().splitlines()]


def test_the_panel_has_a_row_for_each_asset_with_its_progress():
    panel = Panel(Console(file=StringIO(), width=120))
    panel.planned([ATTEMPTS, Table("attempts", "sums-1"), Table("labels", "sums-0")])
    assert drawn(panel)[2:] == [["attempts", "0/2", "waiting"], ["labels", "0/1", "waiting"]]
    panel.started(ATTEMPTS)
    panel.progressed(ATTEMPTS, snapshot(125.4))
    row = drawn(panel)[2]
    assert row[:5] == ["attempts", "0/2", "3/12", "problems", "1,234"]
    assert row[-5:] == ["2", "min", "5", "s", "making", "sums-0"][-5:]
    panel.progressed(ATTEMPTS, snapshot(None))
    assert drawn(panel)[2] == ["attempts", "0/2", "3/12", "problems", "1,234", "making", "sums-0"]
    panel.finished(MADE)
    assert drawn(panel)[2] == ["attempts", "1/2", "48", "0.75", "94", "done"]
    panel.skipped(Table("labels", "sums-0"), "kept, since fresh")
    assert drawn(panel)[3] == ["labels", "0/1", "kept,", "since", "fresh"]


def test_the_panel_prints_what_matters_above_it_and_shows_what_a_stage_waits_for():
    above = Console(file=StringIO(), width=120)
    panel = Panel(above)
    panel.planned([ATTEMPTS])
    panel.said(ATTEMPTS, "the server is starting (12 s)")
    assert drawn(panel)[2][2:] == ["the", "server", "is", "starting", "(12", "s)"]
    panel.warned(ATTEMPTS, "12 of 40 were cut off")
    panel.failed(ATTEMPTS, "the disk is full")
    assert above.file.getvalue() == (
        "warning: attempts [sums-0]: 12 of 40 were cut off\nfailed: attempts [sums-0]: the disk is full\n"
    )
    assert drawn(panel)[2][-1] == "failed"


@pytest.mark.parametrize(
    "seconds, words", [(0.4, "0 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")]
)
def test_a_time_is_said_as_a_person_says_it(seconds, words):
    assert duration(seconds) == words


def test_what_libraries_print_goes_to_the_log_and_what_the_round_says_to_standard_output(tmp_path):
    program = (
        "import os, sys\nfrom pathlib import Path\nfrom dagster_project.running.terminal import to_ourselves\n"
        "print('before')\n"
        f"with to_ourselves(Path({str(tmp_path / 'log')!r})) as out:\n"
        "    print('printed'); os.system('echo by a child'); print('to stderr', file=sys.stderr)\n"
        "    out.write('said\\n')\n"
        "print('after')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=os.getcwd())
    assert (done.stdout, done.stderr) == ("before\nsaid\nafter\n", "")
    assert set((tmp_path / "log").read_text().splitlines()) == {"printed", "by a child", "to stderr"}
