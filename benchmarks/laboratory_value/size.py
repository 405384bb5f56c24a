"""How much is drawn, trained and evaluated: the full size and the quick one."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """The numbers of one run.

    Each of `seeds` seeds has a round of its own, of `problems` problems. `test` problems are solved `samples` times,
    and the first `deep` of them 64 times, for pass@64; so are `validation` problems, `samples` times, to choose
    settings by. A preference training has at most `pairs` pairs, a reward model `reward_steps` steps. `recoveries`
    wrong starts are continued four times each.
    """

    seeds: int
    problems: int
    test: int
    deep: int
    validation: int
    samples: int
    pairs: int
    recoveries: int
    reward_steps: int
    short_grid: bool = False


FULL = Size(
    seeds=5,
    problems=250,
    test=300,
    deep=32,
    validation=100,
    samples=8,
    pairs=300,
    recoveries=150,
    reward_steps=300,
)
QUICK = Size(
    seeds=2,
    problems=60,
    test=100,
    deep=20,
    validation=60,
    samples=8,
    pairs=100,
    recoveries=40,
    reward_steps=200,
    short_grid=True,
)
