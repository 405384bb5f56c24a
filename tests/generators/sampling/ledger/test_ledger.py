import errno
import json
import time

import polars as pl
import pytest
from upath import UPath

from generators.engine.protocol import Sampling
from generators.records import Rollout
from generators.sampling.ledger import Ledger, LedgerKey, Terms, sampling_json, shared
from generators.sampling.storage import StorageError

KEY = LedgerKey(policy="p", prefix=(1, 2, 3), sampling=Sampling(temperature=0.7))


def rollout(index=0, token_ids=(5, 6), reason="eos", key=KEY):
    return Rollout(key=key.digest(), index=index, token_ids=token_ids, text="", finish_reason=reason)


def rows_on_disk(folder, expected, patience_s=10.0):
    """Rows in the folder's parts once they are as many as expected, or when patience ends."""
    deadline = time.monotonic() + patience_s
    while (rows := sum(pl.read_parquet(part).height for part in folder.glob("part-*.parquet"))) != expected:
        if time.monotonic() > deadline:
            break
        time.sleep(0.005)
    return rows


def test_what_was_added_is_there_when_the_folder_is_opened_again(tmp_path):
    with Ledger(UPath(tmp_path)) as ledger:
        ledger.add(KEY, rollout(index=3))
    with Ledger(UPath(tmp_path)) as ledger:
        stored = ledger.get(KEY.digest(), 3)
    assert tuple(stored.token_ids) == (5, 6)
    assert stored.finish_reason == "eos"


def test_the_run_of_a_key_is_told_without_a_gap_whether_it_was_written_or_waits(tmp_path):
    with Ledger(UPath(tmp_path)) as ledger:
        for index, reason in ((0, "eos"), (1, "length"), (4, "eos")):
            ledger.add(KEY, rollout(index=index, reason=reason))
        waiting = ledger.held(KEY.digest())
        ledger.flush()
        ledger.add(KEY, rollout(index=2, token_ids=(7,)))
        assert [(extent.length, extent.finish_reason) for extent in waiting] == [(2, "eos"), (2, "length")]
        assert ledger.held(KEY.digest())[:2] == waiting
        assert [extent.length for extent in ledger.held(KEY.digest())] == [2, 2, 1]


def test_two_users_of_one_process_share_a_ledger_until_the_last_has_left(tmp_path):
    opened = []

    def open_ledger(folder):
        opened.append(Ledger(folder, terms=Terms(wait_s=0)))
        return opened[-1]

    with shared(UPath(tmp_path), open_ledger) as first:
        with shared(UPath(tmp_path), open_ledger) as second:
            second.add(KEY, rollout(index=1))
        assert rows_on_disk(tmp_path, 1, patience_s=0) == 1  # a user that leaves has what it added on disk
        first.add(KEY, rollout(index=2))
        assert first is second
    with shared(UPath(tmp_path), open_ledger) as third:
        assert len(third) == 2
    assert len(opened) == 2


def test_a_part_opens_with_polars_alone_and_names_prefix_and_law(tmp_path):
    with Ledger(UPath(tmp_path)) as ledger:
        ledger.add(KEY, rollout())
    row = pl.scan_parquet(tmp_path / "part-*.parquet").collect().row(0, named=True)
    assert row["prefix_token_ids"] == [1, 2, 3]
    assert row["policy"] == "p"
    assert '"temperature": 0.7' in row["sampling"]


def test_rows_are_written_when_enough_have_come(tmp_path):
    with Ledger(UPath(tmp_path), flush_rows=2, flush_seconds=3600) as ledger:
        for index in (0, 2):  # the writer may take a third row with the first two
            ledger.add(KEY, rollout(index=index))
            ledger.add(KEY, rollout(index=index + 1))
            assert rows_on_disk(tmp_path, index + 2) == index + 2


def test_rows_are_written_when_they_have_waited_long_enough(tmp_path):
    with Ledger(UPath(tmp_path), flush_rows=1000, flush_seconds=0.01) as ledger:
        ledger.add(KEY, rollout())
        assert rows_on_disk(tmp_path, 1) == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_rows_with_one_key_and_index_the_longer_stays(tmp_path, order):
    versions = [rollout(token_ids=(5,), reason="length"), rollout(token_ids=(5, 6, 7))]
    for version in order:
        with Ledger(UPath(tmp_path)) as ledger:
            ledger.add(KEY, versions[version])
    with Ledger(UPath(tmp_path)) as ledger:
        assert tuple(ledger.get(KEY.digest(), 0).token_ids) == (5, 6, 7)
        assert len(ledger) == 1


