"""Every verified solution by the policy with its verdict."""

from generators.attempts.release import (
    CONFIGS,
    PICTURE,
    AttemptParameters,
    count_outcomes,
    more_facts,
    parameters_of,
)
from generators.attempts.stage import STAGE
from generators.card import Card
from generators.dataset import Dataset

DATASET: Dataset[AttemptParameters] = Dataset(
    stage=STAGE,
    configs=CONFIGS,
    card=Card.beside(__file__),
    parameters=AttemptParameters,
    parameters_of=parameters_of,
    label_counts=count_outcomes,
    more_facts=more_facts,
    picture=PICTURE,
    lengths=("text", "token_ids"),
    sample_columns=("prompt", "text", "answer", "extracted", "verdict"),
)
