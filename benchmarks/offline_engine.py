"""Runs vLLM offline on batches of rollouts in a JSON file, each batch queued at once: a ceiling for our own ways.

It runs as a separate process, configured like our server. `[tokens, seconds]` of the generation of each batch are
written to another file, because vLLM itself writes to standard output.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from generators.engine.server_settings import vllm_environment


def main(jobs_file: str, result_file: str, model: str, width: str, dtype: str) -> None:
    """Generate and write the result."""
    os.environ.update(vllm_environment())
    from vllm import LLM, SamplingParams

    batches = json.loads(Path(jobs_file).read_text())
    engine = LLM(
        model=model,
        dtype=dtype,
        max_model_len=2048,
        max_num_seqs=int(width),
        enforce_eager=True,
        block_size=32,
        enable_chunked_prefill=False,
        enable_prefix_caching=True,
        max_num_batched_tokens=4096,
        kv_cache_memory_bytes=2**30,
    )

    def generate(batch: list[dict[str, Any]]) -> int:
        prompts = [{"prompt_token_ids": job.pop("prefix")} for job in batch]
        outputs = engine.generate(prompts, [SamplingParams(**job) for job in batch], use_tqdm=False)
        return sum(len(output.outputs[0].token_ids) for output in outputs)

    generate([dict(batches[0][0])])  # the first request warms the engine up
    results = []
    for batch in batches:
        began = time.perf_counter()
        tokens = generate(batch)
        results.append([tokens, time.perf_counter() - began])
    Path(result_file).write_text(json.dumps(results))


if __name__ == "__main__":
    main(*sys.argv[1:])
