"""Measures what a shared ledger saves: tokens for all datasets together, over the sum of each one on an empty ledger.

The datasets are those that draw rollouts beyond the attempts; problems and attempts are shared by all of them. One that
draws none would make the ratio look better than it is.

The real assets run in this process, as in `make demo`, with the numbers of `stepmill.toml`. A dataset alone is its
asset and everything it depends on. Tokens are counted by the engine. By default the policy is the simulated one through
its server; `--real` serves the embedded policy with the demo's problems. Everything is stored in `--folder`: an
interrupted run resumes there, and finished parts are read back. The last line is JSON.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from upath import UPath

from benchmarks.kept import kept
from dagster_project.definitions import build
from dagster_project.partitions import ROUNDS
from dagster_project.resources.policy import PolicySettings
from dagster_project.settings.file import DEFAULT_FILE, Settings, load_settings
from generators.datasets import DATASETS
from generators.engine.embedded import embedded_model
from generators.engine.server import LocalServer
from generators.engine.server_settings import ServerSettings
from generators.models.policy import EMBEDDED, SIMULATED
from generators.problems.settings import Source
from generators.sampling.ledger import totals

ROUND = "reuse"
TOGETHER = "together"
NAMES = tuple(dataset.name for dataset in DATASETS if dataset.stage.continues_attempts)
WITHOUT_LONG_COT = tuple(name for name in NAMES if name != "long_cot_traces")
IN_FLIGHT = 64
KEY = "LEDGER_REUSE_KEY"  # the variable with the key of the real server
CONTEXT = 2048
WHOLE_SOLUTION = 600  # tokens; the simulated policy ends within this limit
Tokens = Mapping[str, int]  # the tokens generated for each asset of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One run: the datasets made in it, on their own ledger."""

    name: str
    datasets: tuple[str, ...]


PARTS = (Part(name=TOGETHER, datasets=NAMES), *(Part(name=name, datasets=(name,)) for name in NAMES))


def figures(tokens: Mapping[str, Tokens]) -> dict[str, Any]:
    """The ratios, and the cost of each dataset alone and in the common run; `tokens` by part and asset."""
    together = tokens[TOGETHER]
    alone = {name: sum(tokens[name].values()) for name in NAMES}
    shared = sum(together.values())
    without_long_cot = shared - together.get("long_cot_traces", 0)
    return {
        "tokens_ratio": round(shared / sum(alone.values()), 3),
        "tokens_ratio_without_bolt": round(without_long_cot / sum(alone[name] for name in WITHOUT_LONG_COT), 3),
        "tokens_together": shared,
        "tokens_alone": sum(alone.values()),
        "datasets": {name: {"alone": alone[name], "together": together.get(name, 0)} for name in NAMES},
        "shared_stages": {name: spent for name, spent in together.items() if name not in NAMES},
        "by_part": {name: dict(by_asset) for name, by_asset in tokens.items()},
    }


def make_part(part: Part, settings: Settings, folder: Path) -> Tokens:
    """Make a part's datasets in the settings' data root, asset by asset, and count the tokens of each.

    An interrupted asset leaves a mark in `folder`; the tokens that it had put into the ledger count too.
    """
    definitions = build(settings)
    graph = definitions.resolve_asset_graph()
    needed = dg.AssetSelection.assets(*part.datasets).upstream().resolve(graph)
    tokens: dict[str, int] = {}
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(str(ROUNDS.name), [ROUND])
        job = definitions.resolve_job_def("slice")
        for slice_key in settings.slices():
            for asset in (key for key in graph.toposorted_asset_keys if key in needed):
                name = asset.to_user_string()

                def make(_: Path, name: str = name, asset: dg.AssetKey = asset, slice_key: str = slice_key) -> int:
                    mark = folder / f"{slice_key}-{name}.begun"
                    lost = in_ledger(settings) - sum(tokens.values()) if mark.exists() else 0
                    mark.touch()
                    return lost + generated(job, asset, slice_key, instance)

                spent = kept(folder, f"{slice_key}-{name}", {}, make)
                tokens[name] = tokens.get(name, 0) + spent
    return {name: spent for name, spent in tokens.items() if spent}


