"""Critical-token pairs (cDPO): a right and a wrong solution, a weight on every token, the critical one tested."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import polars as pl

from generators.attempts.table import StoredAttempts, sampling_of
from generators.blocks import BlockWriter
from generators.card import Card
from generators.checks import CheckSpec
from generators.critical_token_pairs import calibration, choice, folds, recipe, scores
from generators.critical_token_pairs.contrast import count_contrast
from generators.critical_token_pairs.pairs import Dropped, StoredPairs, pairs_of
from generators.critical_token_pairs.recipe import CriticalTokenPair, critical_token_pair
from generators.critical_token_pairs.release import (
    CONFIGS,
    PICTURE,
    CriticalTokenParameters,
    count_tokens,
    exports,
    more_facts,
    parameters_of,
)
from generators.critical_token_pairs.report import critical_tokens_confirmed, shown
from generators.critical_token_pairs.schema import CRITICAL_TOKEN_PAIRS, DROPPED
from generators.critical_token_pairs.scoring import score
from generators.critical_token_pairs.settings import ModelsSettings, Settings
from generators.critical_token_pairs.table import ScoredBy, pair_row
from generators.critical_token_pairs.tokens import nominees
from generators.critical_token_pairs.tokens.nominees import CriticalTokensConfig
from generators.critical_token_pairs.trained_models import names_of
from generators.critical_token_pairs.view import VIEW
from generators.dataset import Dataset
from generators.process_labels.labels import ProcessLabels
from generators.sampling.room import Room
from generators.search.priors import Priors
from generators.section import stored
from generators.stage import Output, Slice, Stage

TOKENS_AT_ONCE = 6_144  # of the wrong solutions that are tested at a time: their beliefs take some 75 kB a token


async def make(slice: Slice, settings: Settings) -> Output:
    """Score a pair of solutions of each problem, and test the critical tokens of the wrong one."""
    attempts, labels = StoredAttempts(slice.stored("attempts")), ProcessLabels.of(slice)
    trained = slice.recipe("contrastive_models")
    today = slice.settings("contrastive_models")
    models = stored(ModelsSettings, trained, "contrastive_models")
    models = models.model_copy(update={"folder": today.folder, "weights": today.weights})
    with_models = names_of(trained["config"]).keys()
    pairs, dropped = pairs_of(
        slice.problems(), attempts, slice.source.answer_rule, most=models.max_tokens, with_models=with_models
    )
    sampling, max_tokens = sampling_of(slice)
    config = CriticalTokensConfig(
        sampling=sampling, max_tokens=max_tokens, priors=labels.priors or Priors(), settings=settings
    )
    writer = slice.writer(CRITICAL_TOKEN_PAIRS)
    tested = Tested()
    if pairs:
        sides = [(pair.problem.problem_id, ids) for pair in pairs for ids in pair.sides]
        of_sides, scored_by = score(sides, trained["config"], slice=slice, models=models, settings=settings)
        of_pairs = StoredPairs(pairs, of_sides, slice=slice, attempts=attempts, labels=labels)
        tested = await test(of_pairs, scored_by, writer, slice=slice, config=config)
    table = writer.table()
    rows = DROPPED.empty().schema
    return Output(
        rows=table,
        dropped=DROPPED.validate(pl.DataFrame([*dropped, *tested.refused], schema=rows, orient="row")),
        config={
            "sampling": asdict(sampling),
            "max_tokens": max_tokens,
            "priors": config.priors.to_json(),
            "confirmation": asdict(settings.criterion),
            "weights_temperature": tested.temperature,
            "models": trained["config"],
        },
        checks=[critical_tokens_confirmed(table.frame(["critical_confirmed"]))],
        shown=shown(table, tested.not_confirmed, slice.policy.tokenizer, temperature=tested.temperature),
        n_items=len(pairs),
        n_failed=len(tested.refused),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What tests say beside their rows: the temperature of the weights, the pairs that the engine refused as dropped
    rows, and the nominees that were not confirmed by reason.
    """

    temperature: float | None = None
    refused: Sequence[Dropped] = ()
    not_confirmed: Mapping[str, int] = field(default_factory=dict)


async def test(
    pairs: StoredPairs, scored_by: ScoredBy, writer: BlockWriter, *, slice: Slice, config: CriticalTokensConfig
) -> Tested:
    """Test the pairs, and write a row for each that the engine did not refuse; raises EngineError."""
    temperature, rule, room = pairs.temperature(), slice.source.answer_rule, Room(TOKENS_AT_ONCE)
    not_confirmed: Counter[str] = Counter()
    async with slice.workbench(unit="pairs", total=len(pairs)) as bench:

        async def tested(number: int) -> CriticalTokenPair:
            async with room.taken(pairs.length(number)):
                scored, tree = pairs.read(number)
                return await critical_token_pair(
                    scored, tree=tree, sampler=bench.sampler, checker=bench.checker, rule=rule, config=config
                )

        def take(pair: CriticalTokenPair) -> None:
            writer.add([pair_row(pair, scored_by, temperature, slice.origin)])
            not_confirmed.update(reason for _, reason in pair.critical.dropped)

        failures = await bench.each(tested, range(len(pairs)), take)
    refused = [(*pairs.name(failure.item), "refused", failure.message) for failure in failures]
    return Tested(temperature=temperature, refused=refused, not_confirmed=not_confirmed)


DATASET: Dataset[CriticalTokenParameters] = Dataset(
    stage=Stage(
        name="critical_token_pairs",
        title="A right and a wrong solution with a score and a weight on every token; rollouts test the critical ones.",
        group="datasets",
        settings=Settings,
        needs=("problems", "attempts", "process_labels", "contrastive_models"),
        schema=CRITICAL_TOKEN_PAIRS,
        dropped=DROPPED,
        version=".".join(part.VERSION for part in (recipe, nominees, scores, calibration, choice, folds)),
        make=make,
        checks=(
            CheckSpec(
                "critical_tokens_confirmed",
                "Rollouts confirm a critical token in enough of the wrong solutions.",
                blocks=False,
            ),
        ),
        kinds=frozenset({"vllm", "pytorch", "parquet"}),
    ),
    configs=CONFIGS,
    card=Card.beside(__file__),
    parameters=CriticalTokenParameters,
    parameters_of=parameters_of,
    label_counts=count_tokens,
    counts=count_contrast,
    more_facts=more_facts,
    picture=PICTURE,
    attachments=exports,
    lengths=("chosen_token_ids", "rejected_token_ids", "critical_positions"),
    sample_columns=("prompt", "chosen", "rejected", "critical_positions", "critical_confirmed"),
    view=VIEW,
)
