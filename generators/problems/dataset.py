"""Verified problems with the policy's pass rates, in the shape that RL trainers read."""

from generators.card import Card
from generators.dataset import Dataset
from generators.problems.release import (
    CONFIGS,
    PICTURE,
    ProblemParameters,
    count_difficulties,
    more_facts,
    parameters_of,
)
from generators.problems.stage import STAGE

DATASET: Dataset[ProblemParameters] = Dataset(
    stage=STAGE,
    reads=("attempts",),
    configs=CONFIGS,
    card=Card.beside(__file__),
    parameters=ProblemParameters,
    parameters_of=parameters_of,
    label_counts=count_difficulties,
    more_facts=more_facts,
    picture=PICTURE,
    lengths=("prompt", "answer"),
    sample_columns=("prompt", "answer", "source", "pass_rate", "difficulty"),
)
