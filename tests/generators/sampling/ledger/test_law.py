"""The law of the ledger, over interleavings of runs that take one another's lease."""

import json
from contextlib import suppress
from functools import partial
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from generators.engine.protocol import Sampling
from generators.records import Rollout
from generators.sampling.ledger import LeaseLost, Ledger, LedgerKey, Stored, Terms, merging, totals
from generators.sampling.ledger import lease as leases
from generators.sampling.ledger.law import continues
from generators.sampling.ledger.lease_file import epochs, lease_file
from generators.sampling.ledger.parts import NewRow, digest_of, part_bytes, table_of
from generators.tokens import TokenIds

KEY = LedgerKey(policy="p", prefix=(1, 2, 3), sampling=Sampling())
DIGEST = KEY.digest()
TERMS = Terms(valid_s=3600, wait_s=0)


def stored(token_ids, reason="length"):
    return Stored(TokenIds(token_ids), reason)


@pytest.mark.parametrize(
    ("earlier", "later", "replaces"),
    [
        (stored((5, 6)), stored((5, 6, 7)), True),
        (stored((5, 6), "stop"), stored((5, 6, 7), "eos"), True),
        (stored(()), stored((5,)), True),
        (stored((5, 6)), stored((5, 6)), False),
        (stored((5, 6)), stored((5,)), False),
        (stored((5, 6)), stored((7, 8, 9, 10)), False),
        (stored((5, 6), "eos"), stored((5, 6, 7)), False),
    ],
)
def test_only_a_continuation_of_one_that_had_not_ended_replaces_it(earlier, later, replaces):
    assert continues(later, earlier) is replaces


@pytest.mark.parametrize("flushed", [False, True])
def test_a_different_rollout_is_not_taken_however_long_it_is(tmp_path, flushed):
    with Ledger(UPath(tmp_path)) as ledger:
        ledger.add(KEY, rollout(0, (5, 6)))
        if flushed:
            ledger.flush()
        ledger.add(KEY, rollout(0, (7, 8, 9, 10)))
        assert ledger.get(DIGEST, 0).token_ids == (5, 6)
    with Ledger(UPath(tmp_path)) as ledger:
        assert ledger.get(DIGEST, 0).token_ids == (5, 6)


@pytest.mark.parametrize("merged", [False, True])
def test_of_two_parts_that_differ_the_earlier_stands(tmp_path, merged):
    """As two runs of an earlier stepmill wrote them at once."""
    folder = UPath(tmp_path)
    for number, ids in enumerate([(5, 6), (7, 8, 9, 10), (5, 6, 7)], start=1):
        write(folder, f"part-{number:020d}", ids)
    with Ledger(folder) as ledger:
        if merged:
            assert ledger.compact() == 2
        assert ledger.get(DIGEST, 0).token_ids == (5, 6, 7)
    with Ledger(folder) as ledger:
        assert ledger.get(DIGEST, 0).token_ids == (5, 6, 7)


def rollout(index, token_ids):
    return Rollout(key=DIGEST, index=index, token_ids=tuple(token_ids), text="", finish_reason="length")


def write(folder, name, token_ids, index=0):
    row = NewRow(DIGEST, index, "p", "{}", TokenIds((1, 2, 3)), stored(token_ids), 0)
    content = part_bytes(table_of([row]))
    (folder / f"{name}-{digest_of(content)}.parquet").write_bytes(content)


class Run:
    """A run of a slice: it draws what the ledger lacks, and its table is what it was told."""

    def __init__(self, folder, number):
        let_expire(folder)
        self.ledger = Ledger(folder, terms=TERMS, flush_seconds=3600, merges=False)
        self.number, self.table = number, {}

    def draw(self, index, length):
        known = self.ledger.get(DIGEST, index)
        head = known.token_ids if known else TokenIds()
        if len(head) < length:  # each run draws other tokens
            drawn = [*head, *(10 * self.number + place for place in range(len(head), length))]
            self.ledger.add(KEY, rollout(index, drawn))
        self.table[index] = tuple(self.ledger.get(DIGEST, index).token_ids[:length])

    def flush(self):
        self.ledger.flush()

    def flush_late(self):
        """A write that was on its way when the lease was lost: the check before it had passed."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(leases.Lease, "check", lambda lease: None)
            self.ledger.flush()

    def merge(self, first, count):
        self.ledger._merge(lambda parts: parts[first : first + count])


def let_expire(folder):
    """Make the holder's lease one that was renewed long ago."""
    if held := epochs(folder):
        file = lease_file(folder, max(held))
        content = json.loads(file.read_bytes())
        file.write_bytes(json.dumps(content | {"renewed": 0.0}).encode())


