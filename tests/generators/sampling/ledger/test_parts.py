"""What a part holds, parts of earlier versions, and what happens to parts that are damaged or gone."""

import os
import subprocess
from contextlib import contextmanager

import polars as pl
import pytest
from upath import UPath

from generators.engine.protocol import Sampling
from generators.records import Rollout
from generators.sampling.ledger import Ledger, LedgerKey, totals
from generators.sampling.ledger.parts import GROUP_TOKENS, PartGone
from generators.sampling.storage import StorageError, create, remove, rename, write_bytes

KEY = LedgerKey(policy="p", prefix=(1, 2, 3), sampling=Sampling(temperature=0.7))
OTHER = LedgerKey(policy="p", prefix=(4,), sampling=Sampling(temperature=0.7))
OLD_SCHEMA = {
    "key": pl.String,
    "index": pl.UInt32,
    "policy": pl.String,
    "sampling": pl.String,
    "prefix_token_ids": pl.List(pl.UInt32),
    "token_ids": pl.List(pl.UInt32),
    "text": pl.String,
    "finish_reason": pl.String,
}


def rollout(index=0, token_ids=(5, 6), reason="length", key=KEY):
    return Rollout(key=key.digest(), index=index, token_ids=token_ids, text="text", finish_reason=reason)


def fill(folder, *lots):
    with Ledger(UPath(folder), merges=False) as ledger:
        for lot in lots:
            for key, drawn in lot:
                ledger.add(key, drawn)
            ledger.flush()


def parts(folder):
    return sorted(folder.glob("part-*.parquet"))


def write_old(folder, *rows):
    """A part as stepmill 0.1 wrote it."""
    table = [
        {"key": key.digest(), "index": index, "policy": key.policy, "sampling": "{}", "prefix_token_ids": key.prefix}
        | {"token_ids": ids, "text": "text", "finish_reason": reason}
        for key, index, ids, reason in rows
    ]
    folder.mkdir(exist_ok=True)
    number = len(parts(folder)) + 1
    pl.DataFrame(table, schema=OLD_SCHEMA).write_parquet(folder / f"part-{number:020d}-0123abcd.parquet")


def test_a_prefix_is_stored_once_in_a_part_and_a_text_never(tmp_path):
    fill(tmp_path, [(KEY, rollout(0)), (OTHER, rollout(0, key=OTHER)), (KEY, rollout(1, (7, 8, 9)))])
    table = pl.read_parquet(parts(tmp_path)[0])
    assert table["prefix_token_ids"].to_list() == [[1, 2, 3], [4], None]
    assert table["n_tokens"].to_list() == [2, 2, 3]
    assert "text" not in table.columns


def test_a_continuation_says_what_it_continues(tmp_path):
    fill(tmp_path, [(KEY, rollout(0))], [(KEY, rollout(0, (5, 6, 7)))], [(KEY, rollout(0, (5, 6, 7, 8)))])
    assert [pl.read_parquet(part)["extends"].to_list() for part in parts(tmp_path)] == [[0], [2], [3]]
    with Ledger(UPath(tmp_path)) as ledger:
        assert (len(ledger), ledger.get(KEY.digest(), 0).token_ids) == (1, (5, 6, 7, 8))


def test_a_ledger_of_an_earlier_version_opens_and_goes_on(tmp_path):
    write_old(tmp_path, (KEY, 0, [5, 6], "length"), (KEY, 1, [7], "eos"), (OTHER, 0, [], "length"))
    write_old(tmp_path, (KEY, 0, [5, 6, 8], "stop"))
    assert totals([UPath(tmp_path)]) == {"rollouts": 3, "generated": 4}
    fill(tmp_path, [(KEY, rollout(0, (5, 6, 8, 9))), (KEY, rollout(2))])
    with Ledger(UPath(tmp_path)) as ledger:
        assert ledger.get(KEY.digest(), 0).token_ids == (5, 6, 8, 9)
        assert ledger.get(KEY.digest(), 1).finish_reason == "eos"
        assert ledger.get(OTHER.digest(), 0).token_ids == ()
        assert len(ledger) == 4
        assert ledger.compact() == 2
        assert ledger.get(KEY.digest(), 0).token_ids == (5, 6, 8, 9)
    (part,) = parts(tmp_path)
    table = pl.read_parquet(part).sort("key", "index")
    assert sorted(table["token_ids"].to_list()) == [[], [5, 6], [5, 6, 8, 9], [7]]
    assert sorted(table["prefix_token_ids"].drop_nulls().to_list()) == [[1, 2, 3], [4]]
    assert totals([UPath(tmp_path)]) == {"rollouts": 4, "generated": 7}


def test_a_prefix_stays_when_its_row_was_replaced(tmp_path):
    fill(
        tmp_path,
        [(KEY, rollout(0)), (KEY, rollout(1))],
        [(OTHER, rollout(0, key=OTHER))],
        [(KEY, rollout(0, (5, 6, 7)))],
    )
    with Ledger(UPath(tmp_path)) as ledger:
        ledger.compact()
    (part,) = parts(tmp_path)
    prefixes = pl.read_parquet(part).filter(pl.col("prefix_token_ids").is_not_null())
    assert dict(prefixes.select("key", "prefix_token_ids").iter_rows()) == {
        KEY.digest(): [1, 2, 3],
        OTHER.digest(): [4],
    }