def generated(job: dg.JobDefinition, asset: dg.AssetKey, slice_key: str, instance: dg.DagsterInstance) -> int:
    """Materialise one asset of one slice; returns the tokens that the engine generated for it."""
    result = job.execute_in_process(
        partition_key=dg.MultiPartitionKey({"round": ROUND, "slice": slice_key}),
        instance=instance,
        asset_selection=[asset],
    )
    (event,) = result.get_asset_materialization_events()
    tokens = event.materialization.metadata.get("tokens_generated")
    return int(str(tokens.value)) if tokens else 0


def in_ledger(settings: Settings) -> int:
    """The tokens of all rollouts in the data root's ledgers."""
    return totals(list((UPath(settings.data_root) / "ledger").glob("*/*/*")))["generated"]


def measured(folder: Path, settings: Settings, say: Callable[[str], None]) -> dict[str, Tokens]:
    """Every part, made now or read back."""
    content = settings.model_dump(mode="json", exclude={"data_root": True, "policy": {"urls"}})
    tokens: dict[str, Tokens] = {}
    for part in PARTS:

        def make(part_folder: Path, part: Part = part) -> Tokens:
            return make_part(part, settings.model_copy(update={"data_root": str(part_folder / "data")}), part_folder)

        tokens[part.name] = kept(folder, part.name, content, make)
        say(f"{part.name}: {sum(tokens[part.name].values()):,} tokens, {json.dumps(tokens[part.name])}")
    return tokens


def simulated(base: Settings, url: str, *, size: int) -> Settings:
    """`base` with the simulated policy's server and problems, whose solutions are longer than the demo's."""
    source = Source.model_validate({"kind": SIMULATED, "name": "sums", "size": size})
    lengths = {"max_tokens": WHOLE_SOLUTION}
    corrections = lengths | {"first_budget": 96, "max_budget": 192}
    return base.model_copy(
        update={
            "policy": PolicySettings.model_validate({"model": SIMULATED, "urls": [url], "in_flight": IN_FLIGHT}),
            "sources": (source,),
            "evaluation_sets": (),
            "attempts": base.section("attempts").model_copy(update=lengths),
            "self_correction_traces": base.section("self_correction_traces").model_copy(update=corrections),
            "long_cot_traces": base.section("long_cot_traces").model_copy(update=lengths),
        }
    )


def real(base: Settings, server: LocalServer, *, folder: Path) -> Settings:
    """`base` with the embedded policy's server; all parts share one folder of contrastive models."""
    os.environ[KEY] = server.api_key
    policy = {
        "model": server.model_name,
        "tokenizer": EMBEDDED,
        "urls": [server.url],
        "api_key_env": KEY,
        "in_flight": IN_FLIGHT,
    }
    models = base.section("contrastive_models").model_copy(
        update={"weights": EMBEDDED, "folder": str(folder / "adapters")}
    )
    return base.model_copy(update={"policy": PolicySettings.model_validate(policy), "contrastive_models": models})


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Serve the policy and measure."""
    base = load_settings(DEFAULT_FILE)
    if options.real:
        server = LocalServer(
            ServerSettings(
                model=embedded_model(),
                dtype="float32",
                max_model_len=CONTEXT,
                max_sequences=IN_FLIGHT,
                kv_cache_gib=1.0,
            ),
            log_path=folder / "server.log",
        )
    else:
        server = LocalServer(ServerSettings(model=SIMULATED), log_path=folder / "server.log", command=_simulated_server)
    folder.mkdir(parents=True, exist_ok=True)
    with server:
        settings = (
            real(base, server, folder=folder) if options.real else simulated(base, server.url, size=options.problems)
        )
        return figures(measured(folder, settings, _say))


def _simulated_server(settings: ServerSettings, port: int) -> Sequence[str]:
    return (sys.executable, "-m", "generators.engine.simulated.server", "--port", str(port))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Measure, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--real", action="store_true", help="use the embedded policy and the demo's problems")
    arguments.add_argument("--problems", type=int, default=48, help="number of simulated problems")
    arguments.add_argument("--folder", type=Path, help="where everything is stored; default a temporary folder")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps(run(options, (options.folder or Path(temporary)).resolve())))


if __name__ == "__main__":
    main()
