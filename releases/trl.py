"""TRL's trainers for each format, and the lines that train on a config with the first of them."""

from collections.abc import Mapping
from typing import NamedTuple

from generators.formats import Format


class Reader(NamedTuple):
    """A trainer of TRL and its config, with the settings that keep all of a row and learn nothing but answers."""

    trainer: str
    config: str
    settings: Mapping[str, bool | None]

    @property
    def arguments(self) -> str:
        """The settings as Python writes them in a call."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items())


class Other(NamedTuple):
    """Trainers of a format that TRL has no trainer for, and a sentence on them."""

    title: str
    sentence: str


_WHOLE = {"max_length": None}  # TRL cuts rows at 1,024 tokens otherwise
_SFT = Reader("SFTTrainer", "SFTConfig", _WHOLE)
READERS: Mapping[Format, tuple[Reader, ...]] = {
    Format.MESSAGES: (_SFT._replace(settings=_WHOLE | {"assistant_only_loss": True}),),
    Format.COMPLETION: (_SFT,),
    Format.TOKENS: (_SFT,),
    Format.PREFERENCE: (Reader("DPOTrainer", "DPOConfig", _WHOLE), Reader("RewardTrainer", "RewardConfig", _WHOLE)),
    Format.UNPAIRED: (Reader("KTOTrainer", "KTOConfig", _WHOLE),),
}
OTHERS = {
    Format.STEPWISE: Other(
        "`examples.prm`; axolotl's `stepwise_supervised`",
        "TRL has no trainer for it any more: stepmill's `examples.prm` trains a process reward model on it, and "
        "axolotl reads it as `stepwise_supervised`.",
    ),
    Format.PROBLEMS: Other("trainers that sample by themselves", "Trainers that sample by themselves read it."),
}


def trainers() -> dict[str, tuple[Format, ...]]:
    """The formats that each trainer reads."""
    formats: dict[str, tuple[Format, ...]] = {}
    for format, readers in READERS.items():
        for reader in readers:
            title = f"TRL's `{reader.trainer}`"
            formats[title] = (*formats.get(title, ()), format)
    return formats | {other.title: (format,) for format, other in OTHERS.items()}


def readers(format: Format | None) -> str:
    """A sentence on who reads a config of this format; empty if no trainer does."""
    if format is None:
        return ""
    if format in OTHERS:
        return OTHERS[format].sentence
    names = [f"`{reader.trainer}`" for reader in READERS[format]]
    return f"TRL's {' and '.join(names)} {'read' if len(names) > 1 else 'reads'} it as it is."


def lines(format: Format | None, *, load: str, model: str) -> str:
    """Three lines of Python that train `model` on the rows that the expression `load` gives; empty without a reader."""
    if format is None or format not in READERS:
        return ""
    reader = READERS[format][0]
    return (
        f"from trl import {reader.config}, {reader.trainer}\n"
        f"rows = {load}\n"
        f'{reader.trainer}("{model}", args={reader.config}({reader.arguments}), train_dataset=rows).train()'
    )
