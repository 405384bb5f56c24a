"""The stage `contrastive_models`: two adapters of the policy a fold, and the solutions that they learn from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType

import polars as pl

from filters.answers.checker import AnswerRule
from filters.equations.rules import FALSE_EQUATION
from generators.attempts.table import attempts_of
from generators.checks import Check, CheckSpec
from generators.critical_token_pairs import choice, folds
from generators.critical_token_pairs.choice import choose_solutions
from generators.critical_token_pairs.folds import FOLDS
from generators.critical_token_pairs.recipe import token_ids
from generators.critical_token_pairs.schema import CONTRASTIVE_MODELS, MODELS_DROPPED
from generators.critical_token_pairs.settings import ModelsSettings
from generators.critical_token_pairs.table import examples_table
from generators.critical_token_pairs.trained_models import Examples, TrainedModels, adapters_folder, train
from generators.preflight import Finding, Preflight
from generators.problems import prompt as solve
from generators.records import Attempt
from generators.shown import Counts, Curves, Facts, Folder, SampleRows, Shown, lengths
from generators.stage import Output, Slice, Stage
from generators.training import adapters
from generators.training.contrastive_models import SIDES

LACKING = {"positive": "no_right_solution", "negative": "no_wrong_solution"}


async def make(slice: Slice, settings: ModelsSettings) -> Output:
    """Train the adapters of the slice, or reuse those that learnt from the same solutions."""
    folder = adapters_folder(slice, settings)
    attempts = attempts_of(slice.table("attempts"))
    prompts = {problem.problem_id: problem.prompt for problem in slice.problems()}
    examples, dropped = examples_of(attempts, slice.source.answer_rule, most=settings.max_tokens, prompts=prompts)
    trained = train(examples, slice=slice, settings=settings, folder=folder)
    rows = examples_table([(side, attempt) for side in SIDES for attempt in examples[side]], slice.origin)
    return Output(
        rows=rows,
        dropped=dropped,
        config=trained.config | {"training": asdict(settings.training)},
        checks=[both_sides_have_examples(rows)],
        shown=shown(rows, trained),
    )


def examples_of(
    attempts: Mapping[str, Sequence[Attempt]],
    rule: AnswerRule,
    *,
    most: int,
    prompts: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Examples, pl.DataFrame]:
    """The solutions of each side of at most `most` tokens, and the sides and solutions that were dropped.

    `prompts` has the text of each problem. Solutions come by problem and attempt, whatever the order of `attempts`.
    """
    kept: dict[str, list[Attempt]] = {side: [] for side in SIDES}
    dropped: list[tuple[str, int | None, str, str]] = []
    for problem_id, solutions in sorted(attempts.items()):
        chosen = choose_solutions(solutions, rule=rule, given=prompts.get(problem_id, ""))
        positives = () if chosen.positive is None else (chosen.positive,)
        for side, of_side in zip(SIDES, (positives, chosen.negatives), strict=True):
            in_order = sorted(of_side, key=lambda attempt: attempt.attempt_index)
            fitting = [attempt for attempt in in_order if len(token_ids(attempt)) <= most]
            kept[side] += fitting
            too_long = [attempt.attempt_index for attempt in in_order if attempt not in fitting]
            dropped += [(problem_id, index, side, "too_long") for index in too_long]
            if not of_side:
                is_refuted = side == "positive" and chosen.all_refuted
                dropped.append((problem_id, None, side, FALSE_EQUATION if is_refuted else LACKING[side]))
    return kept, MODELS_DROPPED.validate(pl.DataFrame(dropped, schema=MODELS_DROPPED.empty().schema, orient="row"))


def shown(rows: pl.DataFrame, trained: TrainedModels) -> dict[str, Shown]:
    """Examples, losses and speed, where the adapters of either fold are, and which of them are new."""
    entries: dict[str, Shown] = {"models": trained.config["models"]}
    losses = {
        f"fold {fold}, {side}": of_side
        for fold, models in trained.adapters.items()
        for side, of_side in models.losses.items()
    }
    if losses:
        entries["losses"] = Curves(series=losses, title="Loss per step", x="step", y="loss")
        entries["last_losses"] = Facts({name: of_side[-1] for name, of_side in losses.items()})
    if trained.tokens_per_second is not None:
        entries["training_tokens_per_second"] = round(trained.tokens_per_second, 1)
    for fold, models in trained.adapters.items():
        for side, path in zip(SIDES, (models.positive, models.negative), strict=True):
            entries[f"fold_{fold}_{side}_adapter"] = Folder(str(path))
            entries[f"fold_{fold}_{side}_adapter_is"] = "trained" if side in models.trained else "reused"
    return entries | {
        "examples": Counts(count_examples(rows)),
        "lengths": lengths(rows["n_tokens"].to_list(), title="Length with the prompt", x="tokens", y="solutions"),
        "sample_rows": SampleRows(rows, ("problem_id", "attempt_index", "fold", "side", "n_tokens")),
    }


def count_examples(rows: pl.DataFrame) -> dict[str, int]:
    """The number of examples of each fold and side."""
    return {
        f"fold {fold}, {side}": rows.filter(pl.col("fold") == fold, pl.col("side") == side).height
        for fold in FOLDS
        for side in SIDES
    }


def both_sides_have_examples(rows: pl.DataFrame) -> Check:
    """Passes if either fold has right and wrong solutions to learn from: without one side there is no contrast.

    The problems of the other fold are then not scored, rather than by models that learnt from them.
    """
    counts = count_examples(rows)
    return Check(
        name="both_sides_have_examples",
        passed=all(counts.values()),
        why=f"examples: {'; '.join(f'{name}: {count}' for name, count in counts.items())}. A fold without one side "
        "trains no models, and the problems of the other fold have no pairs then",
        remedy="Take problems that the policy solves sometimes, more of them, or more attempts (`n` of [attempts]).",
        blocks=False,
        figures=counts,
    )


def preflight(known: Preflight, settings: ModelsSettings) -> Iterator[Finding]:
    """Whether solutions with their prompts are short enough to be trained on and scored."""
    chats = [solve.messages(problem.prompt, examples=known.source.examples) for problem in known.problems]
    lengths = [known.policy.length(chat) for chat in chats]
    without_room = sum(length >= settings.max_tokens for length in lengths)
    if without_room:
        yield Finding(
            field="contrastive_models.max_tokens",
            why=f"{without_room} of {len(lengths)} prompts of source {known.source.name} leave no room for a solution "
            f"in {settings.max_tokens} tokens, the most that are trained on and paired; the longest has {max(lengths)}",
            remedy=f"raise it above {max(lengths)} and the length of a solution",
            blocks=without_room > known.most_failed * len(lengths),
        )


STAGE = Stage(
    name="contrastive_models",
    title="Adapters of the policy, of right and of wrong solutions of either fold, and what they learn from.",
    group="datasets",
    settings=ModelsSettings,
    needs=("problems", "attempts"),
    schema=CONTRASTIVE_MODELS,
    dropped=MODELS_DROPPED,
    version=f"{choice.VERSION}.{folds.VERSION}.{adapters.VERSION}",
    make=make,
    checks=(
        CheckSpec("both_sides_have_examples", "Either fold has right and wrong solutions to learn from.", blocks=False),
    ),
    preflight=preflight,
    kinds=frozenset({"pytorch", "parquet"}),
)
