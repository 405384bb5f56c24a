"""What can go wrong with the models that are trained here, each with the remedy in its message.

TrainingError
├── NoWeights       the policy's weights cannot be loaded, or their architecture does not fit
└── AdapterRefused  an adapter was trained on something else, or its files are not what they were
"""


class TrainingError(Exception):
    """A model cannot be trained or used until a person changes something."""


class NoWeights(TrainingError):
    """There are no weights to train on."""


class AdapterRefused(TrainingError):
    """The adapter does not belong to this base model, or is damaged."""
