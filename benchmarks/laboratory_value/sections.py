"""The settings of the laboratory's rounds, stage by stage."""

from collections.abc import Mapping

from generators.attempts.settings import Settings as Attempts
from generators.critical_token_pairs.settings import ModelsSettings
from generators.critical_token_pairs.settings import Settings as CriticalTokens
from generators.long_cot_traces.settings import Settings as LongCot
from generators.problems.settings import Source
from generators.process_labels.settings import Settings as ProcessLabels
from generators.section import Section
from generators.self_correction_traces.settings import Settings as SelfCorrections
from generators.step_preference_pairs.settings import Settings as StepPairs

MAX_TOKENS = 192  # several times a solution's length
SOURCE = Source.model_validate({"kind": "laboratory", "name": "laboratory", "task": "chains", "size": 1})
SECTIONS: Mapping[str, Section] = {
    "attempts": Attempts(n=8, temperature=1.0, max_tokens=MAX_TOKENS),
    "process_labels": ProcessLabels(cap=96, audit=0, held_out=0.0, solutions_per_problem=2),
    "step_preference_pairs": StepPairs(candidates=8, pairs_per_error=2, cap=16, published_rollouts=4),
    "self_correction_traces": SelfCorrections(
        samples=4,
        max_tokens=3 * MAX_TOKENS,
        triggers=("Again from the start.",),
        max_triggers=1,
        first_budget=MAX_TOKENS,
    ),
    "contrastive_models": ModelsSettings(learning_rate=1e-3, epochs=2, batch_size=16, dropout=0.0),
    "critical_token_pairs": CriticalTokens(search_cap=32, cap=48, budget=64),
    "long_cot_traces": LongCot(
        n=4, temperature=1.0, max_tokens=2 * MAX_TOKENS, examples="none", instruct=False, percentile=0.0
    ),
}
