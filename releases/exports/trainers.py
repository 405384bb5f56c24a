"""The trainers that an export is made for, by name."""

from collections.abc import Mapping

from releases.exports.axolotl import AXOLOTL
from releases.exports.llamafactory import LLAMAFACTORY
from releases.exports.names import TrainerName
from releases.exports.open_instruct import OPEN_INSTRUCT
from releases.exports.openrlhf import OPENRLHF
from releases.exports.prime_rl import PRIME_RL
from releases.exports.trainer import Trainer
from releases.exports.trl import TRL
from releases.exports.verl import VERL

TRAINERS: Mapping[TrainerName, Trainer] = {
    trainer.name: trainer for trainer in (TRL, VERL, OPENRLHF, LLAMAFACTORY, AXOLOTL, PRIME_RL, OPEN_INSTRUCT)
}
