"""CPU seconds and peak memory of every stage of one slice, by its problems and the tokens of a rollout.

The policy is the simulated one, in the process of the stage. Each stage runs in a process of its own over the tables
that those before it left. Its answer checker's workers count as CPU seconds, not as memory.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

STAGES = (
    "problems",
    "attempts",
    "process_labels",
    "step_preference_pairs",
    "contrastive_models",
    "critical_token_pairs",
    "self_correction_traces",
    "long_cot_traces",
)
NOTHING = "nothing"  # a process that imports everything and opens the settings
ROUND, SLICE = "scale", "sums-0"
STEPS = 8.5  # the mean of a problem
OVERHEAD = 6.5  # tokens of a step but for its fillers, so that a mean of 3 fillers gives rollouts of 80 tokens
SETTINGS = """
data_root = "data"

[policy]
model = "simulated"

[[sources]]
kind = "simulated"
name = "sums"
size = {problems}
min_steps = 5
max_steps = 12

[attempts]
n = {attempts}
max_tokens = {limit}

[process_labels]
solutions_per_problem = 2
cap = 32
pilot = 16
audit = 8

[step_preference_pairs]
cap = 32

[contrastive_models]
max_tokens = {longest}

[critical_token_pairs]
search_cap = 32
cap = 32
budget = 64

[long_cot_traces]
n = 4
examples = "short"
max_tokens = {limit}

[checks]
least_right = 0.0
most_right = 1.0
least_label = 0.0
max_no_answer_share = 1.0

[checks.least_yield]
attempts = 0
"""


def stages(
    problems: int, tokens: int, only: tuple[str, ...] = STAGES, *, attempts: int = 8
) -> dict[str, dict[str, float]]:
    """CPU seconds, peak MB and rows of each stage, on so many problems whose rollouts have about so many tokens."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "stepmill.toml").write_text(settings(problems, tokens, attempts=attempts))
        return {stage: _alone(folder, stage, tokens) for stage in only}


def settings(problems: int, tokens: int, *, attempts: int) -> str:
    """The settings of a slice, as its file has them.

    The search of a pair takes the square of its length. So at 2,000 tokens pairs of more than 1,600 are left out, which
    leaves every fifth problem; the defaults would leave every fiftieth.
    """
    limit, longest = 4 * tokens + 100, max(1024, 4 * tokens // 5)
    return SETTINGS.format(problems=problems, limit=limit, longest=longest, attempts=attempts)


def _alone(folder: Path, stage: str, tokens: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.scale_stages", "--in", str(folder), "--only", stage]
    done = subprocess.run(
        [*command, "--tokens", str(tokens)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{stage} failed in {folder}: run `{' '.join(command)} --tokens {tokens}` to see why")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"{stage}: {figures}", file=sys.stderr, flush=True)
    return figures


def made(folder: Path, stage: str, tokens: int) -> dict[str, float]:
    """Make a stage in this process."""
    import dagster as dg

    from dagster_project.definitions import build
    from dagster_project.resources import policy
    from dagster_project.settings.file import load_settings
    from generators.engine.simulated.law import SimulatedLaw
    from generators.engine.simulated.policy import SimulatedPolicy

    law = SimulatedLaw(mean_fillers=max(0.0, tokens / STEPS - OVERHEAD))
    policy.SimulatedPolicy = partial(SimulatedPolicy, law=law, max_model_len=100_000, keeps_log=False)  # type: ignore[attr-defined,assignment]
    settings = load_settings(folder / "stepmill.toml")
    if stage == NOTHING:
        build(settings)
        return {**spent(), "rows": 0}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("rounds", [ROUND])
        done = (
            build(settings)
            .resolve_job_def("slice")
            .execute_in_process(
                partition_key=dg.MultiPartitionKey({"round": ROUND, "slice": SLICE}),
                instance=instance,
                asset_selection=[dg.AssetKey(stage)],
            )
        )
        (event,) = done.asset_materializations_for_node(stage)
    return {**spent(), "rows": int(str(event.metadata["rows_kept"].value))}


def spent() -> dict[str, float]:
    """The CPU seconds of this process and its workers, and the most memory in MB that it has held."""
    own, workers = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # A process inherits `ru_maxrss` from the one that started it.
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return {
        "cpu_s": round(own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime, 2),
        "peak_mb": round(int(line.split()[1]) / 1024, 1),
    }


def main() -> None:
    """Measure all stages at one size, or one stage over the tables in a folder."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--problems", type=int, default=100)
    arguments.add_argument("--tokens", type=int, default=80)
    arguments.add_argument("--attempts", type=int, default=8, help="of each problem")
    arguments.add_argument("--stages", nargs="*", choices=STAGES, default=STAGES, help="these stages, in their order")
    arguments.add_argument("--only", choices=(NOTHING, *STAGES), help="one stage, in this process")
    arguments.add_argument("--in", dest="folder", type=Path, help="with --only: where its tables are")
    options = arguments.parse_args()
    if options.folder:
        print(json.dumps(made(options.folder, options.only, options.tokens)))
    else:
        print(json.dumps(stages(options.problems, options.tokens, tuple(options.stages), attempts=options.attempts)))


if __name__ == "__main__":
    main()
