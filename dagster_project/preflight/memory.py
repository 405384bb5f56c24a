"""Whether the memory here is enough for the policy's weights and its key-value cache."""

import shutil
import subprocess
from collections.abc import Iterator

import psutil

from dagster_project.resources.policy import PolicySettings
from generators.engine.errors import EngineError
from generators.engine.server_settings import cpu_dtype, is_cpu_build
from generators.models.footprint import Footprint, footprint
from generators.models.policy import Policy
from generators.preflight import Finding

GIB = 2**30
_USABLE = 0.9  # the share of a GPU's memory that vLLM takes by default, roughly


def memory_findings(settings: PolicySettings, policy: Policy) -> Iterator[Finding]:
    """The findings on a server that would be started here."""
    on_cpu = is_cpu_build()
    dtype = cpu_dtype(settings.dtype) if on_cpu else settings.dtype
    try:
        size = footprint(policy.model, policy.revision, dtype=dtype)
    except EngineError as error:
        yield Finding(field="policy.model", why=f"memory was not checked, since {error}", blocks=False)
        return
    if size is None:
        return
    if on_cpu:
        yield from on_a_cpu(settings, size, available=psutil.virtual_memory().available)
    else:
        yield from on_gpus(settings, size, free=free_gpu_memory())


def on_a_cpu(settings: PolicySettings, size: Footprint, *, available: int) -> Iterator[Finding]:
    """Whether weights and cache fit `available` bytes, and a sequence of full length fits the cache."""
    sequence = settings.max_model_len * size.cache_per_token
    cache = settings.kv_cache_gib * GIB
    if sequence > cache:
        yield Finding(
            field="policy.kv_cache_gib",
            why=f"{settings.kv_cache_gib:g} GiB hold no sequence of {settings.max_model_len} tokens, which takes "
            f"{_gib(sequence)}",
            remedy=f"raise it to at least {_gib(sequence).removesuffix(' GiB')}, or lower policy.max_model_len",
        )
    if size.weights + cache > available:
        yield Finding(
            field="policy.model",
            why=f"its weights take {_gib(size.weights)} and the cache {settings.kv_cache_gib:g} GiB, and "
            f"{_gib(available)} of memory are available",
            remedy="take a smaller model, or lower policy.kv_cache_gib",
        )


def on_gpus(settings: PolicySettings, size: Footprint, *, free: list[int]) -> Iterator[Finding]:
    """Whether weights and sequences fit the GPUs that the server would use; `free` has the bytes of each."""
    n_gpus = _tensor_parallel(settings.server_args)
    if len(free) < n_gpus:
        yield Finding(
            field="policy.model",
            why=f"vLLM for GPUs is installed, and {len(free)} of the {n_gpus} GPUs that it needs are here",
            remedy="set policy.urls to servers that run, or install with `make setup` on this machine",
        )
        return
    usable = sum(sorted(free, reverse=True)[:n_gpus]) * _USABLE
    sequence = settings.max_model_len * size.cache_per_token
    if size.weights + sequence > usable:
        yield Finding(
            field="policy.model",
            why=f"its weights take {_gib(size.weights)} and one sequence of {settings.max_model_len} tokens "
            f"{_gib(sequence)}, and {_gib(usable)} of GPU memory can be used",
            remedy="take a smaller model, lower policy.max_model_len, or spread it over more GPUs by "
            "policy.server_args = ['--tensor-parallel-size', ...]",
        )
    elif size.weights + settings.in_flight * sequence > usable:
        full = int((usable - size.weights) // sequence)
        yield Finding(
            field="policy.in_flight",
            why=f"{settings.in_flight} sequences may be in flight, and {_gib(usable)} of GPU memory hold {full} "
            "of full length",
            remedy="nothing fails, since further ones wait; lower policy.max_model_len if sequences are shorter",
            blocks=False,
        )


def free_gpu_memory() -> list[int]:
    """The free bytes of every GPU, as nvidia-smi says; empty without one."""
    if shutil.which("nvidia-smi") is None:
        return []
    query = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [int(line) * 2**20 for line in done.stdout.split() if line.isdigit()]


def _tensor_parallel(arguments: list[str]) -> int:
    """How many GPUs one server is spread over."""
    words = [part for argument in arguments for part in argument.split("=")]
    for name in ("--tensor-parallel-size", "-tp"):
        if name in words[:-1] and (number := words[words.index(name) + 1]).isdigit():
            return int(number)
    return 1


def _gib(number: float) -> str:
    return f"{number / GIB:.1f} GiB"
