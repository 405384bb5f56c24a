"""The identity of a policy: its name in ledger and releases, where its weights are, and its tokenizer.

The name changes when the weights change, so that rollouts of two policies never mix.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from generators.engine.embedded import embedded_model
from generators.engine.errors import EngineMisconfigured, EngineUnavailable
from generators.engine.simulated.vocabulary import SimulatedTokenizer
from generators.engine.tokenizer import HFTokenizer, Tokenizer
from generators.training.laboratory import laboratory_model
from generators.training.warmed_up import warmed_up_model

EMBEDDED = "embedded"
WARMED_UP = "warmed_up"
LABORATORY = "laboratory"
SIMULATED = "simulated"
CARD = "policy_card.json"  # in the folder of a policy: what is said of it, which does not change its name
_BUILT: dict[str, Callable[[], Path]] = {
    EMBEDDED: embedded_model,
    WARMED_UP: warmed_up_model,
    LABORATORY: laboratory_model,
}
_SAMPLED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy; `model` is a local folder or a Hub id, `name` names it wherever its rollouts are kept."""

    name: str
    model: str
    revision: str | None
    tokenizer: Tokenizer


def identify(model: str, *, revision: str | None = None) -> Policy:
    """The policy named in the settings: `embedded`, `warmed_up`, `laboratory`, `simulated`, a folder, or a Hub id.

    Raises EngineMisconfigured if there is no such model.
    """
    if model in _BUILT:
        return _local(_BUILT[model]())
    if model == SIMULATED:
        return Policy(name=SIMULATED, model=SIMULATED, revision=None, tokenizer=SimulatedTokenizer())
    if Path(model).expanduser().is_dir():
        return _local(Path(model).expanduser().resolve())
    try:
        commit = _hub_commit(model, revision)
    except EngineUnavailable as error:
        cached = _cached_commit(model, revision)
        if cached is None:
            raise EngineMisconfigured(f"{error}; nor is it in the local cache") from error
        commit = cached
    tokenizer = HFTokenizer(model, revision=commit)
    return Policy(name=_hub_name(model, commit), model=model, revision=commit, tokenizer=tokenizer)


def policy_name(model: str, *, revision: str | None = None) -> str:
    """The name that `identify` would give now; for a Hub id it asks the Hub and never a cache.

    Raises EngineMisconfigured if there is no such model, EngineUnavailable if the Hub cannot be reached.
    """
    if model == SIMULATED:
        return SIMULATED
    if model in _BUILT:
        return _local_name(_BUILT[model]())
    if Path(model).expanduser().is_dir():
        return _local_name(Path(model).expanduser().resolve())
    return _hub_name(model, _hub_commit(model, revision))


def attached(model: str, *, revision: str | None, tokenizer: str | None) -> Policy:
    """The policy on servers that somebody else runs; its name is taken from the settings."""
    policy_tokenizer = tokenizer_of(tokenizer or model, revision)
    return Policy(name=attached_name(model, revision), model=model, revision=revision, tokenizer=policy_tokenizer)


def attached_name(model: str, revision: str | None) -> str:
    """The name of a policy on servers that somebody else runs."""
    return f"{model.strip('/').replace('/', '--')}@{revision or 'unversioned'}"


def tokenizer_of(model: str, revision: str | None) -> Tokenizer:
    """The tokenizer of a local folder, the embedded or the simulated policy, or a Hub id."""
    if model == SIMULATED:
        return SimulatedTokenizer()
    return HFTokenizer(embedded_model() if model == EMBEDDED else model, revision=revision)


def _local(folder: Path) -> Policy:
    return Policy(name=_local_name(folder), model=str(folder), revision=None, tokenizer=HFTokenizer(folder))


def _hub_name(model: str, commit: str) -> str:
    return f"{model.replace('/', '--')}@{commit[:12]}"


def _local_name(folder: Path) -> str:
    if not (folder / "config.json").is_file():
        raise EngineMisconfigured(
            f"policy.model is the folder {folder}, which holds no config.json: name a folder written by save_pretrained"
        )
    return f"{folder.name}@{_fingerprint(folder)[:12]}"


def _fingerprint(folder: Path) -> str:
    """A digest of the name, size, first and last MiB of every file but the card: a second for weights of any size."""
    digest = hashlib.sha256()
    files = [path for path in folder.iterdir() if path.is_file() and path.name != CARD]
    for file in sorted(path for path in files if not path.name.startswith(".")):
        size = file.stat().st_size
        digest.update(f"{file.name}\n{size}\n".encode())
        with file.open("rb") as content:
            digest.update(content.read(_SAMPLED_BYTES))
            content.seek(max(0, size - _SAMPLED_BYTES))
            digest.update(content.read(_SAMPLED_BYTES))
    return digest.hexdigest()


def _hub_commit(model: str, revision: str | None) -> str:
    import httpx2  # the HTTP client of huggingface_hub
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    remedy = "set policy.model to 'embedded', to a folder with a saved model, or to a Hub id that this user may read"
    try:
        return str(HfApi().model_info(model, revision=revision, timeout=20).sha)
    except (HFValidationError, HfHubHTTPError) as error:
        first_line = str(error).strip().splitlines()[0]
        message = f"policy.model is {model!r}, which the Hub does not provide ({first_line}): {remedy}"
        raise EngineMisconfigured(message) from error
    except (httpx2.HTTPError, OSError, OfflineModeIsEnabled) as error:
        raise EngineUnavailable(
            f"policy.model is {model!r}, which is not a local folder, and the Hub cannot be reached "
            f"({type(error).__name__}): {remedy}"
        ) from error


def _cached_commit(model: str, revision: str | None) -> str | None:
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(model, "config.json", revision=revision)
    return Path(cached).parent.name if isinstance(cached, str) else None
