"""Errors of the models that are trained here; every message names the remedy.

TrainingError
├── NoWeights       the policy's weights cannot be loaded, or their architecture does not fit
├── NothingToLearn  a dataset holds no row to learn from, or rows of another tokenizer
└── AdapterRefused  an adapter was trained on something else, or its files have changed
"""


class TrainingError(Exception):
    """A model cannot be trained or used until a person changes something."""


class NoWeights(TrainingError):
    """There are no weights to train on."""


class NothingToLearn(TrainingError):
    """The rows leave nothing to train on."""


class AdapterRefused(TrainingError):
    """The adapter does not belong to this base model, or is damaged."""
