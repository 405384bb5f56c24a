"""Every table of the house, declared once.

Knows no path and no writer; how a declaration is enforced, `filters.tables` says.
"""

from filters.schemas.attempts import ATTEMPTS, PROBLEM_DIFFICULTY, PROBLEMS
from filters.schemas.columns import MESSAGES
from filters.schemas.critical_tokens import CONTRASTIVE_MODELS, CRITICAL_TOKEN_PAIRS
from filters.schemas.long_cot import LONG_COT_PAIRS, LONG_COT_SAMPLES, LONG_COT_TRACES, QUERY_MIX
from filters.schemas.process_labels import PROCESS_LABELS, SEARCH_TREES
from filters.schemas.self_correction import DEEPENED_RESPONSES, SELF_CORRECTION_TRACES
from filters.schemas.step_preference_pairs import STEP_PREFERENCE_PAIRS
from filters.tables import Column, SchemaError, TableSchema

__all__ = [
    "ATTEMPTS",
    "CONTRASTIVE_MODELS",
    "CRITICAL_TOKEN_PAIRS",
    "DEEPENED_RESPONSES",
    "LONG_COT_PAIRS",
    "LONG_COT_SAMPLES",
    "LONG_COT_TRACES",
    "MESSAGES",
    "PROBLEMS",
    "PROBLEM_DIFFICULTY",
    "PROCESS_LABELS",
    "QUERY_MIX",
    "SEARCH_TREES",
    "SELF_CORRECTION_TRACES",
    "STEP_PREFERENCE_PAIRS",
    "Column",
    "SchemaError",
    "TableSchema",
]
