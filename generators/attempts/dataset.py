"""Every verified solution by the policy with its verdict."""

from generators.attempts.release import CONFIGS, PICTURE, count_outcomes
from generators.attempts.stage import STAGE
from generators.card import Card
from generators.dataset import Dataset, Parameters

DATASET: Dataset[Parameters] = Dataset(
    stage=STAGE,
    configs=CONFIGS,
    card=Card.beside(__file__),
    label_counts=count_outcomes,
    picture=PICTURE,
    lengths=("text", "token_ids"),
    sample_columns=("prompt", "text", "answer", "extracted", "verdict"),
)
