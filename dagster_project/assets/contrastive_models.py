"""The contrastive models of one slice: the policy with an adapter of right solutions, and with one of wrong ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from dagster_project import report
from dagster_project.checks import check, specs
from dagster_project.contrasting import Trained, adapters_folder, train
from dagster_project.dataset_settings import ContrastiveModelsSettings
from dagster_project.failures import explained
from dagster_project.finishing import Table, finished
from dagster_project.partitions import cell_of
from dagster_project.resources.policy import PolicyResource
from dagster_project.resources.store import Store
from dagster_project.settings.file import Settings
from dagster_project.unanswered import nothing_to_verify, set_aside
from filters.answers.checker import AnswerRule
from generators.attempts.table import attempts_of
from generators.critical_token_pairs import choice as cdpo
from generators.critical_token_pairs.recipe import token_ids
from generators.critical_token_pairs.schema import CONTRASTIVE_MODELS
from generators.critical_token_pairs.table import examples_table
from generators.problems.table import problems_of
from generators.records import Attempt
from generators.training import adapters
from generators.training.contrastive_models import SIDES

DROPPED = {"problem_id": pl.String, "attempt_index": pl.Int64, "side": pl.String, "reason": pl.String}
LACKING = {"positive": "no_right_solution", "negative": "no_wrong_solution"}
Examples = Mapping[str, Sequence[Attempt]]


def contrastive_models(settings: Settings, grid: dg.MultiPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, with the settings' numbers as the Launchpad's defaults."""
    defaults = settings.contrastive_models
    slices = settings.slices()

    class ContrastiveModelsRun(dg.Config):
        """How the adapters are trained; equal ones on equal solutions are not trained again."""

        rank: int = Field(defaults.rank, ge=1, description="rank of the adapters")
        learning_rate: float = Field(defaults.learning_rate, gt=0, description="learning rate")
        epochs: int = Field(defaults.epochs, ge=1, description="times that each solution is seen")

    @dg.asset(
        name="contrastive_models",
        partitions_def=grid,
        deps=["problems", "attempts"],
        group_name="preferences",
        kinds={"pytorch", "parquet"},
        pool="gpu",
        code_version=f"{cdpo.VERSION}.{adapters.VERSION}",
        check_specs=specs("contrastive_models", warning=["both_sides_have_examples"]),
    )
    def asset(
        context: dg.AssetExecutionContext, config: ContrastiveModelsRun, policy: PolicyResource, store: Store
    ) -> dg.MaterializeResult:
        """Two adapters of the policy, or what stands for them, and the solutions that they learn from."""
        cell = cell_of(context)
        source, _ = slices[cell.slice]
        asked = ContrastiveModelsSettings.model_validate(defaults.model_dump() | config.model_dump())
        with explained():
            problems = problems_of(store.read(store.table("problems", cell)))
            if nothing_to_verify(problems):
                return set_aside(context, store, cell, problems, CONTRASTIVE_MODELS, dropped=DROPPED)
            folder = adapters_folder(asked, store)
            attempts = attempts_of(store.read(store.table("attempts", cell)))
            examples, dropped = examples_of(attempts, source.answer_rule, most=asked.max_tokens)
            trained = train(examples, policy=policy, settings=asked, folder=folder, say=context.log.info)
            used = [(side, attempt) for side in SIDES for attempt in examples[side]]
            frame = examples_table(used, cell.provenance(policy.identity().name))
            store.write_recipe("contrastive_models", cell, trained.plain | {"training": asked.recipe()})
            store.write(store.table("contrastive_models", cell), frame)
            store.write(store.dropped("contrastive_models", cell), dropped)
            return finished(
                Table(asset="contrastive_models", frame=frame, schema=CONTRASTIVE_MODELS),
                store,
                cell,
                settings.checks,
                checks=[both_sides_have_examples(frame)],
                metadata=metadata(frame, trained),
                policy=policy,
            )

    return asset


def examples_of(
    attempts: Mapping[str, Sequence[Attempt]], rule: AnswerRule, *, most: int
) -> tuple[Examples, pl.DataFrame]:
    """The solutions of each side, and the problems and solutions that were left out with the reason."""
    kept: dict[str, list[Attempt]] = {side: [] for side in SIDES}
    dropped: list[tuple[str, int | None, str, str]] = []
    for problem_id, tried in attempts.items():
        choice = cdpo.choose_solutions(tried, rule=rule)
        positive = () if choice.positive is None else (choice.positive,)
        for side, chosen in zip(SIDES, (positive, choice.negatives), strict=True):
            fitting = [attempt for attempt in chosen if len(token_ids(attempt)) <= most]
            kept[side] += fitting
            long = [attempt.attempt_index for attempt in chosen if attempt not in fitting]
            dropped += [(problem_id, index, side, "too_long") for index in long]
            if not chosen:
                dropped.append((problem_id, None, side, LACKING[side]))
    return kept, pl.DataFrame(dropped, schema=DROPPED, orient="row")


def metadata(frame: pl.DataFrame, trained: Trained) -> dict[str, Any]:
    """What the UI shows of the models: examples, losses, speed, where the adapters are and which are new."""
    told: dict[str, Any] = {"models": trained.plain["models"]}
    if trained.losses:
        told["losses"] = report.curves(trained.losses, title="Loss per step", x="step", y="loss")
        told["last_losses"] = report.facts({side: losses[-1] for side, losses in trained.losses.items()})
    if trained.tokens_per_second is not None:
        told["training_tokens_per_second"] = round(trained.tokens_per_second, 1)
    if trained.adapters is not None:
        for side, path in zip(SIDES, (trained.adapters.positive, trained.adapters.negative), strict=True):
            told[f"{side}_adapter"] = dg.MetadataValue.path(str(path))
            told[f"{side}_adapter_is"] = "trained" if side in trained.adapters.trained else "reused"
    sides = dict(frame.group_by("side").len().iter_rows())
    lengths = frame["n_tokens"].to_list()
    return told | {
        "examples": report.counts({side: sides.get(side, 0) for side in SIDES}),
        "lengths": report.histogram(
            lengths, title="Length with the prompt", x="tokens", y="solutions", bounds=(0, max(1, *lengths, 0))
        ),
        "sample_rows": report.sample_rows(frame, ("problem_id", "attempt_index", "side", "n_tokens")),
    }


def both_sides_have_examples(frame: pl.DataFrame) -> dg.AssetCheckResult:
    """Whether there are right and wrong solutions to learn from: without one side there is no contrast."""
    sides = dict(frame.group_by("side").len().iter_rows())
    counts = {side: sides.get(side, 0) for side in SIDES}
    told = " and ".join(f"{count} {side}" for side, count in counts.items())
    return check("both_sides_have_examples", all(counts.values()), f"{told} examples", blocks=False, figures=counts)
