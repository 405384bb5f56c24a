import asyncio
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from upath import UPath

from generators.problems.files import FileProblems
from generators.problems.screening import Screening
from generators.problems.settings import EvaluationSetSettings, QualitySettings, Source
from generators.problems.shared import screened_shard

SHARDS = 4
READS = []
ROWS = [
    *({"prompt": f"Ann has {n} pens and buys {n + 3}. How many has she?", "answer": str(2 * n + 3)} for n in range(40)),
    {"prompt": "Now Ann has 7 pens and buys 10. How many has she?", "answer": "17"},
    {"prompt": "", "answer": "1"},
    {"prompt": "Which is it?", "answer": ""},
    {"prompt": "Ben runs 12 laps of 400 metres. How far is that?", "answer": "4800"},
]
ITEM = {"prompt": "Ben runs 12 laps of 400 metres. How far is that, in metres?", "answer": "4800"}


@dataclass
class Counted:
    """A problem file that counts how often its rows are asked for."""

    file: FileProblems
    name: str = "pens"
    has_answers: bool = True

    def candidates(self):
        READS.append(self.name)
        return self.file.candidates()

    def fingerprint(self):
        return self.file.fingerprint()


@pytest.fixture
def files(tmp_path):
    for name, rows in (("pens", ROWS), ("items", [ITEM])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


@pytest.fixture
def screening(files):
    READS.clear()
    source = Source.model_validate(
        {"kind": "file", "name": "pens", "path": str(files / "pens.jsonl"), "shards": SHARDS, "near_duplicates": 0.4}
    )
    items = {"kind": "file", "name": "items", "path": str(files / "items.jsonl")}
    return Screening(
        source=source.model_copy(update={"problems": Counted(source.problems)}),
        quality=QualitySettings(),
        evaluation_sets=[EvaluationSetSettings.model_validate(items)],
        version="1",
    )


def made(screening, folder, index, said=None):
    say = (lambda line: None) if said is None else said.append
    return asyncio.run(screened_shard(screening, index, folder=UPath(folder / "sources"), say=say))


def test_all_slices_together_read_and_screen_their_source_once_and_have_the_rows_of_the_whole(screening, files):
    shards = [made(screening, files, index) for index in range(SHARDS)]
    assert READS == ["pens"]
    whole = asyncio.run(screening.screened())
    assert whole.dropped["reason"].value_counts().height >= 4
    assert whole.repeats.height == 1
    for index, own in enumerate(shards):
        for table in ("kept", "dropped", "repeats"):
            assert_frame_equal(getattr(own, table), getattr(whole.shard(index, SHARDS), table))
    assert sum(own.kept.height for own in shards) == whole.kept.height > 20


def test_slices_that_begin_together_screen_their_source_once(screening, files):
    with ThreadPoolExecutor(SHARDS) as threads:
        shards = list(threads.map(lambda index: made(screening, files, index), range(SHARDS)))
    assert READS == ["pens"]
    whole = asyncio.run(screening.screened())
    for index, own in enumerate(shards):
        assert_frame_equal(own.kept, whole.shard(index, SHARDS).kept)


def test_a_slice_goes_on_where_another_ended_while_it_screened(screening, files):
    folder = UPath(files / "sources") / "pens" / screening.key()
    taken = "from generators.sampling.ledger.lease import Terms, take; from upath import UPath"
    command = [sys.executable, "-c", f"{taken}; take(UPath({str(folder)!r}), Terms())"]
    subprocess.run(command, check=True)
    assert list((folder / "lease").iterdir())
    assert made(screening, files, 0).kept.height > 0
    assert READS == ["pens"]


def rewritten(files, name, old, new):
    path = files / f"{name}.jsonl"
    path.write_text(path.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("name", "old", "new"), [("pens", "Ann has 39", "Ann has 38"), ("items", "12 laps", "13 laps")]
)
def test_what_changed_is_screened_again(screening, files, name, old, new):
    before = made(screening, files, 0)
    rewritten(files, name, old, new)
    after = [made(screening, files, index) for index in range(SHARDS)]
    assert READS == ["pens", "pens"]
    whole = asyncio.run(screening.screened())
    assert_frame_equal(after[0].kept, whole.shard(0, SHARDS).kept)
    assert before.kept.schema == after[0].kept.schema


def test_a_damaged_shard_is_made_again_and_said(screening, files):
    sound, said = made(screening, files, 1), []
    (torn,) = (files / "sources" / "pens").glob("*/00001.kept.parquet")
    torn.write_bytes(torn.read_bytes()[:40])
    assert_frame_equal(made(screening, files, 1, said).kept, sound.kept)
    assert said[0].startswith("the source is screened again: ")
    assert pl.read_parquet(torn).height == sound.kept.height


def test_a_source_of_one_slice_is_not_kept(screening, files):
    one = Screening(
        source=screening.source.model_copy(update={"shards": 1}),
        quality=screening.quality,
        evaluation_sets=screening.evaluation_sets,
        version="1",
    )
    assert made(one, files, 0).kept.height > 20
    assert not (files / "sources").exists()
