"""How much a model takes: the bytes of its weights and of its key-value cache, and the context that it was made for."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from generators.engine.errors import EngineMisconfigured, EngineUnavailable

_BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """The number of parameters, and bytes of weights and of the key-value cache of one token, in a number format."""

    parameters: int
    weights: int
    cache_per_token: int


def longest_context(model: str, revision: str | None = None) -> int | None:
    """The context that a model was made for, in tokens; None if its config does not say. Raises EngineMisconfigured."""
    config = _config(model, revision)
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    longest = getattr(config, "max_position_embeddings", None)
    # A scaled rope reaches beyond the number in the config by a rule of its own.
    return None if longest is None or rope.get("factor", 1) != 1 else int(longest)


def footprint(model: str, revision: str | None = None, *, dtype: str = "auto") -> Footprint | None:
    """What a local folder or a Hub model takes; None if its config has another shape.

    Raises EngineMisconfigured without a config, EngineUnavailable if the Hub does not answer.
    """
    config = _config(model, revision)
    try:
        heads = config.num_attention_heads
        head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
        cached = 2 * config.num_hidden_layers * (getattr(config, "num_key_value_heads", None) or heads) * head_dim
    except AttributeError:
        return None
    stored = str(getattr(config, "dtype", None) or "float32").removeprefix("torch.")
    width = _BYTES.get(stored if dtype == "auto" else dtype, 2)
    parameters, stored_bytes = _weights(model, revision, _BYTES.get(stored, 2))
    weights = stored_bytes if dtype in ("auto", stored) else parameters * width
    return Footprint(parameters=parameters, weights=weights, cache_per_token=cached * width)


@cache
def _config(model: str, revision: str | None) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(model, revision=revision).get_text_config()
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise EngineMisconfigured(f"the config of the model {model} cannot be read ({reason})") from error


def _weights(model: str, revision: str | None, width: int) -> tuple[int, int]:
    """The number of parameters and their bytes as they are stored."""
    if Path(model).is_dir():
        size = sum(file.stat().st_size for file in Path(model).glob("*.safetensors"))
        return size // width, size
    return _hub_weights(model, revision)


def _hub_weights(model: str, revision: str | None) -> tuple[int, int]:
    import httpx2  # the HTTP client of huggingface_hub
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, NotASafetensorsRepoError, OfflineModeIsEnabled

    try:
        info = HfApi().model_info(model, revision=revision, files_metadata=True, timeout=20)
        parameters = HfApi().get_safetensors_metadata(model, revision=revision).parameter_count
    except (HfHubHTTPError, NotASafetensorsRepoError, httpx2.HTTPError, OSError, OfflineModeIsEnabled) as error:
        raise EngineUnavailable(f"the Hub does not say how large {model} is ({type(error).__name__})") from error
    files = [file for file in info.siblings or [] if file.rfilename.endswith(".safetensors")]
    return sum(parameters.values()), sum(file.size or 0 for file in files)