@pytest.mark.parametrize("folder", ["folder", "memory"])
def test_many_parts_are_merged_while_the_ledger_is_open(tmp_path, folder):
    folder = UPath(tmp_path) if folder == "folder" else UPath(f"memory://stepmill-merged{tmp_path}")
    with Ledger(folder, flush_rows=1, flush_seconds=3600) as ledger:
        for index in range(100):
            ledger.add(KEY, rollout(index, (index, index + 1)))
            ledger.flush()
        ledger._merge(lambda parts: parts[-3:])  # beside the thread that merges
        assert all(ledger.get(KEY.digest(), index).token_ids == (index, index + 1) for index in range(100))
        assert len(ledger) == 100
    assert len(parts(folder)) < 98
    with Ledger(folder) as ledger:
        assert all(ledger.get(KEY.digest(), index).token_ids == (index, index + 1) for index in range(100))
        assert len(ledger) == 100


def test_a_row_that_was_merged_while_it_was_looked_up_is_not_taken_for_another(tmp_path):
    fill(tmp_path, [(KEY, rollout(0))], [(KEY, rollout(1))], [(KEY, rollout(2))])
    with Ledger(UPath(tmp_path), merges=False) as ledger:
        old = [ledger._index.find(KEY.digest(), index).position for index in range(3)]
        ledger._merge(lambda parts: parts[1:])
        assert ledger._reader.read(old[0]) == (5, 6)
        for position in old[1:]:
            with pytest.raises(PartGone):
                ledger._reader.read(position)
        assert ledger.get(KEY.digest(), 2).token_ids == (5, 6)


def test_long_rollouts_lie_in_row_groups_of_their_own(tmp_path):
    long = tuple(range(GROUP_TOKENS // 2 + 1))
    fill(tmp_path, [(KEY, rollout(index, (index, *long))) for index in range(5)])
    with Ledger(UPath(tmp_path)) as ledger:
        assert [ledger.get(KEY.digest(), index).token_ids[:2] for index in range(5)] == [(n, 0) for n in range(5)]
        assert ledger.get(KEY.digest(), 4).token_ids == (4, *long)


def test_totals_read_no_tokens(tmp_path):
    fill(tmp_path, [(KEY, rollout(index, tuple(range(500)))) for index in range(50)])
    (part,) = parts(tmp_path)
    content = bytearray(part.read_bytes())
    place = len(content) // 2  # among the token ids, which are most of the part
    content[place] ^= 4
    part.write_bytes(content)
    assert totals([UPath(tmp_path)]) == {"rollouts": 50, "generated": 25_000}
    with Ledger(UPath(tmp_path)) as ledger:
        assert len(ledger) == 0


def test_totals_leave_out_what_is_no_parquet(tmp_path):
    fill(tmp_path, [(KEY, rollout())])
    (tmp_path / "part-00000000000000000001-torn.parquet").write_bytes(b"PAR1 torn")
    assert totals([UPath(tmp_path), UPath(tmp_path / "none")]) == {"rollouts": 1, "generated": 2}


@pytest.fixture
def read_only(tmp_path):
    """A function that makes a folder of a file system of its own read-only."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system of its own")
    folder = tmp_path / "disk"
    folder.mkdir()
    with mounted(folder):
        yield folder, lambda: subprocess.run(["mount", "-o", "remount,ro", folder], check=True)


@contextmanager
def mounted(folder):
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_damaged_part_on_a_read_only_mount_stays_and_is_named(read_only):
    folder, make_read_only = read_only
    fill(folder, [(KEY, rollout(0))], [(KEY, rollout(1))])
    damaged = parts(folder)[0]
    damaged.write_bytes(damaged.read_bytes()[:-1])
    make_read_only()
    with Ledger(UPath(folder)) as ledger:
        assert ledger.get(KEY.digest(), 0) is None
        assert ledger.get(KEY.digest(), 1).token_ids == (5, 6)
        assert ledger.set_aside == [str(damaged)]
        (warning,) = ledger.warnings
        assert f"{damaged} could not be read; its rollouts will be drawn again (it stays where it is" in warning
        with pytest.raises(StorageError, match="the file system is read-only; set data_root to another place"):
            ledger.add(KEY, rollout(0))
    assert damaged.exists()


@pytest.mark.parametrize(
    ("action", "act"),
    [
        ("write", lambda file: write_bytes(file, b"new")),
        ("write", lambda file: create(file.with_name("new"), b"new")),
        ("write", lambda file: write_bytes(file.parent / "folder" / "file", b"new")),
        ("rename", lambda file: rename(file, file.with_name("new"))),
        ("delete", remove),
    ],
)
def test_whatever_a_read_only_mount_refuses_is_explained(read_only, action, act):
    folder, make_read_only = read_only
    (folder / "file").write_bytes(b"old")
    make_read_only()
    with pytest.raises(
        StorageError, match=rf"cannot {action} {folder}/.* \(Read-only file system\): the file system is"
    ):
        act(UPath(folder / "file"))
    assert (folder / "file").read_bytes() == b"old"


def test_a_store_that_is_away_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    once = {"retries": {"max_attempts": 0}, "connect_timeout": 1}
    folder = UPath("s3://away/slice", key="k", secret="s", config_kwargs=once, skip_instance_cache=True)
    with pytest.raises(StorageError, match=r"cannot list s3://away/slice.* check that the store can be reached"):
        Ledger(folder)
