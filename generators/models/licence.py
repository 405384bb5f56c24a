"""The licence of a policy's weights, as far as its card says without a network."""

from pathlib import Path

from huggingface_hub import ModelCard, try_to_load_from_cache

from generators.models.policy import EMBEDDED, LABORATORY, SIMULATED, WARMED_UP

_BUILT = {
    EMBEDDED: "Apache-2.0",  # the weights of SmolLM2, by their card on the Hub
    WARMED_UP: "Apache-2.0",
    LABORATORY: "Apache-2.0",  # trained by our own code on texts that it writes
}


def licence_of(model: str, revision: str | None = None) -> str | None:
    """The licence that the card of a folder, or of a Hub model in the local cache, states; None if it states none."""
    if model in _BUILT:
        return _BUILT[model]
    folder = Path(model).expanduser()
    if folder.is_dir():
        card: object = folder / "README.md"
    else:
        card = None if model == SIMULATED else try_to_load_from_cache(model, "README.md", revision=revision)
    if not isinstance(card, str | Path) or not Path(card).is_file():
        return None
    licence = ModelCard.load(card, ignore_metadata_errors=True).data.license
    return None if licence is None else str(licence)
