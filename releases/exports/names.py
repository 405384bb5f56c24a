"""The names of the trainers that an export is made for."""

from enum import StrEnum


class TrainerName(StrEnum):
    """A trainer, as `--to` names it."""

    TRL = "trl"
    VERL = "verl"
    OPENRLHF = "openrlhf"
    LLAMAFACTORY = "llamafactory"
    AXOLOTL = "axolotl"
    PRIME_RL = "prime-rl"
    OPEN_INSTRUCT = "open-instruct"
