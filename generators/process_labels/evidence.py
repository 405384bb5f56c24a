"""All evidence: when labels are made again, rollouts that other recipes drew after their steps count as well.

The recipes for step pairs, critical tokens and self-corrections draw after the same prefixes with the same sampling. So
do searches under other settings and rollouts that were drawn ahead. They lie in the ledger with consecutive indexes.

Which ones count is one rule. Behind the end of a step, the rollouts 0 to m - 1 count, where m is the number of
consecutive whole rollouts that the ledger held before this making drew its first. The content of a rollout follows
from its index, so none of them was chosen by its outcome. A run of rollouts with one that was cut off is left out,
since which of the others are whole depends on their length. Left out are also held-out rollouts
(`generators.search.held_out`), the endings of planted errors, which lie at far higher indexes, and whatever was drawn
with tokens excluded or from another prefix.

How many others drew, m, often follows from these same outcomes: a search or a test stopped by them. A posterior may
ignore such a rule, since the likelihood does not contain it (Berger and Wolpert, "The Likelihood Principle", 1984;
Rubin, "Inference and missing data", Biometrika 63, 1976). A share may not: that of a run that stopped at its first
right rollout is too large. So only the sequential test, whose values are posteriors, takes evidence in; the shares of
the other strategies keep their fixed lots, and margins of step pairs come from held-out rollouts.

Rows follow from ledger and settings, never from time. The first making counts what its search drew and nothing else,
whatever was drawn ahead of it. Made again, the search goes through the same decisions without this evidence, as do the
pilot that fits the priors and the audit, so it draws nothing new; a third making over that ledger gives the same rows.
"""

from collections.abc import Sequence

from generators.process_labels.choosing import Attempts, Item
from generators.process_labels.recipe import Held, ProcessLabelsConfig
from generators.records import Attempt
from generators.sampling.sampler import Sampler
from generators.sampling.steps import step_ends


def held_behind(items: Sequence[Item], attempts: Attempts, *, sampler: Sampler, config: ProcessLabelsConfig) -> Held:
    """How many rollouts from the end of each inner step of the chosen solutions the ledger holds; raises StorageError.

    The keys are problem and attempt; solutions without any are left out.
    """
    held = {}
    for item in items:
        for attempt in attempts.of(item.problem.problem_id) if item.chosen else ():
            if attempt.attempt_index in item.chosen:
                counts = _held_behind(attempt, sampler, config)
                if any(counts):
                    held[attempt.problem_id, attempt.attempt_index] = counts
    return held


def _held_behind(attempt: Attempt, sampler: Sampler, config: ProcessLabelsConfig) -> tuple[int, ...]:
    return tuple(
        sampler.held(
            attempt.prompt_token_ids + attempt.token_ids[:end],
            sampling=config.sampling,
            max_tokens=config.max_tokens - end,
        )
        for end in step_ends(attempt.token_ids, sampler.tokenizer)[:-1]
    )