def interrupted(action, by):
    """`action`, with another run beginning just before the first merged part is deleted."""
    with pytest.MonkeyPatch.context() as patch:
        remove = merging.remove

        def begin_and_remove(path):
            patch.setattr(merging, "remove", remove)
            by()
            remove(path)

        patch.setattr(merging, "remove", begin_and_remove)
        action()


def test_a_write_that_ends_after_the_next_run_began_does_not_count(tmp_path):
    folder = UPath(tmp_path)
    first = Run(folder, 1)
    first.draw(0, 3)
    second = Run(folder, 2)
    first.flush_late()
    second.draw(0, 3)
    second.ledger.close()
    with pytest.raises(LeaseLost):
        first.merge(0, 1)
    with pytest.raises(LeaseLost):
        first.ledger.close()
    with Ledger(folder, terms=TERMS) as ledger:
        assert ledger.get(DIGEST, 0).token_ids == second.table[0] == (20, 21, 22)
        (late,) = ledger.set_aside
        assert late.endswith(".late")
        assert "was written by a run that had lost its lease" in ledger.warnings[0]


def test_merging_some_of_the_parts_that_differ_changes_nothing(tmp_path):
    for first in range(3):
        folder = UPath(tmp_path / str(first))
        folder.mkdir()
        for number, ids in enumerate([(1,), (2,), (1, 2)], start=1):
            write(folder, f"part-{number:020d}", ids)
        run = Run(folder, 1)
        run.merge(first, 1)
        run.ledger.close()
        with Ledger(folder, terms=TERMS) as ledger:
            assert ledger.get(DIGEST, 0).token_ids == (1, 2)


def test_a_merge_that_is_cut_off_while_it_deletes_loses_nothing(tmp_path):
    folder = UPath(tmp_path)
    for number in range(1, 4):
        write(folder, f"part-{number:020d}", (number, number), index=number)
    first, later = Run(folder, 1), []
    interrupted(partial(first.merge, 0, 3), lambda: later.append(Run(folder, 2)))
    (second,) = later
    second.merge(0, 9)
    for index in (1, 2, 3):
        assert second.ledger.get(DIGEST, index).token_ids == (index, index)
    second.ledger.close()


WHO = st.integers(0, 1)
ACTIONS = st.one_of(
    st.tuples(st.just("draw"), WHO, st.integers(0, 1), st.integers(1, 4)),
    st.tuples(st.sampled_from(["flush", "flush_late", "end", "begin"]), WHO),
    st.tuples(st.sampled_from(["merge", "merge_interrupted"]), WHO, st.integers(0, 2), st.integers(2, 4)),
)
OLD_ROWS = st.tuples(st.integers(0, 1), st.lists(st.integers(1, 2), min_size=1, max_size=3))


@settings(max_examples=50, deadline=None)
@given(old=st.lists(OLD_ROWS, max_size=4), actions=st.lists(ACTIONS, min_size=5, max_size=25))
def test_the_ledger_never_contradicts_a_table(tmp_path_factory, old, actions):
    folder = UPath(tmp_path_factory.mktemp("ledger"))
    tables = [{}]  # the first is of whoever wrote the old parts, and might have read all of them
    for number, (index, ids) in enumerate(old, start=1):
        write(folder, f"part-{number:020d}", ids, index)
        known = tables[0].get(index)
        if known is None or continues(stored(ids), stored(known)):
            tables[0][index] = tuple(ids)
    runs, numbers = {}, count(1)

    def begin(who):
        runs[who] = Run(folder, next(numbers))

    def end(who):
        run = runs.pop(who)
        run.ledger.close()
        tables.append(run.table)

    for action, who, *arguments in actions:
        if who not in runs:
            begin(who)
        is_behind = runs[who].ledger._lease.epoch < max(epochs(folder))
        try:
            if action == "begin":
                begin(who)  # the run before it is never heard of again
            elif action == "end":
                end(who)
            elif action == "merge_interrupted":
                interrupted(partial(runs[who].merge, *arguments), partial(begin, 1 - who))
            else:
                getattr(runs[who], action)(*arguments)
        except LeaseLost:
            assert is_behind
    for who in list(runs):
        with suppress(LeaseLost):
            end(who)
    for merged in (False, True):
        with Ledger(folder, terms=TERMS, merges=False) as ledger:
            if merged:
                ledger.compact()
            for table in tables:
                for index, token_ids in table.items():
                    assert ledger.get(DIGEST, index).token_ids[: len(token_ids)] == token_ids
            assert totals([folder])["rollouts"] == len(ledger)