def test_a_torn_part_is_set_aside_and_the_others_are_read(tmp_path):
    with Ledger(UPath(tmp_path)) as ledger:
        ledger.add(KEY, rollout())
    (tmp_path / "part-00000000000000000001-torn.parquet").write_bytes(b"PAR1 torn")
    with Ledger(UPath(tmp_path)) as ledger:
        assert len(ledger) == 1
        assert ledger.set_aside == [str(tmp_path / "part-00000000000000000001-torn.parquet.unreadable")]


@pytest.mark.parametrize("place", [0, 50, 500, -40, -1])
def test_a_part_with_one_flipped_bit_is_set_aside_wherever_the_bit_is(tmp_path, place):
    with Ledger(UPath(tmp_path)) as ledger:
        for index in range(40):
            ledger.add(KEY, rollout(index=index, token_ids=tuple(range(index, index + 9))))
    (part,) = tmp_path.glob("part-*.parquet")
    content = bytearray(part.read_bytes())
    content[place] ^= 4
    part.write_bytes(content)
    with Ledger(UPath(tmp_path)) as ledger:
        assert len(ledger) == 0
        assert ledger.set_aside == [f"{part}.unreadable"]


def test_a_part_of_an_earlier_version_is_read_without_a_digest(tmp_path):
    with Ledger(UPath(tmp_path)) as ledger:
        ledger.add(KEY, rollout())
    (part,) = tmp_path.glob("part-*.parquet")
    part.rename(tmp_path / "part-00000000000000000001-0123abcd.parquet")
    with Ledger(UPath(tmp_path)) as ledger:
        assert len(ledger) == 1


def test_a_part_that_was_never_finished_is_not_read(tmp_path):
    (tmp_path / ".part-1.parquet.abc.tmp").write_bytes(b"half")
    with Ledger(UPath(tmp_path)) as ledger:
        assert len(ledger) == 0


def test_an_object_store_serves_as_well_as_a_folder():
    folder = UPath("memory://ledger-test/slice")
    with Ledger(folder) as ledger:
        ledger.add(KEY, rollout())
    with Ledger(folder) as ledger:
        assert len(ledger) == 1


def test_a_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with (
        Ledger(UPath(tmp_path / "taken" / "slice")) as ledger,
        pytest.raises(StorageError, match="a file stands where a folder is needed") as raised,
    ):
        ledger.add(KEY, rollout())
    assert str(tmp_path / "taken") in str(raised.value)
    assert raised.value.__cause__.errno in (errno.ENOTDIR, errno.EEXIST)


@pytest.mark.parametrize(
    "other",
    [
        LedgerKey(policy="q", prefix=KEY.prefix, sampling=KEY.sampling),
        LedgerKey(policy="p", prefix=(1, 2), sampling=KEY.sampling),
        LedgerKey(policy="p", prefix=KEY.prefix, sampling=Sampling(temperature=0.8)),
        LedgerKey(policy="p", prefix=KEY.prefix, sampling=Sampling(temperature=0.7, seed=1)),
        LedgerKey(policy="p", prefix=KEY.prefix, sampling=Sampling(temperature=0.7, excluded=(5,))),
    ],
)
def test_policy_prefix_law_and_seed_are_all_part_of_the_key(other):
    assert other.digest() != KEY.digest()


def test_a_law_that_excludes_nothing_has_the_text_and_the_key_that_it_always_had():
    assert sampling_json(KEY.sampling) == '{"seed": 0, "temperature": 0.7, "top_k": 0, "top_p": 1.0}'
    assert KEY.digest() == "c997ec7566c852d38666a982eadec96e"


def test_excluded_ids_are_part_of_the_law_in_any_order():
    law = Sampling(excluded=(7, 5, 7))
    assert law == Sampling(excluded=(5, 7))
    assert sampling_json(law) == '{"excluded": [5, 7], "seed": 0, "temperature": 1.0, "top_k": 0, "top_p": 1.0}'
    assert Sampling(**json.loads(sampling_json(law))) == law


def test_an_excluded_id_below_zero_is_refused():
    with pytest.raises(ValueError, match="excluded must hold token ids of at least 0, got -1"):
        Sampling(excluded=(3, -1))
