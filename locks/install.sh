#!/usr/bin/env bash
# Installs a lock into a virtual environment: with uv, which takes seconds, and with pip where uv fails.
# Usage: locks/install.sh VENV LOCK
set -euo pipefail
venv=$1 lock=$2
pip=("$venv/bin/pip" --disable-pip-version-check)
# Where PyTorch publishes its CPU builds; asked only when the configured indexes have none.
torch_cpu=https://download.pytorch.org/whl/cpu

# uv reads no setting of pip's, so it is told which indexes and folders pip was given.
pip_setting() { "${pip[@]}" config list | sed -n "s/^[^.]*\.$1='\(.*\)'$/\1/p" | tail -n 1; }

install_with_uv() {
  local uv
  uv=$(command -v uv) || { "${pip[@]}" install --quiet uv && uv=$venv/bin/uv; } || return 1
  local index links more
  index=$(pip_setting index-url) links=$(pip_setting find-links) more=$(pip_setting extra-index-url)
  env ${index:+UV_DEFAULT_INDEX="$index"} ${links:+UV_FIND_LINKS="${links// /,}"} UV_INDEX="$more $*" \
    "$uv" pip install --quiet --compile-bytecode --python "$venv/bin/python" --no-deps --index-strategy unsafe-best-match -r "$lock"
}

install_with_pip() { "${pip[@]}" install --quiet --no-deps -r "$lock" "$@"; }

install_with_uv || install_with_uv "$torch_cpu" ||
  install_with_pip || install_with_pip --extra-index-url "$torch_cpu"
