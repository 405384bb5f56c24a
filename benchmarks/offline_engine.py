"""Runs vLLM offline on the rollouts in a JSON file, all queued at once: the ceiling of `engine_utilisation`.

It runs as a separate process, configured like our server. `[tokens, seconds]` of the generation alone are written to
another file, because vLLM itself writes to standard output.
"""

import json
import os
import sys
import time
from pathlib import Path

from generators.engine.server_settings import vllm_environment


def main(jobs_file: str, result_file: str, model: str, width: str) -> None:
    """Generate and write the result."""
    os.environ.update(vllm_environment())
    from vllm import LLM, SamplingParams

    jobs = json.loads(Path(jobs_file).read_text())
    engine = LLM(
        model=model,
        dtype="float32",
        max_model_len=2048,
        max_num_seqs=int(width),
        enforce_eager=True,
        block_size=32,
        enable_chunked_prefill=False,
        enable_prefix_caching=True,
        max_num_batched_tokens=4096,
        kv_cache_memory_bytes=2**30,
    )
    prompts = [{"prompt_token_ids": job["prefix"]} for job in jobs]
    sampling_params = [SamplingParams(temperature=1.0, seed=job["seed"], max_tokens=job["max_tokens"]) for job in jobs]
    engine.generate(prompts[:1], sampling_params[:1], use_tqdm=False)
    began = time.perf_counter()
    outputs = engine.generate(prompts, sampling_params, use_tqdm=False)
    seconds = time.perf_counter() - began
    tokens = sum(len(output.outputs[0].token_ids) for output in outputs)
    Path(result_file).write_text(json.dumps([tokens, seconds]))


if __name__ == "__main__":
    main(*sys.argv[1:])
