"""The law of the ledger, over interleavings of runs that take one another's lease."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from upath import UPath

from generators.engine.protocol import Sampling
from generators.records import Rollout
from generators.sampling.ledger import LeaseLost, Ledger, LedgerKey, Stored, Terms, totals
from generators.sampling.ledger import lease as leases
from generators.sampling.ledger.law import continues
from generators.sampling.ledger.names import new_name
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
        self.folder, self.number = folder, number
        self.ledger = Ledger(folder, terms=TERMS, flush_seconds=3600, merges=False)
        self.table = {}
        self.has_ended = False

    def draw(self, index, length):
        known = self.ledger.get(DIGEST, index)
        head = known.token_ids if known else TokenIds()
        if len(head) < length:  # each run draws other tokens
            drawn = [*head, *(10 * self.number + place for place in range(len(head), length))]
            self.ledger.add(KEY, rollout(index, drawn))
        self.table[index] = tuple(self.ledger.get(DIGEST, index).token_ids[:length])

    def write_late(self, index):
        """Finish a write that began before the lease was lost."""
        name = new_name(self.ledger._lease.epoch, self.ledger._written + 1, "")
        write(self.folder, f"part-{name.place}", (99, 99, 99, 99, 99), index)


def let_expire(folder):
    file = leases.lease_file(folder, max(leases.epochs(folder)))
    content = json.loads(file.read_bytes())
    file.write_bytes(json.dumps(content | {"renewed": 0.0}).encode())


ACTIONS = st.one_of(
    st.tuples(st.just("draw"), st.integers(0, 2), st.integers(0, 2), st.integers(1, 4)),
    st.tuples(st.sampled_from(["begin", "flush", "compact", "end"]), st.integers(0, 2)),
    st.tuples(st.just("write_late"), st.integers(0, 2), st.integers(0, 2)),
)


@settings(max_examples=60, deadline=None)
@given(actions=st.lists(ACTIONS, min_size=6, max_size=30))
def test_the_ledger_never_contradicts_a_table(tmp_path_factory, actions):
    folder = UPath(tmp_path_factory.mktemp("ledger"))
    runs, tables = {}, []
    for number, (action, who, *arguments) in enumerate(actions, start=1):
        run = runs.get(who)
        if action == "begin":
            if leases.epochs(folder):
                let_expire(folder)
            runs[who] = Run(folder, number)
        elif run is not None and not run.has_ended:
            is_behind = run.ledger._lease.epoch < max(leases.epochs(folder))
            if action == "write_late":
                if is_behind:
                    run.write_late(*arguments)
                continue
            try:
                if action == "draw":
                    run.draw(*arguments)
                elif action == "end":
                    run.has_ended = True
                    run.ledger.close()
                    tables.append(run.table)
                else:
                    getattr(run.ledger, action)()
            except LeaseLost:
                assert is_behind
    if leases.epochs(folder):
        let_expire(folder)
    with Ledger(folder, terms=TERMS, merges=False) as ledger:
        for table in tables:
            for index, token_ids in table.items():
                assert ledger.get(DIGEST, index).token_ids[: len(token_ids)] == token_ids
        assert totals([folder])["rollouts"] == len(ledger)
        ledger.compact()
        for table in tables:
            for index, token_ids in table.items():
                assert ledger.get(DIGEST, index).token_ids[: len(token_ids)] == token_ids
