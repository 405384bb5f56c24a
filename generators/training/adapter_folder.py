"""A folder with a trained LoRA adapter: what it was trained on, and whether it belongs to a base model.

It holds the files that `peft` writes, plus `origin.json`.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from generators.engine.errors import EngineMisconfigured
from generators.engine.model_folder import check_folder
from generators.training.base import Base
from generators.training.errors import AdapterRefused

ORIGIN = "origin.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What an adapter was trained on; `n_left_out` examples were longer than the settings allow."""

    base: str
    tokenizer_sha256: str
    vocabulary: int
    peft: str
    settings: str
    n_examples: int
    n_left_out: int
    losses: tuple[float, ...]


def write_origin(folder: Path, origin: Origin) -> None:
    """Write `origin` next to the adapter's files."""
    (folder / ORIGIN).write_text(json.dumps(asdict(origin), indent=2) + "\n")


def read_origin(folder: Path, base: Base) -> Origin:
    """The origin of the adapter in `folder`; raises AdapterRefused unless it is intact and was trained on `base`."""
    if not folder.is_dir():
        raise AdapterRefused(f"{folder} does not exist: train the contrastive models first")
    remedy = "train the contrastive models again"
    try:
        check_folder(folder)
        fields = json.loads((folder / ORIGIN).read_text())
        origin = Origin(**{**fields, "losses": tuple(fields["losses"])})
    except EngineMisconfigured as error:
        raise AdapterRefused(str(error)) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AdapterRefused(f"{folder} is not an adapter that was trained here ({error!r}): {remedy}") from error
    if origin.vocabulary != base.vocabulary:
        raise AdapterRefused(
            f"{folder} was trained on a vocabulary of {origin.vocabulary} tokens, and {base.name} has "
            f"{base.vocabulary}: {remedy}"
        )
    if origin.tokenizer_sha256 != base.tokenizer_sha256:
        raise AdapterRefused(
            f"{folder} was trained with another tokenizer than {base.name} has now (tokenizer.json has SHA-256 "
            f"{base.tokenizer_sha256[:12]}, then {origin.tokenizer_sha256[:12]}): restore it, or {remedy}"
        )
    if origin.base != base.name:
        raise AdapterRefused(f"{folder} was trained on {origin.base}, not on {base.name}: {remedy}")
    return origin
