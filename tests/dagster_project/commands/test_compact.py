from typer.testing import CliRunner
from upath import UPath

from dagster_project.cli import app
from dagster_project.partitions import Cell
from dagster_project.resources.store import Store
from generators.engine.protocol import Sampling
from generators.records import Rollout
from generators.sampling.ledger import Ledger, LedgerKey

KEY = LedgerKey(policy="p", prefix=(1, 2), sampling=Sampling())
SETTINGS = (
    'data_root = "data"\n[policy]\nmodel = "simulated"\n[[sources]]\nkind = "simulated"\nname = "sums"\nsize = 3\n'
)


def fill(store, cell):
    with Ledger(store.ledger_folder("p", cell), merges=False) as ledger:
        for index in range(3):
            ids = (index,)
            ledger.add(KEY, Rollout(key=KEY.digest(), index=index, token_ids=ids, text="", finish_reason="length"))
            ledger.flush()


def test_compact_merges_every_ledger_that_no_run_holds(tmp_path):
    (tmp_path / "stepmill.toml").write_text(SETTINGS)
    store = Store(data_root=str(tmp_path / "data"))
    free, other, held = (Cell(round=key, slice="sums-0") for key in ("r1", "r2", "r3"))
    for cell in (free, other, held):
        fill(store, cell)

    def compact(*options):
        return CliRunner().invoke(app, ["compact", "--settings", str(tmp_path / "stepmill.toml"), *options])

    def parts(cell):
        return len(list(UPath(store.ledger_folder("p", cell)).glob("part-*.parquet")))

    with store.ledger("p", held, run="4711"):
        one = compact("--round", "r1")
        assert (one.exit_code, one.stdout.splitlines()) == (
            0,
            [f"{store.ledger_folder('p', free)}: 3 rollouts, 2 parts fewer"],
        )
        assert [parts(cell) for cell in (free, other, held)] == [1, 3, 3]
        every = compact()
        assert every.exit_code == 0
        assert "left as it is: another run holds the lease" in every.stderr
        assert "run 4711" in every.stderr
    assert [parts(cell) for cell in (free, other, held)] == [1, 1, 3]


def test_compact_says_that_there_is_no_ledger(tmp_path):
    (tmp_path / "stepmill.toml").write_text(SETTINGS)
    done = CliRunner().invoke(app, ["compact", "--settings", str(tmp_path / "stepmill.toml")])
    assert done.exit_code == 0
    assert "there is no ledger in" in done.stdout
